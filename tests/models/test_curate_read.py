"""Raw records into candidates, or the reason why not."""

import json

import pytest

from models.data.curate.read import Candidate, Drop, read, read_price

RANGE = (0.5, 999.49)
KETTLE = {"title": "Acme Kettle", "price": 24.99, "description": "Boils water for tea and coffee."}


@pytest.mark.parametrize(
    ("written", "price"),
    [
        (12.99, 12.99),
        ("12.99", 12.99),
        ("$1,299.00", 1299.0),
        (" US$ 5 ", 5.0),
        ("15 USD", 15.0),
        (0, 0.0),
        ("from 12.99", None),
        ("12.99 - 19.99", None),
        ("—", None),
        ("None", None),
        ("", None),
        (None, None),
        (True, None),
        (float("nan"), None),
        ("1.2.3", None),
    ],
)
def test_a_price_is_one_number_or_none(written, price):
    assert read_price(written) == price


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"title": " "}, Drop.NO_TITLE),
        ({"title": None}, Drop.NO_TITLE),
        ({"price": None}, Drop.NO_PRICE),
        ({"price": "from 3"}, Drop.NO_PRICE),
        ({"price": 0.49}, Drop.PRICE),
        ({"price": 999.5}, Drop.PRICE),
        ({"price": -4}, Drop.PRICE),
        ({"title": "防水ケース 黒", "description": "とても丈夫で軽いケースです。"}, Drop.SCRIPT),
    ],
)
def test_what_cannot_be_used_has_a_reason(change, reason):
    assert read(KETTLE | change, prices=RANGE) is reason


@pytest.mark.parametrize("raw", [None, 3, "text", ["a"]])
def test_what_is_no_record_is_told(raw):
    assert read(raw, prices=RANGE) is Drop.UNREADABLE


def test_a_record_of_amazon_reviews_2023():
    found = read(
        {
            "parent_asin": "B01",
            "title": "Acme&nbsp;Kettle <b>1.7 L</b>",
            "description": ["Boils water.", "Boils water."],
            "features": ["Quiet", "Cordless"],
            "details": json.dumps({"Color": "Red", "Best Sellers Rank": {"Kitchen": 12}, "Voltage": "120 V"}),
            "price": "24.99",
            "store": "Acme",
            "main_category": "Amazon Home",
        },
        prices=RANGE,
        category="Appliances",
    )
    assert isinstance(found, Candidate)
    assert (found.id, found.group, found.title) == ("B01", "B01", "Acme Kettle 1.7 L")
    assert found.description == "Boils water. Quiet Cordless Color: Red. Voltage: 120 V."
    assert (found.price, found.category, found.brand, found.kind) == (24.99, "Appliances", "Acme", "prose")


def test_a_text_does_not_tell_its_own_price():
    told = read(KETTLE | {"description": "Was $49.99, now only US$ 24.99 or 25 dollars. 2 cups."}, prices=RANGE)
    assert isinstance(told, Candidate)
    assert not {"49.99", "24.99", "25"} & set(told.description.replace(",", " ").split())
    assert "2 cups" in told.description


def test_a_record_of_our_own_keeps_what_it_says():
    ours = {
        "id": "x1",
        "desc_kind": "llm_summary",
        "vintage": "2021",
        "used": True,
        "group": "g",
        "split": "validation",
    }
    found = read(KETTLE | ours, prices=RANGE)
    assert isinstance(found, Candidate)
    kept = (found.id, found.kind, found.vintage, found.used, found.group, found.split)
    assert kept == ("x1", "llm_summary", 2021, True, "g", "dev")
