"""Who sells: the shop as posts name it."""

from __future__ import annotations

import re

from framework.reading.titles import Title

_HAS = re.compile(
    r"^[•\s]*(?:[^\n.]{2,60}? (?:via|at|through|on) )?(?P<shop>(?:[A-Z]|(?<=via )[a-z])[\w&'.!+ -]{1,40}?)(?: \(sold[^)]{0,40}\))? (?:has|have|offers?|is offering|carries)\b"
)
_BUY_AT = re.compile(r"\b(?:Buy|Shop) Now at (?P<shop>[A-Z][\w&'.!+ -]{1,40}?)(?=\s*(?:$|\n|Features|[.;,]))", re.M)
_AT = re.compile(r"(?:\s@\s|(?<=\bat )(?=[A-Z]))(?P<shop>[A-Z][\w&'.!+-]*(?: [A-Z&][\w&'.!+-]*){0,3})\s*(?:$|:|\()")
_DASH = re.compile(r"^\s*[\d.,]+\s?[€£$]\s[-–]\s(?P<shop>[A-Z][\w&'.!+ -]{1,40}?)\s*(?:$|\n)", re.M)
_WHO = re.compile(
    r"^(?:select )?(?P<shop>woot!?|costco|sam's club|walmart|target|best buy|home depot|lowe's|harbor freight|micro ?center|bj's|staples|walgreens|walmart)\b",
    re.I,
)


def merchant_of(title: Title, content: str) -> str | None:
    """The shop that a post names, ``None`` when it names none."""
    for pattern, text in (
        (_BUY_AT, content),
        (_HAS, content[:300]),
        (_DASH, content[:200]),
        (_AT, title.text),
        (_WHO, title.who),
    ):
        if match := pattern.search(text):
            return match["shop"].strip(" .")
    return None
