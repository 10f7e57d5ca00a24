"""How many items a price buys: two in "2 for $30", one in "Echo Show 8 for $89".

The two read alike, and taking the second for the first would make an item seem to cost an eighth of its price. So a
number before "for" counts only where something else says so: its place in the title, goods sold by the pack, or the
content.
"""

from __future__ import annotations

import re
from decimal import Decimal

_COUNT = re.compile(r"(?<![\w.$])(\d{1,3})\s?(?P<sign>for|x for|pour|für|/)\s*(?:only |just )?$", re.I)
_AFTER = re.compile(r"\s*for (?:any )?(\d{1,2})(?=\s*(?:$|[,.;)+]))", re.I)
_MOST = 100
_DOZEN = 12
_CHEAP, _CHEAP_PLURAL = Decimal(15), Decimal(60)  # no gadget with a number in its name costs as little
_PLAYED = re.compile(
    r"\b(?:PS[2345]|PlayStation|Xbox|Switch|Steam|PC(?:DD)?|Digital|DVD|Blu-?ray|4K|Vol|Season|Book|Part)\b", re.I
)
_STANDS_ALONE = re.compile(r"(?:^|[:;,()|–-]|\b(?:buy|get|any|pick|choose|mix|select|of|or|cash|credit))\s*$", re.I)
_BY_THE_PACK = re.compile(
    r"\d[- ]?(?:fl[ -])?(?:ct|count|oz|ounce|pk|pack|lb|pc|piece|roll|sheet|ml)s?\b|\bmix (?:&|and) match\b", re.I
)
_GOODS = re.compile(
    r"\b(?:(?:t-?)?shirts|tees|tops|polos|jeans|pants|shorts|leggings|socks|underwear|boxers|briefs|bras|panties"
    r"|towels"
    r"|pillows|sheets|games|movies|films|dvds|blu-rays|books|magazines|bags|boxes|bottles|packs|cans|bars|candles"
    r"|items"
    r"|pairs|batteries|pens|markers|notebooks|toys|plants|filament|prints|masks|wipes|razors"
    r"|bulbs)(?: \([^)]{0,40}\))?\s*$",
    re.I,
)


def items_bought(before: str, after: str, value: Decimal, content: str = "") -> int:
    """The number of items that an amount of ``value`` buys, by the words around it and the post's content."""
    if match := _AFTER.match(after):
        return _within_reason(int(match[1]))
    match = _COUNT.search(before)
    if not match:
        return 1
    count, lead = _within_reason(int(match[1])), before[: match.start()]
    if count == 1 or match["sign"] == "/" or _STANDS_ALONE.search(lead):
        return count
    if _BY_THE_PACK.search(lead) or _GOODS.search(lead) or _says_so(content, count, value):
        return count
    return count if _is_cheap_by_the_dozen(lead, count, value) else 1


def _is_cheap_by_the_dozen(lead: str, count: int, value: Decimal) -> bool:
    """ "Tide Pods 2 for $30" and "Gum 3 for $4.50", but not "Switch 2 for $427" or "Portal 2 (PC) for $2"."""
    if _PLAYED.search(lead) or not 2 <= count <= _DOZEN:
        return False
    return value <= (_CHEAP_PLURAL if re.search(r"[^s]s\s*$", lead) else _CHEAP)


def _within_reason(count: int) -> int:
    return count if 0 < count <= _MOST else 1


def _says_so(content: str, count: int, value: Decimal) -> bool:
    """Whether the content tells to buy that many, or states the price of one."""
    each = re.escape(f"{value / count:.2f}")
    told = rf"\b(?:add|buy|get|pick|purchase|any)\W+(?:\w+\W+){{0,2}}{count}\b|multi-?buy|\b{count}x\b"
    priced = rf"\$\s?{each}(?!\d)[^.$]{{0,12}}(?:each|ea\b|per|apiece)"
    return bool(re.search(f"{told}|{priced}", content, re.I))
