"""Fit text into the limits of a channel without breaking what it says."""

from __future__ import annotations

import re

_LINK = re.compile(r"https?://\S+")
_ELLIPSIS = "…"


def shorten(text: str, limit: int) -> str:
    """At most ``limit`` characters, cut between words where possible and never inside a link: half a link leads
    somewhere else, so one that does not fit is left out.
    """
    text = text.strip()
    if len(text) <= limit:
        return text
    cut = limit - len(_ELLIPSIS)
    for link in _LINK.finditer(text):
        if link.start() < cut < link.end():
            cut = link.start()
    head = text[:cut]
    if not text[cut : cut + 1].isspace():
        words = re.match(r"(.*)\s", head, re.DOTALL)
        if words and len(words[1]) > cut * 0.6:
            head = words[1]
    return head.rstrip() + _ELLIPSIS


def plain(text: str) -> str:
    """One line without control characters: a scraped title must not draw its own lines or colours."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
