"""The roles that amounts of money play in deal texts, and what a rule for telling them is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What an amount of money in a deal text is."""

    PAID = "paid"
    RESULT = "result"  # what a sum comes to: "$30.58 - $11 = $19.58"
    BEFORE = "before"  # the start of such a sum
    LIST = "list"
    LIST_GAP = "list_gap"  # how far below the list price
    MARKET = "market"
    MARKET_GAP = "market_gap"  # how far below the lowest price elsewhere
    BOTH_GAP = "both_gap"  # below the list and the usual price alike
    DISCOUNT = "discount"
    UP_TO = "up_to"
    FROM = "from"
    SHIPPING = "shipping"
    THRESHOLD = "threshold"  # what one must spend
    CREDIT = "credit"  # a gift card or points on top
    RECURRING = "recurring"  # by month, year, line
    UNIT = "unit"  # by piece, ounce, metre
    HISTORY = "history"  # what it was in an earlier post


@dataclass(frozen=True)
class Rule:
    """A role with the words it is told by. ``None`` on one side: any words will do there."""

    role: Role
    before: re.Pattern[str] | None
    after: re.Pattern[str] | None

    def holds(self, before: str, after: str) -> bool:
        """Whether the words before and after an amount say that it has this role."""
        if self.before is not None and not self.before.search(before):
            return False
        return self.after is None or self.after.match(after) is not None


def make_rule(role: Role, *, before: Iterable[str] = (), after: Iterable[str] = ()) -> Rule:
    """A rule from alternatives: phrases that end right before the amount, phrases that begin right after it."""
    left, right = "|".join(before), "|".join(after)
    return Rule(
        role,
        re.compile(rf"(?<![^\W_])(?:{left})[\s~:(]*$", re.I) if left else None,
        re.compile(rf"\s*(?:{right})", re.I) if right else None,
    )
