"""The owner's filters, per feed and overall: pure rules that say why an item is skipped.

Words match whole words, without regard to case and accents. Regular expressions are the owner's own and run on
titles that strangers wrote, so at load they are bounded in length and refused where matching could explode: repeats
inside repeats, back-references, more than a few repeats (the cost of k repeats on n characters grows as n**k).
"""

from __future__ import annotations

import re
import unicodedata
import warnings
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from framework.deals import Condition, Deal, Entry, Kind, Value
from framework.feeds.text import plain_text

_LONGEST_PATTERN = 200
_MOST_REPEATS = 3
_SEARCHED = 200  # characters of the title that expressions see
_CONTENT_SEARCHED = 5_000  # characters of the content that words see


def check_pattern(pattern: str) -> str:
    """The pattern, unchanged. Raises ``ValueError`` with the reason when it is unusable or could run away."""
    if len(pattern) > _LONGEST_PATTERN:
        raise ValueError(f"the expression is longer than {_LONGEST_PATTERN} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern)
    except (re.error, Warning, OverflowError, RecursionError) as error:
        raise ValueError(f"{pattern!r} is no valid regular expression: {error}") from None
    repeats, nested, referring = _repeats(pattern)
    if nested or referring or repeats > _MOST_REPEATS:
        raise ValueError(
            f"{pattern!r} could take forever on some titles; use no repeat inside a repeat, no back-reference "
            f"and at most {_MOST_REPEATS} repeats"
        )
    return pattern


def _repeats(pattern: str) -> tuple[int, bool, bool]:
    """How many repeats a pattern has, whether one is inside another, and whether it has back-references.

    Reads the text, so it errs on the safe side: "?" counts as no repeat, a bounded one as a repeat.
    """
    plain = re.sub(r"\\.", lambda escape: "\\" if escape.group()[1].isdigit() else "x", pattern, flags=re.DOTALL)
    plain = re.sub(r"\[\^?\]?[^\]]*\]", "x", plain)
    repeats = len(re.findall(r"[*+]|\{\d*,?\d*\}", re.sub(r"([*+}])[?+]", r"\1", plain)))
    stack: list[bool] = []
    nested = False
    for position, char in enumerate(plain):
        if char == "(":
            stack.append(False)
        elif char == ")" and stack:
            inner = stack.pop()
            nested = nested or (inner and plain[position + 1 : position + 2] in ("*", "+", "{"))
            if stack:
                stack[-1] = stack[-1] or inner
        elif char in "*+{|" and stack:
            stack[-1] = True
    return repeats, nested, "\\" in plain or "(?P=" in pattern


Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Pattern = Annotated[str, StringConstraints(min_length=1), AfterValidator(check_pattern)]
Bound = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]


class Filters(Value):
    """What the owner wants to see. Empty filters pass everything.

    An item passes when it has any of the ``include`` words or expressions (where some are given) and none of the
    ``exclude`` ones, and keeps every bound that can be judged: what an item does not state is no reason to skip it.
    Price bounds are in ``currency`` and say nothing of prices in others.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))

    include: tuple[Word, ...] = ()
    exclude: tuple[Word, ...] = ()
    include_regex: tuple[Pattern, ...] = ()
    exclude_regex: tuple[Pattern, ...] = ()
    min_price: Bound | None = None
    max_price: Bound | None = None
    currency: str = "USD"
    kinds: tuple[Kind, ...] = ()
    merchants: tuple[Word, ...] = ()
    exclude_merchants: tuple[Word, ...] = ()
    conditions: tuple[Condition, ...] = ()
    min_discount_pct: float | None = Field(default=None, ge=0, le=100)

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Filters:
        if self.min_price is not None and self.max_price is not None and self.min_price > self.max_price:
            raise ValueError("min_price is above max_price, so nothing could pass")
        return self

    def reason_to_skip(
        self, item: Entry | Deal, *, kind: Kind | None = None, discount_pct: float | None = None
    ) -> str | None:
        """Why an item is skipped, as a sentence for the owner, or ``None`` when it passes.

        An entry is judged by its words; a deal also by price, merchant and condition. ``discount_pct`` is the
        discount on the valued worth; without it a deal's own claimed list price counts.
        """
        reason = self._words(item) or self._kind(kind)
        if reason is None and isinstance(item, Deal):
            reason = self._price(item) or self._merchant(item) or self._condition(item)
            discount_pct = _claimed_discount(item) if discount_pct is None else discount_pct
        return reason or self._discount(discount_pct)

    def _words(self, item: Entry | Deal) -> str | None:
        body = item.content if isinstance(item, Entry) else item.description
        title = item.title[:_SEARCHED]
        text = f" {_words_of(item.title)} {_words_of(plain_text(body, _CONTENT_SEARCHED))} "
        for word in self.exclude:
            if f" {_words_of(word)} " in text:
                return f'It has the excluded word "{word}".'
        for expression in self._excluding:
            if expression.search(title):
                return f'Its title matches the excluded expression "{expression.pattern}".'
        wanted = any(f" {_words_of(word)} " in text for word in self.include)
        if wanted or any(expression.search(title) for expression in self._including):
            return None
        return "It has none of the words asked for." if self.include or self.include_regex else None

    @cached_property
    def _including(self) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(pattern, re.IGNORECASE) for pattern in self.include_regex)

    @cached_property
    def _excluding(self) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(pattern, re.IGNORECASE) for pattern in self.exclude_regex)

    def _kind(self, kind: Kind | None) -> str | None:
        if kind is None or not self.kinds or kind in self.kinds:
            return None
        return f"Its kind, {kind.value}, is not asked for."

    def _price(self, deal: Deal) -> str | None:
        if deal.price.currency != self.currency:
            return None
        if self.min_price is not None and deal.price.amount < self.min_price:
            return f"{deal.price} is below the lowest price asked for, {self.min_price}."
        if self.max_price is not None and deal.price.amount > self.max_price:
            return f"{deal.price} is above the highest price asked for, {self.max_price}."
        return None

    def _merchant(self, deal: Deal) -> str | None:
        if deal.merchant is None:
            return None
        merchant = _words_of(deal.merchant)
        if any(_words_of(name) == merchant for name in self.exclude_merchants):
            return f"The merchant {deal.merchant} is excluded."
        if self.merchants and not any(_words_of(name) == merchant for name in self.merchants):
            return f"The merchant {deal.merchant} is not asked for."
        return None

    def _condition(self, deal: Deal) -> str | None:
        if deal.condition is None or not self.conditions or deal.condition in self.conditions:
            return None
        return f"Its condition, {deal.condition.value}, is not asked for."

    def _discount(self, discount_pct: float | None) -> str | None:
        if discount_pct is None or self.min_discount_pct is None or discount_pct >= self.min_discount_pct:
            return None
        return f"Its discount of {discount_pct:.0f}% is below the {self.min_discount_pct:.0f}% asked for."


def first_reason(filters: tuple[Filters | None, ...], item: Entry | Deal, **judged: Any) -> str | None:
    """The first reason that any of several filters (the feed's own, the overall ones) has to skip an item."""
    reasons = (one.reason_to_skip(item, **judged) for one in filters if one is not None)
    return next((reason for reason in reasons if reason), None)


def _claimed_discount(deal: Deal) -> float | None:
    list_price = deal.list_price
    if list_price is None or list_price.currency != deal.price.currency:
        return None
    return float((list_price.amount - deal.price.amount) / list_price.amount * 100)


def _words_of(text: str) -> str:
    """Lower case, without accents, words apart by single spaces."""
    flat = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return " ".join(re.findall(r"\w+", flat.lower()))
