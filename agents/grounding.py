"""Is what a language model says of an entry borne out by the entry?

Nothing here trusts the model: a price must be written in the source, in the role of a price, or follow by a sum of
amounts that are written there; a description must be made of the source's words, with every number of it. All pure
functions.
"""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from framework.deals import Condition, Kind
from framework.money import Money
from framework.reading.amounts import LARGEST, Amount
from framework.reading.offers import span
from framework.reading.roles import Priced, Role, read_roles

_CENT = Decimal("0.01")
_PRICE_ROLES = frozenset({Role.PAID, Role.RESULT, Role.BEFORE})
_WORD = re.compile(r"[^\W_]+(?:[.'/-][^\W_]+)*")
_URL = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
# Words that show in a title that it is no single product; a claim of that kind without any of them is not believed.
_CUES = {
    Kind.MANY: r"up to|from [$€£]|sale|select|various|assorted|% off|clearance|deals|more|multiple|or|starting|each"
    r"|\d+ for",
    Kind.GIFT_CARD: r"gift|card|egift|voucher|credit",
    Kind.SERVICE: r"subscription|plans?|months?|mo|years?|yr|member(?:ship)?|tickets?|flights?|hotel|nights?"
    r"|insurance|service|trial|course|pass|stream\w*|rental|cruise|trip|tour|license|vpn|account|bonus|stay",
    Kind.RESTAURANT: r"restaurants?|pizza|burgers?|meal|coffee|sandwich|bogo|buy|fries|donuts?|tacos?|chicken|menu"
    r"|delivery|sub",
    Kind.FREEBIE: r"free(?! (?:shipping|delivery|returns|s&h|s/h|store|pickup|w/))|\$0|giveaway|sample",
    Kind.COUPON: r"coupons?|code|% off|[$€£]\d+ off|off|cash ?back|promo",
    Kind.OTHER: r"\?|psa|how|what|why|when|review|news|giveaway|sweepstakes|win|discussion|guide|tips|vs",
}
_CONDITIONS = {
    Condition.NEW: r"new",
    Condition.OPEN_BOX: r"open[- ]?box",
    Condition.REFURBISHED: r"refurb\w*|renewed|recondition\w*|remanufactured",
    Condition.USED: r"used|pre-?owned|second[- ]?hand",
}


@dataclass(frozen=True)
class Source:
    """The plain text of one entry, and what a bare dollar sign means there."""

    title: str
    body: str = ""
    page: str = ""
    currency: str = "USD"

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(part for part in (self.title, self.body, self.page) if part)


@dataclass(frozen=True)
class Support:
    """Where a price stands in the source."""

    money: Money
    evidence: str
    in_title: bool


def find_price(source: Source, price: float | None, arithmetic: str = "") -> Support | None:
    """The support for a claimed price, ``None`` when the source does not bear it out."""
    value = _amount(price)
    if value is None:
        return None
    for text, in_title in ((source.title, True), (source.body, False), (source.page, False)):
        for item in read_roles(text, dollar=source.currency):
            if item.role in _PRICE_ROLES and _same(item.amount.value, value):
                return Support(Money.of(value, item.amount.currency), span(text, item), in_title)
    return _by_arithmetic(source, value, arithmetic)


def find_list_price(source: Source, price: float | None, paid: Money) -> Money | None:
    """A claimed earlier price, if that amount is written and more than what is paid now."""
    value = _amount(price)
    if value is None or value <= paid.amount:
        return None
    written = any(
        _same(item.amount.value, value) and item.amount.currency == paid.currency
        for item in read_roles(source.text, dollar=source.currency)
        if item.role in _PRICE_ROLES | {Role.LIST, Role.HISTORY}
    )
    return Money.of(value, paid.currency) if written else None


def kind_shows(title: str, kind: Kind) -> bool:
    """Whether the title has a word that shows this kind."""
    return kind in _CUES and re.search(rf"(?:^|\W)(?:{_CUES[kind]})(?:\W|$)", title, re.IGNORECASE) is not None


def condition_shows(title: str, condition: Condition | None) -> bool:
    """Whether the title states this condition."""
    return condition is not None and re.search(rf"\b(?:{_CONDITIONS[condition]})\b", title, re.IGNORECASE) is not None


def quantity_shows(title: str, quantity: int) -> bool:
    """Whether the title sells so many items for one price ("2 for $30", "buy 3", "4 x")."""
    return (
        1 < quantity <= 100
        and re.search(
            rf"\b{quantity} ?(?:for|x|×)\b|\b(?:buy|any|get) {quantity}\b|\b{quantity} (?:of|units|pieces)\b",
            title,
            re.IGNORECASE,
        )
        is not None
    )


