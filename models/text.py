"""What a description must be before a model may price it, and how it is cleaned."""

from __future__ import annotations

import re
import unicodedata

MAX_CHARACTERS = 4_000  # many times what the models read; a text of a megabyte costs no more than this

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+")
_SPACES = re.compile(r"[ \t\u00a0]+")


def clean(text: str) -> str:
    """``text`` without control, direction and surrogate characters, in canonical form, cut to ``MAX_CHARACTERS``."""
    visible = _CONTROL.sub(" ", text[: 2 * MAX_CHARACTERS])
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", visible)).strip()[:MAX_CHARACTERS]


def why_unusable(text: str) -> str | None:
    """Why the cleaned ``text`` cannot be priced, or ``None`` when it can.

    The models read English: of a text whose letters are mostly of another script they see next to nothing, and what
    they would say is a made-up number.
    """
    letters = [character for character in text if character.isalpha()]
    if len(letters) < 2:
        return "The description has no words"
    latin = sum(character < "\u0250" for character in letters)
    if latin < 0.5 * len(letters):
        return "The description is mostly in a script that the models cannot read"
    return None


def split_usable(texts: list[str] | tuple[str, ...]) -> tuple[list[str], list[str | None]]:
    """Cleaned texts, and for each the reason why it cannot be priced (``None``: it can)."""
    cleaned = [clean(text) for text in texts]
    return cleaned, [why_unusable(text) for text in cleaned]
