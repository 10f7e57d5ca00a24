"""From amounts with roles to an offer: price, list price, market price, quantity, each with the words it came from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from framework.money import Money
from framework.reading.role import Role
from framework.reading.roles import Priced

_CENT = Decimal("0.01")
_TO_THE_DOLLAR = Decimal("0.51")  # how far a price rounded to the dollar may be from the true one
_TO_FIVE_CENTS = Decimal("0.11")
_SHARE = Decimal("0.005")  # "$700 or less" for $697.99


@dataclass(frozen=True)
class Offer:
    """What a text offers. ``certain`` says that there was one candidate for the price and nothing spoke against it."""

    price: Money
    quantity: int = 1
    list_price: Money | None = None
    market_price: Money | None = None
    evidence: tuple[str, ...] = ()
    certain: bool = False


def span(text: str, item: Priced, around: int = 32) -> str:
    """The words around an amount, cut at spaces: the evidence for what was read."""
    start = max(0, item.amount.start - around)
    end = min(len(text), item.amount.end + around)
    words = text[start:end].replace("\n", " ")
    if start > 0:
        words = words.split(" ", 1)[-1]
    if end < len(text) and " " in words:
        words = words.rsplit(" ", 1)[0]
    return words.strip()


def consistent(stated: Decimal, rounded: Decimal) -> bool:
    """Whether a price may be the unrounded form of another: titles round to the dollar, cheap ones to five cents."""
    tolerance = _TO_THE_DOLLAR if rounded == rounded.to_integral_value() else _TO_FIVE_CENTS
    return abs(stated - rounded) <= max(tolerance, rounded * _SHARE)


def computed_sums(text: str, priced: list[Priced]) -> list[tuple[Priced, Decimal]]:
    """What sums without a stated result come to: "$71.76 - 33% - 5%" and "$30.58 - $11", each with its start."""
    sums = []
    for item in priced:
        if item.role is Role.BEFORE:
            value = _chain(item.value, text[item.amount.end : item.amount.end + 160])
            if value is not None and 0 < value < item.value:
                sums.append((item, value))
    return sums


_STEP = re.compile(
    r"[-–−]\s*(?:an? )?(?:extra\s|additional\s|~)?(?:[$€£]\s?(\d{1,6}(?:[.,]\d{1,2})?)|(\d{1,2}(?:\.\d+)?)\s?%)"
)
_END_OF_SUM = re.compile(r"[=\n]|\.\s|(?i:shipping)")


def _chain(start: Decimal, following: str) -> Decimal | None:
    """Apply "- $3", "- 40%" one after another, as far as the sum goes."""
    if end := _END_OF_SUM.search(following):
        following = following[: end.start()]
    value, steps = start, 0
    for step in _STEP.finditer(following):
        off = Decimal(step[1].replace(",", ".")) if step[1] else start * Decimal(step[2]) / 100
        value, steps = value - off, steps + 1
    return value.quantize(_CENT, ROUND_HALF_UP) if steps else None


def price_in_content(text: str, priced: list[Priced], rounded: Decimal | None) -> tuple[Decimal, Priced] | None:
    """The price that the content states: one that the title's rounded price may stand for, if the title has one.

    Without a title price only an amount counts whose words say that it is the price, or the result of a sum.
    """
    results = [(item.value, item) for item in priced if item.role is Role.RESULT]
    sums = [(value, item) for item, value in computed_sums(text, priced)]
    paid = [(item.value, item) for item in priced if item.role is Role.PAID]
    if rounded is not None:
        for candidates in (results, paid, sums):
            fitting = [candidate for candidate in candidates if consistent(candidate[0], rounded)]
            if fitting:
                return min(fitting, key=lambda candidate: abs(candidate[0] - rounded))
        return None
    strong = [candidate for candidate in paid if candidate[1].strong or _opens_a_line(text, candidate[1])]
    return next(iter(results[:1] or sums[:1] or strong[:1]), None)


def _opens_a_line(text: str, item: Priced) -> bool:
    """ "39€ - Outlet Moto": a price at the head of the post."""
    return item.amount.start <= 3


def list_price_in(priced: list[Priced], price: Decimal) -> tuple[Decimal, Priced] | None:
    """The list price that a text claims, or what the stated gap to it makes it."""
    stated = [item for item in priced if item.role is Role.LIST and price < item.value <= price * 40]
    if stated:
        return stated[0].value, stated[0]
    gaps = [item for item in priced if item.role in (Role.LIST_GAP, Role.BOTH_GAP)]
    return (price + gaps[0].value, gaps[0]) if gaps else None


def market_price_in(priced: list[Priced], price: Decimal) -> tuple[Decimal, Priced] | None:
    """The lowest price elsewhere that a text states, or what the stated gap to it makes it."""
    stated = [item for item in priced if item.role is Role.MARKET and price < item.value <= price * 40]
    if stated:
        return stated[0].value, stated[0]
    gaps = [item for item in priced if item.role in (Role.MARKET_GAP, Role.BOTH_GAP)]
    return (price + gaps[0].value, gaps[0]) if gaps else None