def description_fits(source: Source, description: str) -> bool:
    """Whether a description is about the entry's product.

    Most of its words, and every one with a digit (sizes, models, capacities set the price), must stand in the source,
    and it must share words with the title. Links are never part of a product.
    """
    words = _words(description)
    if not words or _URL.search(description):
        return False
    known, title = _words(source.text), _words(source.title)
    foreign = words - known
    if any(char.isdigit() for word in foreign for char in word):
        return False
    return len(foreign) <= len(words) * 0.25 and len(words & title) >= min(2, len(title))


def _amount(price: float | None) -> Decimal | None:
    if price is None or not math.isfinite(price) or not 0 < price < LARGEST:
        return None
    value = Decimal(str(price)).quantize(_CENT)
    return value or None


def _same(one: Decimal, other: Decimal) -> bool:
    return abs(one - other) < _CENT / 2


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)}


def _by_arithmetic(source: Source, value: Decimal, arithmetic: str) -> Support | None:
    """The price as a sum of written amounts: ``a - b``, ``a + b``, ``a * n``, ``a * (100 - p) / 100``."""
    if not arithmetic or len(arithmetic) > 80:
        return None
    title = _Sums(source.title, source.currency)
    for sums in (title, _Sums(source.text, source.currency)):
        result = sums.evaluate(arithmetic)
        if result is not None and abs(result - value) <= _CENT:
            return Support(Money.of(value, sums.money), f"{arithmetic.strip()} = {value}", sums is title)
    return None


class _Sums:
    """Evaluates sums whose every operand is written in a text: amounts of money, counts and percentages."""

    def __init__(self, text: str, currency: str) -> None:
        items: list[Priced] = read_roles(text, dollar=currency)
        amounts: list[Amount] = [item.amount for item in items]
        self.money = amounts[0].currency if amounts else currency
        self._amounts = {amount.value for amount in amounts if amount.currency == self.money}
        self._percents = {Decimal(number) for number in re.findall(r"(\d{1,2}(?:\.\d)?) ?%", text)}
        self._counts = {Decimal(number) for number in re.findall(r"(?<![\d.,$€£])(\d{1,2})(?![\d.,%])", text)} - {
            Decimal(0)
        }

    def evaluate(self, arithmetic: str) -> Decimal | None:
        """The sum's value, ``None`` when it is no sum or an operand is not written."""
        try:
            tree = ast.parse(re.sub(r"[$€£]|(?<=\d),(?=\d{3})", "", arithmetic).strip(), mode="eval")
            return self._value(tree.body)
        except (SyntaxError, ValueError, InvalidOperation, RecursionError, MemoryError):
            return None

    def _value(self, node: ast.expr) -> Decimal:
        if isinstance(node, ast.Constant):
            return _member(node, self._amounts)
        if not isinstance(node, ast.BinOp):
            raise ValueError("no sum")  # noqa: TRY004 - one error for whatever is no sum
        if isinstance(node.op, ast.Add | ast.Sub):
            right = self._value(node.right)
            return self._value(node.left) + (right if isinstance(node.op, ast.Add) else -right)
        if isinstance(node.op, ast.Mult):
            return self._value(node.left) * _member(node.right, self._counts)
        return self._percent_off(node)

    def _percent_off(self, node: ast.BinOp) -> Decimal:
        """``a * (100 - p) / 100`` and ``a * p / 100``, p a written percentage."""
        product = node.left
        if not (
            isinstance(node.op, ast.Div)
            and _is_hundred(node.right)
            and isinstance(product, ast.BinOp)
            and isinstance(product.op, ast.Mult)
        ):
            raise ValueError("no sum")
        factor = product.right
        if isinstance(factor, ast.BinOp) and isinstance(factor.op, ast.Sub) and _is_hundred(factor.left):
            share = 100 - _member(factor.right, self._percents)
        else:
            share = _member(factor, self._percents)
        return self._value(product.left) * share / 100


def _is_hundred(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 100


def _member(node: ast.expr, written: set[Decimal]) -> Decimal:
    if not isinstance(node, ast.Constant) or isinstance(node.value, bool) or not isinstance(node.value, int | float):
        raise ValueError("no number")  # noqa: TRY004
    value = Decimal(str(node.value))
    if not any(_same(value, other) for other in written):
        raise ValueError("not written in the source")
    return value
