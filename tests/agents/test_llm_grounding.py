"""What a model says is believed as far as the source bears it out."""

from __future__ import annotations

import pytest

from agents.grounding import (
    Source,
    condition_shows,
    description_fits,
    find_list_price,
    find_price,
    kind_shows,
    quantity_shows,
)
from framework.deals import Condition, Kind
from framework.money import Money

LAMP = Source("Lumo Desk Lamp L200 for $24.99 + free shipping", "Was $49.99. Save $10 with code LAMP10. Or 3 lamps.")


@pytest.mark.parametrize(
    ("source", "price", "arithmetic", "expected", "in_title"),
    [
        (LAMP, 24.99, "", "24.99", True),
        (LAMP, 14.99, "24.99 - 10", "14.99", False),
        (LAMP, 74.97, "24.99 * 3", "74.97", False),
        (Source("Chair $200, 25% off at checkout"), 150, "200 * (100 - 25) / 100", "150", True),
        (Source("Chair", "It is $1,299.00 now"), 1299, "", "1299", False),
        (Source("Stuhl für 1.299,00 €"), 1299, "", "1299", True),
        (Source("Mug", "", "Price: $8.50"), 8.5, "", "8.50", False),
    ],
)
def test_a_price_that_is_written_or_follows_is_supported(
    source: Source, price: float, arithmetic: str, expected: str, in_title: bool
) -> None:
    support = find_price(source, price, arithmetic)
    assert support is not None
    assert support.money.amount == Money.of(expected).amount
    assert support.in_title is in_title
    assert support.evidence


@pytest.mark.parametrize(
    ("source", "price", "arithmetic"),
    [
        (LAMP, 1.0, ""),  # from nowhere
        (LAMP, 10, ""),  # a saving, not a price
        (LAMP, 0.0, ""),
        (LAMP, -24.99, ""),
        (LAMP, float("nan"), ""),
        (LAMP, float("inf"), ""),
        (LAMP, 1e12, ""),
        (LAMP, None, "24.99 - 10"),
        (LAMP, 1.0, "24.99 / 24.99"),  # division of amounts can make any number
        (LAMP, 5.0, "24.99 - 19.99"),  # an operand from nowhere
        (LAMP, 249.9, "24.99 * 10"),  # 10 is an amount here, not a count
        (LAMP, 14.99, "24.99 - 10 - 0"),
        (LAMP, 14.99, "__import__('os').getpid()"),
        (LAMP, 14.99, "24.99 -" + " 10" * 40),
        (LAMP, 14.99, "(" * 70 + "1"),
        (LAMP, 2, "10 ** 3"),
        (Source("Chair $200, 25% off"), 100, "200 * (100 - 50) / 100"),
        (Source(""), 5, ""),
    ],
)
def test_a_price_from_nowhere_is_not(source: Source, price: float | None, arithmetic: str) -> None:
    assert find_price(source, price, arithmetic) is None


def test_the_currency_comes_from_the_source() -> None:
    support = find_price(Source("Lamp $30", currency="AUD"), 30)
    assert support is not None
    assert support.money == Money.of(30, "AUD")


def test_a_list_price_is_written_and_higher() -> None:
    paid = Money.of("24.99")
    assert find_list_price(LAMP, 49.99, paid) == Money.of("49.99")
    assert find_list_price(LAMP, 99.99, paid) is None
    assert find_list_price(LAMP, 10, paid) is None
    assert find_list_price(LAMP, None, paid) is None


@pytest.mark.parametrize(
    ("description", "fits"),
    [
        ("Lumo Desk Lamp L200", True),
        ("Lumo L200 lamp", True),
        ("Lumo Desk Lamp L900", False),  # a model number of the model's own
        ("Lumo Desk Lamp L200 with 16 GB", False),
        ("Apple MacBook Pro laptop computer", False),
        ("Lumo Desk Lamp L200 http://attacker.invalid", False),
        ("", False),
        ("lamps", False),
    ],
)
def test_a_description_is_made_of_the_sources_words(description: str, fits: bool) -> None:
    assert description_fits(LAMP, description) is fits


def test_kind_condition_and_quantity_must_show_in_the_title() -> None:
    assert kind_shows("Up to 60% off shoes", Kind.MANY)
    assert not kind_shows(LAMP.title, Kind.GIFT_CARD)
    assert not kind_shows("Free lamp", Kind.PRODUCT)
    assert condition_shows("Refurbished lamp", Condition.REFURBISHED)
    assert not condition_shows("Lamp", Condition.USED)
    assert not condition_shows("Lamp", None)
    assert quantity_shows("2 for $30 lamps", 2)
    assert not quantity_shows("12-pack markers", 12)
    assert not quantity_shows("1 for $30", 1)
