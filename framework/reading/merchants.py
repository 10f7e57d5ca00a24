"""Who sells: the shop as posts name it."""

from __future__ import annotations

import re

from framework.reading.titles import Title

_NAME = r"[\w&'.!+ -]{1,40}?"
_PATTERNS = {
    "buy at": re.compile(rf"\b(?:Buy|Shop) Now at (?P<shop>[A-Z]{_NAME})(?=\s*(?:$|\n|Features|[.;,]))", re.M),
    # "Amazon has ...", "Some Seller via Amazon has ..."
    "has": re.compile(
        rf"^[•\s]*(?:[^\n.]{{2,60}}? (?:via|at|through|on) )?(?P<shop>(?:[A-Z]|(?<=via )[a-z]){_NAME})"
        r"(?: \(sold[^)]{0,40}\))? (?:has|have|offers?|is offering|carries)\b"
    ),
    # "39€ - Outlet Moto"
    "dash": re.compile(rf"^\s*[\d.,]+\s?[€£$]\s[-–]\s(?P<shop>[A-Z]{_NAME})\s*(?:$|\n)", re.M),
    # "... @ JB Hi-Fi", "... Deals at Amazon"
    "at": re.compile(
        r"(?:\s@\s|(?<=\bat )(?=[A-Z]))(?P<shop>[A-Z][\w&'.!+-]*(?: [A-Z&][\w&'.!+-]*){0,3})\s*(?:$|:|\()"
    ),
    # Costco Members: ...
    "who": re.compile(
        r"^(?:select )?(?P<shop>woot!?|costco|sam's club|walmart|target|best buy|home depot|lowe's|harbor freight"
        r"|micro ?center|bj's|staples|walgreens)\b",
        re.I,
    ),
}


def merchant_of(title: Title, content: str) -> str | None:
    """The shop that a post names, ``None`` when it names none."""
    texts = {"buy at": content, "has": content[:300], "dash": content[:200], "at": title.text, "who": title.who}
    for name, pattern in _PATTERNS.items():
        if match := pattern.search(texts[name]):
            return match["shop"].strip(" .")
    return None
