"""The extractive reader as a whole: fields, page, description, robustness."""

from __future__ import annotations

import pytest

from framework.deals import Entry, ReaderName, ReadingVerdict
from framework.money import Money
from framework.reading.base import Reader
from framework.reading.description import LONGEST
from framework.reading.extractive import ExtractiveReader
from framework.reading.pages import Page, PageKind
from tests.framework.reading.entries import entry

READER = ExtractiveReader()


def test_a_feeds_own_price_field_comes_before_the_rounded_title() -> None:
    fields = {"dealnews__price": "7.46", "dealnews__price___currency": "USD", "dealnews__retailer": "Macy's"}

    reading = READER.read_one(entry("Men's Shirt for $7 + free shipping w/ $39", "down from $50", **fields))

    assert reading.deal is not None
    assert reading.deal.price == Money.of("7.46")
    assert reading.deal.list_price == Money.of(50)
    assert reading.deal.merchant == "Macy's"
    assert (reading.reader, reading.certain) == (ReaderName.STRUCTURED, True)


def test_a_price_attribute_in_another_locale_is_a_field_too() -> None:
    reading = READER.read_one(
        entry("Câble USB-C, 2 mètres", pepper__merchant___name="Amazon", pepper__merchant___price="6,99€")
    )

    assert reading.deal is not None
    assert reading.deal.price == Money.of("6.99", "EUR")
    assert reading.deal.merchant == "Amazon"


def test_a_field_that_is_no_price_is_passed_over() -> None:
    reading = READER.read_one(entry("Drill $79", dealnews__price="see site"))

    assert reading.deal is not None
    assert reading.deal.price == Money.of(79)


def test_a_page_gives_the_price_that_the_post_lacks() -> None:
    page = Page(
        url="https://shop.example.com/p",
        kind=PageKind.PRODUCT,
        price=Money.of(45),
        brand="ACME",
        image="https://i.example.com/1.jpg",
    )

    reading = READER.read_one(entry("Executive Anvil"), page)

    assert reading.deal is not None
    assert (reading.deal.price, reading.deal.brand, reading.reader) == (Money.of(45), "ACME", ReaderName.STRUCTURED)


def test_a_page_does_not_overrule_the_price_with_the_coupon() -> None:
    page = Page(url="https://shop.example.com/p", kind=PageKind.PRODUCT, price=Money.of("39.99"))

    reading = READER.read_one(entry("Milk Frother $10 w/ code FROTH75"), page)

    assert reading.deal is not None
    assert reading.deal.price == Money.of(10)


def test_a_page_gives_the_cents_of_a_rounded_title() -> None:
    page = Page(url="https://shop.example.com/p", kind=PageKind.PRODUCT, price=Money.of("699.99"))

    reading = READER.read_one(entry('55" TV $700'), page)

    assert reading.deal is not None
    assert reading.deal.price == Money.of("699.99")


@pytest.mark.parametrize("kind", [PageKind.LISTING, PageKind.ARTICLE, PageKind.BLOCKED])
def test_a_page_that_is_no_product_page_leaves_the_entry_without_a_price(kind: PageKind) -> None:
    reading = READER.read_one(entry("Executive Anvil"), Page(url="https://shop.example.com/", kind=kind))

    assert reading.verdict is ReadingVerdict.FAILED
    assert "No price found" in reading.reason
    assert kind.value in reading.reason


@pytest.mark.parametrize(
    ("title", "needed"),
    [
        ("Executive Anvil", True),
        ("Executive Anvil $45", False),
        ("Anvil Sale: Up to 60% off", False),
        ("Anvils from $9", False),
    ],
)
def test_a_page_is_asked_for_only_where_it_can_help(title: str, needed: bool) -> None:
    assert READER.needs_page(entry(title)) is needed
    assert READER.needs_page(entry(title).model_copy(update={"url": None})) is False


def test_one_reading_per_entry_in_order() -> None:
    reader: Reader = READER
    batch = [entry("Drill $79"), entry("Anvil").model_copy(update={"id": "e2"}), entry("Sale: up to 50% off")]
    pages = {"e2": Page(url="https://x.example.com/", kind=PageKind.PRODUCT, price=Money.of(45))}

    readings = reader.read(batch, pages)

    assert [reading.entry for reading in readings] == batch
    assert [reading.deal.price if reading.deal else None for reading in readings] == [Money.of(79), Money.of(45), None]


def test_one_price_in_the_title_is_certain_and_several_are_not() -> None:
    assert READER.read_one(entry("Drill $79 + Free S&H on $35+")).certain
    assert not READER.read_one(entry("Hub Kit: Base Game $2.25, Deluxe Edition $2.75")).certain
    assert not READER.read_one(entry("Drill $79 & More")).certain


