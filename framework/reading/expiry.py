"""Does a post or a page say that its offer is over? Only plain words of that count: a wrong yes hides a bargain."""

from __future__ import annotations

import re

from framework.deals import Entry
from framework.reading.pages import Page
from framework.reading.text import plain_content, plain_title

_OVER = r"(?:expired|dead|oos|out of stock|sold[- ]?out|ended|no longer (?:available|valid|working))"
_TITLE = re.compile(
    rf"[\[(]\s*(?:deal |offer )?{_OVER}\s*[\])]"  # "[Expired] Kettle $20", "Kettle $20 (dead)"
    rf"|^\W*{_OVER}\s*[:!|–—-]+\s"  # "EXPIRED: Kettle $20"
    rf"|\s[|–—-]+\s*{_OVER}\W*$",  # "Kettle $20 - sold out"
    re.IGNORECASE,
)
_SENTENCE = re.compile(
    rf"\b(?:this|the) (?:deal|offer|sale|price|coupon|code) (?:is|has|was|appears|seems|looks)(?: to be)?"
    rf"(?: now| already| been)* {_OVER}\b"
    r"|\bdeal is dead\b|\b(?:update|edit)(?:ed)?\s?\d{0,2}\s?[:–—-]+\s?(?:this |the |it |deal |is |now |has )*"
    rf"{_OVER}\b",
    re.IGNORECASE,
)
_FLAIR = re.compile(rf"\W*(?:deal )?{_OVER}\W*", re.IGNORECASE)
_HINT = re.compile(r"expired|dead|\boos\b|stock|sold|ended|longer", re.IGNORECASE)  # stands in every sign of it
_UNAVAILABLE = frozenset({"outofstock", "soldout", "discontinued"})
_LOOKED_AT = 16_000  # characters of the content, with its markup


def says_over(entry: Entry) -> bool:
    """Whether the post says so: in its title, its flair (a category), or a sentence of its text."""
    content = entry.content[:_LOOKED_AT]
    return bool(
        (_HINT.search(entry.title) and _TITLE.search(plain_title(entry.title)))
        or any(_FLAIR.fullmatch(category) for category in entry.categories)
        or (_HINT.search(content) and _SENTENCE.search(plain_content(content)))
    )


def shows_over(page: Page) -> bool:
    """Whether the page's own markup says that the product cannot be bought."""
    return (page.availability or "").lower() in _UNAVAILABLE
