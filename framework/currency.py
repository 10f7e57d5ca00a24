"""Exchange rates with their date: the European Central Bank's daily file, or the owner's own rates.

The file is the one at ``ECB_DAILY``: amounts of each currency for one euro, on one day. Whoever fetches it passes the
fetch in, so that this module knows no HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from xml.etree import ElementTree

from pydantic import Field

from framework.deals import Value
from framework.errors import DealhoundError
from framework.money import Currency, Money

ECB_DAILY = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml"
_MAX_BYTES = 1_000_000


class RatesError(DealhoundError):
    """The rates cannot be read; the sentence says where they came from."""


class RateMissing(DealhoundError):
    """There is no rate between two currencies, so amounts in them cannot be compared."""

    def __init__(self, source: str, target: str) -> None:
        super().__init__(f"There is no exchange rate from {source} to {target}; set one or hunt in {target}")
        self.source = source
        self.target = target


class Rates(Value):
    """Units of each currency for one unit of ``base`` on ``day``; ``origin`` says whose rates they are."""

    base: Currency = "EUR"
    day: date
    per_base: dict[Currency, Decimal] = Field(default_factory=dict)
    origin: str = "European Central Bank"

    def rate(self, source: str, target: str) -> Decimal:
        """How many ``target`` one ``source`` buys.

        Raises ``RateMissing`` when either is not quoted.
        """
        if source == target:
            return Decimal(1)
        quoted = {**self.per_base, self.base: Decimal(1)}
        if source not in quoted or target not in quoted:
            raise RateMissing(source, target)
        return quoted[target] / quoted[source]

    def convert(self, money: Money, target: str) -> Money:
        """``money`` in ``target``, rounded to cents (at least one).

        Raises ``RateMissing`` when there is no rate.
        """
        exact = money.amount * self.rate(money.currency, target)
        return Money.of(max(exact, Decimal("0.01")), target)

    def overridden(self, own: Mapping[str, Decimal], day: date) -> Rates:
        """These rates with the owner's own in front; ``own`` gives units for one unit of ``base``."""
        if not own:
            return self
        merged = {**self.per_base, **own}
        return Rates(base=self.base, day=max(self.day, day), per_base=merged, origin=f"the owner and {self.origin}")

    def said(self, source: str, target: str) -> str:
        """The rate in words for a verdict: "1 EUR = 1.0850 USD, European Central Bank, 2026-11-20"."""
        return f"1 {source} = {self.rate(source, target):.4f} {target}, {self.origin}, {self.day.isoformat()}"


def fetch_rates(fetch: Callable[[str], bytes], url: str = ECB_DAILY) -> Rates:
    """Today's rates through ``fetch`` (its errors pass).

    Raises ``RatesError`` when the answer is not the bank's daily file.
    """
    return parse_ecb(fetch(url))


def parse_ecb(content: bytes) -> Rates:
    """The rates of an ECB daily file.

    Raises ``RatesError`` when it is no such file. Document types are refused: they are not used by the bank, and are
    how XML bombs are built.
    """
    if len(content) > _MAX_BYTES or b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise RatesError(
            "The exchange rates are not the European Central Bank's daily file; rates are left as they were"
        )
    try:
        cubes = list(ElementTree.fromstring(content).findall(".//{*}Cube"))  # noqa: S314 - size and entities checked above
        day = next(date.fromisoformat(cube.attrib["time"]) for cube in cubes if "time" in cube.attrib)
        quotes = {c.attrib["currency"]: Decimal(c.attrib["rate"]) for c in cubes if "rate" in c.attrib}
    except (ElementTree.ParseError, StopIteration, KeyError, ValueError, InvalidOperation) as error:
        raise RatesError(
            "The European Central Bank's daily file cannot be read; rates are left as they were"
        ) from error
    if not quotes or not all(rate.is_finite() and rate > 0 for rate in quotes.values()):
        raise RatesError("The European Central Bank's daily file holds no usable rates; rates are left as they were")
    return Rates(day=day, per_base=quotes)
