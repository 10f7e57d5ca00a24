"""The price that a page shows, where its markup says nothing.

Shops mark up prices for their own styles: an element whose class, id or test name speaks of a price, near the product's
heading. Elements that speak of old prices, savings, shipping or instalments, and those in carousels of other products,
are left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from framework.money import Money
from framework.reading.amounts import parse_price, read_amounts
from framework.reading.tree import Element, Tree, text_of

_PRICE = re.compile(r"price|pricing|preis|prix|precio", re.I)
_CURRENT = re.compile(
    r"pricetopay|customer-?price|current|final-?price|sale-?price|our-?price|hero|main|big-?price|primary|product-?price|buy-?box|core-?price|offer-?price|bin-?price|price-?box|now",
    re.I,
)
_TO_PAY = re.compile(r"price-?to-?pay|customer-?price", re.I)  # says more than the box it stands in
_OLD = re.compile(
    r"\bwas\b|-was|was-|old|list-?price|strike|regular|original|\borig|compar|msrp|rrp|retail|crossed|before|basis|a-text-price",
    re.I,
)
_OTHER = re.compile(
    r"sav(?:e|ing)|discount|shipping|per-?unit|unit-?price|ppu|financ|month|install?ment|pay-?later|sub-?total|total|template|tool-?tip|-tip\b|additional|bulk|range-?from|coupon|filter|badge|alert|history|trade|deposit|tax|fee|warranty|review|footer|message",
    re.I,
)
_ELSEWHERE = re.compile(
    r"carousel|related|similar|sponsor|recommend|also-|alsob|recently|cross-?sell|up-?sell|accessor|results?\b|listing|tile|\bcards?\b|_card|-card|card-|shelf|slider|bundle|compare|frequently|nav|menu|header|footer|cart|basket|swatch|variant-list",
    re.I,
)
_LONGEST = 60
_MOST_CANDIDATES = 600  # listings show some hundreds
_SPLIT = re.compile(r"(?<=[$€£]) (?=\d)|(?<=\d) (?=[.,] ?\d\d\b)|(?<=\d[.,]) (?=\d\d\b)")  # "$ 59 . 99"
_SPLIT_CENTS = re.compile(r"([$€£]\d[\d,]*) (\d\d)(?!\d)")  # "$59 99", cents raised by style
_HEADING_WORDS = re.compile(r"\bresults?\b|\bsearch\b|\bdeals\b|\bcategory\b|\ball \w+s\b|^shop\b", re.I)


@dataclass(frozen=True)
class Shown:
    """What a page shows: the main price, an old price, how many different prices, and the words they came from."""

    price: Money | None = None
    list_price: Money | None = None
    evidence: str = ""
    distinct: int = 0  # different prices on the page
    heading: str = ""


def shown(tree: Tree, default: str) -> Shown:
    """Find the price that belongs to the page's heading."""
    heading = _heading(tree)
    best: tuple[int, Element, Money] | None = None
    old: Money | None = None
    seen: set[str] = set()
    behind = heading is None
    candidates = 0
    for node in tree.elements():
        behind = behind or node is heading
        signature = _signature(node)
        if not _PRICE.search(signature):
            continue
        candidates += 1
        if candidates > _MOST_CANDIDATES:
            break
        money = _single_price(node, default)
        if money is None:
            continue
        seen.add(str(money.amount))
        place = "main" if behind and _TO_PAY.search(signature) else _place(node)
        if _OTHER.search(signature) or place is None:
            continue
        if _OLD.search(signature) or place == "old":
            old = old or (money if behind else None)
            continue
        score = 2 * bool(_CURRENT.search(signature)) + behind + 3 * bool(_TO_PAY.search(signature))
        if best is None or score > best[0]:
            best = (score, node, money)
    text = text_of(heading, 400) if heading is not None else ""
    if best is None:
        return Shown(distinct=len(seen), heading=text)
    listed = (
        old if old and old.currency == best[2].currency and best[2] < old and old.amount < best[2].amount * 5 else None
    )
    return Shown(best[2], listed, text_of(best[1], _LONGEST), len(seen), text)


def is_listing_heading(heading: str) -> bool:
    """Whether a heading announces many things: "24 results for ...", "keyboards"."""
    return bool(_HEADING_WORDS.search(heading)) or len(heading.split()) <= 2


def _heading(tree: Tree) -> Element | None:
    """The heading that the page's title repeats, else the first one."""
    title = tree.first_text("title").lower()
    headings = [node for node in tree.root.iter("h1") if text_of(node, 400)]
    named = [node for node in headings if text_of(node, 400).lower()[:40] in title]
    return next(iter(named or headings), None)


def _signature(node: Element) -> str:
    names = ("id", "class", "data-testid", "data-test", "data-test-id", "data-automation-id", "itemprop", "data-qa")
    return " ".join(value for name in names if (value := node.get(name)))[:300]


def _single_price(node: Element, default: str) -> Money | None:
    """The one price that an element shows, ``None`` when it shows several or is more than a price."""
    text = text_of(node, _LONGEST + 1)
    content = node.get("content")
    if not text and content:
        return parse_price(content, default=default)
    if len(text) > _LONGEST or not re.search(r"\d", text) or "%" in text:
        return None
    dollar = default if default != "USD" else None
    joined = _SPLIT_CENTS.sub(r"\1.\2", _SPLIT.sub("", text))
    amounts = {(amount.value, amount.currency) for amount in read_amounts(joined, dollar=dollar)}
    if len(amounts) != 1:
        return None
    value, currency = amounts.pop()
    return Money.of(value, currency) if value else None


def _place(node: Element) -> str | None:
    """Where an element stands: ``None`` among other products, "old" within an old price, else "main"."""
    if node.tag in ("s", "del", "strike"):
        return "old"
    for depth, parent in enumerate(node.iterancestors()):
        if depth > 14:
            break
        signature = _signature(parent)
        if parent.tag in ("nav", "footer", "aside") or _ELSEWHERE.search(signature):
            return None
        if parent.tag in ("s", "del", "strike") or (depth < 2 and _OLD.search(signature)):
            return "old"
        if depth < 3 and _OTHER.search(signature):
            return None
    return "main"
