"""The grammar of amounts in deal texts: what each amount of money means, told from the words around it.

Rules look at a window of fixed size on either side of an amount, so that reading is linear in the length of the text.
An amount that no rule explains is what one pays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal

from framework.reading.amounts import Amount, read_amounts
from framework.reading.role import Role
from framework.reading.role_rules import RULES

__all__ = ["Priced", "Role", "read_roles"]

_WINDOW = 70  # characters on either side
_MOST_AMOUNTS = 80  # a text with more is a price list; what matters stands at its beginning


@dataclass(frozen=True)
class Priced:
    """An amount with its role."""

    amount: Amount
    role: Role
    strong: bool = False  # the words before it say that it is the price

    @property
    def value(self) -> Decimal:
        """The amount's number."""
        return self.amount.value


_RESULT = re.compile(
    r"(?:=|→|->|=>|comes to|total(?:s|ing)?(?: of)?:?|final price:?|drops? to|bringing (?:it|the price) (?:down )?to"
    r"|price (?:down )?to)\s*(?:only |just |now )?[~(]*\s*$",
    re.I,
)
_STRONG = re.compile(
    r"(?:\bfor(?: just| only)?|priced at|on sale (?:for|at)|(?:sale |our |deal )?price(?: is|:)?|\bnow(?: only| just)?"
    r"|\bis (?:just|only)|\bjust|\bonly|\bpay)\s*[~(]?\s*$",
    re.I,
)
_MINUS_SIGN = r"(?:[-–−]|minus|less(?! than))\s*(?:an? )?(?:extra\s|additional\s|~)?"
_MINUS = re.compile(rf"\s*{_MINUS_SIGN}", re.I)
_SUM = re.compile(
    rf"\s*(?:each\s*|\([^)]{{0,30}}\)\s*)?{_MINUS_SIGN}(?=[$€£]\s?\d|\d{{1,2}}(?:\.\d+)?\s?(?:%|€))",
    re.I,
)
_ARROW = re.compile(r"\s*(?:→|->|=>|»|>+|now|down to)\s*(?:only |just |now )?", re.I)
_RANGE = re.compile(r"\s*(?:[-–−]|to)\s*")


def read_roles(text: str, *, dollar: str | None = None) -> list[Priced]:
    """Every amount of money in ``text`` with its role, in order. ``dollar`` says what a bare "$" means."""
    found = [_read(text, amount) for amount in read_amounts(text, dollar=dollar)[:_MOST_AMOUNTS]]
    return _mark_pairs(text, found)


def _read(text: str, amount: Amount) -> Priced:
    before = text[max(0, amount.start - _WINDOW) : amount.start]
    after = text[amount.end : amount.end + _WINDOW]
    if _RESULT.search(before):
        return Priced(amount, Role.RESULT, strong=True)
    rule = next((rule for rule in RULES if rule.holds(before, after)), None)
    if rule:
        return Priced(amount, rule.role)
    return Priced(amount, Role.PAID, strong=_STRONG.search(before) is not None)


def _mark_pairs(text: str, found: list[Priced]) -> list[Priced]:
    """Tell "$30.58 - $11" (a sum), "$17.10 - $17.89" (a range) and "$129 -> $99" (a drop), which look alike."""
    marked = list(found)
    for place, item in enumerate(found):
        following = found[place + 1] if place + 1 < len(found) else None
        gap = text[item.amount.end : following.amount.start] if following else ""
        if following and item.role in (Role.PAID, Role.LIST) and _RANGE.fullmatch(gap) and following.value > item.value:
            marked[place] = replace(item, role=Role.FROM)
            marked[place + 1] = replace(following, role=Role.UP_TO)
        elif following and item.role is Role.PAID and _ARROW.fullmatch(gap) and following.value < item.value:
            marked[place] = replace(item, role=Role.LIST)
        elif item.role in (Role.PAID, Role.LIST) and _SUM.match(text[item.amount.end : item.amount.end + 60]):
            marked[place] = replace(item, role=Role.BEFORE)
            if following and _MINUS.fullmatch(gap) and following.role is Role.PAID:
                marked[place + 1] = replace(following, role=Role.DISCOUNT)
    return marked
