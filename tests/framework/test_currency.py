"""Exchange rates: the bank's file, the owner's own, and what is missing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from framework.currency import ECB_DAILY, RateMissing, Rates, RatesError, fetch_rates, parse_ecb
from framework.money import Money

FILE = b"""<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"
  xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
  <gesmes:subject>Reference rates</gesmes:subject>
  <Cube><Cube time="2026-11-20"><Cube currency="USD" rate="1.0800"/><Cube currency="GBP" rate="0.9000"/></Cube></Cube>
</gesmes:Envelope>"""


def test_the_daily_file_gives_dated_rates() -> None:
    asked: list[str] = []
    rates = fetch_rates(lambda url: asked.append(url) or FILE)
    assert asked == [ECB_DAILY]
    assert rates.day == date(2026, 11, 20)
    assert rates.convert(Money.of(100, "EUR"), "USD") == Money.of(108)
    assert rates.convert(Money.of(108), "EUR") == Money.of(100, "EUR")
    assert rates.convert(Money.of(90, "GBP"), "USD") == Money.of(108)
    assert rates.convert(Money.of(7, "CHF"), "CHF") == Money.of(7, "CHF")
    assert rates.said("EUR", "USD") == "1 EUR = 1.0800 USD, European Central Bank, 2026-11-20"


def test_a_currency_without_a_rate_is_named() -> None:
    with pytest.raises(RateMissing, match="from CHF to USD") as caught:
        parse_ecb(FILE).convert(Money.of(7, "CHF"), "USD")
    assert (caught.value.source, caught.value.target) == ("CHF", "USD")


def test_the_owners_rates_go_first() -> None:
    rates = parse_ecb(FILE).overridden({"USD": Decimal("1.2"), "CHF": Decimal("0.95")}, date(2026, 11, 23))
    assert rates.convert(Money.of(10, "EUR"), "USD") == Money.of(12)
    assert rates.convert(Money.of(9.5, "CHF"), "EUR") == Money.of(10, "EUR")
    assert "the owner" in rates.said("EUR", "USD")


def test_an_amount_never_becomes_nothing() -> None:
    rates = Rates(day=date(2026, 1, 1), per_base={"JPY": Decimal(170)})
    assert rates.convert(Money.of(1, "JPY"), "EUR") == Money.of("0.01", "EUR")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>moved</html>",
        b"not xml",
        b"<Cube/>",
        FILE.replace(b"1.0800", b"much"),
        FILE.replace(b"1.0800", b"NaN"),
        FILE.replace(b"1.0800", b"-1"),
        FILE.replace(b"2026-11-20", b"yesterday"),
        b'<!DOCTYPE x [<!ENTITY a "b">]>' + FILE,
        FILE + b" " * 1_000_001,
    ],
)
def test_what_is_not_the_daily_file_is_a_typed_error(content: bytes) -> None:
    with pytest.raises(RatesError, match=r"rates are left as they were|no usable rates"):
        parse_ecb(content)
