"""Fits texts to a window of tokens, counted by a real tokenizer: too short is dropped, too long is cut between tokens.

Characters say little: 300 of them are 60 tokens of prose and 150 of part numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.data.products import join_text
from models.tokenizer import ARTIFACTS, load_tokenizer

SHIPPED = ARTIFACTS / "tokenizer.json"


class TokenWindow:
    """At most ``most`` tokens of the tokenizer in the file ``path`` (a ``tokenizer.json``).

    Raises ``ArtifactError`` when the file is missing or is no tokenizer.
    """

    def __init__(self, most: int, path: Path = SHIPPED) -> None:
        self.most = most
        self._tokenizer = load_tokenizer(path)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def fit(self, items: Sequence[tuple[str, str]]) -> list[tuple[str, str, int]]:
        """Each title and description cut to the window, with the number of tokens before the cut."""
        texts = [join_text(title, description) for title, description in items]
        encodings = self._tokenizer.encode_batch(texts, add_special_tokens=False)
        return [self._cut(text, encoding) for text, encoding in zip(texts, encodings, strict=True)]

    def _cut(self, text: str, encoding: Any) -> tuple[str, str, int]:
        count = len(encoding.ids)
        if count > self.most:
            text = text[: encoding.offsets[self.most - 1][1]]
        title, _, description = text.partition("\n")
        return title.strip(), description.strip(), count
