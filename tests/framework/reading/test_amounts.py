"""Prices in text, in any locale."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.reading.amounts import parse_price, parse_price_text, read_amounts


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("$1,299.00", "1299.00", "USD"),
        ("1.299,00 EUR", "1299.00", "EUR"),
        ("1 299,00 €", "1299.00", "EUR"),
        ("CHF 1'049.95", "1049.95", "CHF"),
        ("49,- €", "49.00", "EUR"),
        ("US $12.50", "12.50", "USD"),
        ("AU$ 1,175", "1175.00", "AUD"),
        ("R$ 1.250,50", "1250.50", "BRL"),
        ("£.75", "0.75", "GBP"),
        ("2963yen", "2963.00", "JPY"),
        ("4 500 руб.", "4500.00", "RUB"),
        ("1 250 Kč", "1250.00", "CZK"),
        ("12.500 OMR", "12.50", "OMR"),
        ("75¢", "0.75", "USD"),
        ("Was $120.00 Now $60.00", "60.00", "USD"),
        ("3 issues for only 14,85 EUR", "14.85", "EUR"),
        ("50 - $2.00 100 - $2.75", "2.00", "USD"),
        ("12 د.إ", "12.00", "AED"),
    ],
)
def test_a_price_string_is_read_in_its_locale(text: str, amount: str, currency: str) -> None:
    money = parse_price(text)

    assert money is not None
    assert (money.amount, money.currency) == (Decimal(amount), currency)


@pytest.mark.parametrize(
    "text",
    [
        None, "", "call us", "15.08.2017", "16.00 ft", "512 GB", "0,00 EUR", "Free!", "$0.00", "40% OFF",
        "$2,000,000.00",
        "9" * 500, "n/a", "{",
    ],
)  # fmt: skip
def test_no_price_is_none_and_never_zero(text: str | None) -> None:
    assert parse_price(text) is None


def test_a_hint_names_the_currency_of_a_bare_number() -> None:
    money = parse_price("19.90", "EUR")

    assert money is not None
    assert money.currency == "EUR"


def test_letters_within_a_word_are_no_currency() -> None:
    assert parse_price_text("Код товара: 884").symbol is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("was $1,299.00, now $999", [("1299.00", "USD"), ("999", "USD")]),
        ("6,99€ statt 12,99 €", [("6.99", "EUR"), ("12.99", "EUR")]),
        ("1.299,00 kr", [("1299.00", "SEK")]),
        ('RTX 4070 12GB 27" 16.1-inch M160H1', []),
        ("Rs. 1,499 only", [("1499", "INR")]),
        ("free shipping on $35+", [("35", "USD")]),
        ("$.99 each", [("0.99", "USD")]),
        ("$9,999,999,999", []),
    ],
)
def test_amounts_are_found_in_running_text(text: str, found: list[tuple[str, str]]) -> None:
    assert [(amount.value, amount.currency) for amount in read_amounts(text)] == [
        (Decimal(value), currency) for value, currency in found
    ]


def test_a_bare_dollar_is_what_the_site_means_by_it() -> None:
    assert [amount.currency for amount in read_amounts("$50 or US$40", dollar="AUD")] == ["AUD", "USD"]


@given(st.text(alphabet="$€£0123456789.,- xUSDkr%", max_size=200))
def test_every_amount_found_stands_where_it_says(text: str) -> None:
    for amount in read_amounts(text):
        assert text[amount.start : amount.end] == amount.text
        assert 0 <= amount.value < 1_000_000