def test_a_bare_dollar_on_an_australian_site_is_australian() -> None:
    post = entry("Headphones $89 Delivered @ Some Shop").model_copy(
        update={"feed_url": "https://www.ozbargain.com.au/feed"}
    )

    deal = READER.read_one(post).deal

    assert deal is not None
    assert deal.price.currency == "AUD"


def test_the_description_is_the_product_without_the_offer() -> None:
    content = (
        "<p>ToolCo [toolco.com] has for <b>Prime Members: WorkCo 20V MAX Brushless Drill Kit (DCD777)</b> "
        "on sale for $99.99 - $20 with code SAVE20 = <b>$79.99</b>. Shipping is free.</p>"
        "<ul><li>Two 1.5Ah batteries</li><li>0 to 1750 RPM</li>"
        "<li>Ships from Amazon</li></ul>"
    )

    deal = READER.read_one(entry("Select Accts: WorkCo 20V Drill Kit $80 + Free S&H", content)).deal

    assert deal is not None
    assert deal.title == "WorkCo 20V Drill Kit"
    assert deal.description.startswith("WorkCo 20V Drill Kit")
    assert all(words in deal.description for words in ("Brushless", "DCD777", "Two 1.5Ah batteries", "0 to 1750 RPM"))
    assert not any(words in deal.description for words in ("$", "SAVE20", "Shipping", "Prime", "Ships", "toolco.com"))


@pytest.mark.parametrize(
    ("title", "product"),
    [
        ("Costco Members: Fire Extinguisher (3-A:40-BC) $30 + Free S&H", "Fire Extinguisher (3-A:40-BC)"),
        ("Echo Show 8 for $89.99", "Echo Show 8"),
        ("12-Oz Soda 3 for $14.75 w/ S&S", "12-Oz Soda"),
        ("Take 40% off this Ninja Blender: $59.99 shipped", "Ninja Blender"),
        ("Apple Watch Ultra 2 drops to $649.99 (Reg. $799)", "Apple Watch Ultra 2"),
        ("Buy 2 for $50: Levi's 501 Jeans", "Levi's 501 Jeans"),
        ("3/$10 Gatorade 28-Oz", "Gatorade 28-Oz"),
        ("[PS5] Some Game $29 + Delivery", "Some Game (PS5)"),
        ("Logitech MX Master 3S - Maus für 59,99 €", "Logitech MX Master 3S - Maus"),
        ("12-Ct Markers (Black) + $2 Store Cash $6.80 w/ S&S", "12-Ct Markers (Black)"),
    ],
)
def test_the_title_of_a_deal_is_the_product(title: str, product: str) -> None:
    deal = READER.read_one(entry(title)).deal

    assert deal is not None
    assert deal.title == product


@pytest.mark.parametrize(
    "text",
    [
        "A" * 200_000,
        "$1 " * 60_000,
        "$5 - " * 40_000,
        "up to " * 40_000 + "$5",
        "prime members " * 15_000 + ": x $5",
        "<b>" * 40_000 + "TV $5",
        "[*]" * 60_000,
        "TV \u202e$5\u202c \u200b\x00\x07 \ud800",
        "(" * 100_000,
        "",
        "\n \t",
    ],
)
def test_hostile_text_is_read_without_harm(text: str) -> None:
    reading = READER.read_one(entry(text, text))

    assert reading.verdict in ReadingVerdict
    if reading.deal:
        assert len(reading.deal.description) <= LONGEST
        assert not any(mark in reading.deal.title for mark in "\u202e\u200b\x00\ud800")


def test_an_entry_without_url_is_read_and_stays_without() -> None:
    deal = READER.read_one(Entry(id="1", feed_url="https://f.example.com", title="Drill $79")).deal

    assert deal is not None
    assert deal.url is None


def test_a_title_that_leads_with_the_saving_is_about_what_stands_between_the_amounts() -> None:
    reading = READER.read_one(entry('$50 off Galaxy Tab A11+ 11" Android Tablet: $199.99 in cart'))

    assert reading.deal is not None
    assert reading.deal.price == Money.of("199.99")
    assert reading.deal.title == 'Galaxy Tab A11+ 11" Android Tablet'


def test_a_bonus_with_a_plus_before_it_is_not_the_price() -> None:
    reading = READER.read_one(entry('Partner Store: 65" OLED 4K TV + Soundbar + $200 Fanatics $1260 + Free S&H'))

    assert reading.deal is not None
    assert reading.deal.price == Money.of(1260)
