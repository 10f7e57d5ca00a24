"""What each amount in a deal text means: the price paid, told from all the others."""

from __future__ import annotations

from decimal import Decimal

import pytest

from framework.deals import ReadingVerdict
from framework.money import Money
from framework.reading.extractive import ExtractiveReader
from framework.reading.role import Role
from framework.reading.roles import read_roles
from tests.framework.reading.entries import entry

Amounts = tuple[str | None, str | None, str | None, int]  # price, list price, market price, quantity


def amounts(title: str, content: str = "") -> Amounts:
    deal = ExtractiveReader().read_one(entry(title, content)).deal
    if deal is None:
        return None, None, None, 1

    def text(money: Money | None) -> str | None:
        return str(money.amount) if money else None

    return text(deal.price), text(deal.list_price), text(deal.market_price), deal.quantity


@pytest.mark.parametrize(
    ("title", "price"),
    [
        ("Philips Sonicare 4300 £49.99 @ Some Shop", "49.99"),
        ("Bosch Akkuschrauber für 79,99€ inkl. Versand (statt 99€)", "79.99"),
        ("LG C4 65-inch OLED: was $2,699 now $1,396 at Best Buy", "1396.00"),
        ('Dell 27" S2722QC 4K Monitor $299.99 + Free S&H on $35+', "299.99"),
        ("Bosch 18V Drill for $79 + free shipping w/ $39", "79.00"),
        ("$50 off Dyson V8 Vacuum: now $299", "299.00"),
        ("Save $50 on Sony WH-1000XM5, now $299", "299.00"),
        ("Anker 737 Power Bank $89.99 after $20 coupon", "89.99"),
        ("Ecobee Thermostat $149.99 after $100 utility rebate", "149.99"),
        ("Samsung 2TB 990 Pro $129.99 + $20 Newegg gift card", "129.99"),
        ('TCL 55" TV $499.99 w/ free $100 gift card', "499.99"),
        ("Xbox Series X 1TB $449 or $37.42/mo for 12 months", "449.00"),
        ("AirPods Pro $199 + $5.99 shipping", "199.00"),
        ("AA Batteries 48-Ct $12.99 ($0.27/each)", "12.99"),
        ("[GPU] MSI RTX 4070 - $549.99 ($579.99 - $30 MIR)", "549.99"),
        ("Cordless Vacuum $30.58 - $11 = $19.58", "19.58"),
        ("Cordless Vacuum $30.58 - $11", "19.58"),
        ("Price drop: $129 → $99 Kindle Paperwhite", "99.00"),
        ("Kindle Paperwhite $129 now $99", "99.00"),
        ("50% off: Instant Pot Duo 6-Qt $49.99", "49.99"),
        ("Bose QC45 $179 (Save $150)", "179.00"),
        ("Garlic Press 10.65", "10.65"),
        ("Mug w/ Wood Handle 2.95 + Store Pickup", "2.95"),
        ("Fitness Tracker $76 or less + Free S&H", "76.00"),
        ("Gluten-Free Bread 24-Oz $5 w/ S&S", "5.00"),
        ("Sennheiser Momentum 4 - 1.299,00 kr", "1299.00"),
        ("HDMI Cable 6-Ft 75¢", "0.75"),
    ],
)
def test_the_price_paid_is_told_from_the_other_amounts(title: str, price: str) -> None:
    assert amounts(title)[0] == price


@pytest.mark.parametrize(
    ("title", "content", "listed", "market"),
    [
        ("Drill $79 (was $199)", "", "199.00", None),
        ("Drill $79 (reg. $99.99)", "", "99.99", None),
        ("OneBlade £79 (RRP £149.99)", "", "149.99", None),
        ("Monitor 79,00 € statt 399,00 €", "", "399.00", None),
        ("Brush $79 ($40 off list)", "", "119.00", None),
        ("Castle for $79", "That's $47 off the list price.", "126.00", None),
        ("Castle for $79", "It is $11.03 lower (53% savings) than the list price of $90.03.", "90.03", None),
        ("Laptop for $79", "This is $375 off the regular price of $454.", "454.00", None),
        (
            "Shoes for $79",
            "down from the $180 list price, and the lowest price we could find by $26",
            "180.00",
            "105.00",
        ),
        ("Kindle for $79", "You'd pay $99 elsewhere.", None, "99.00"),
        ("Kindle for $79", "You'd pay $34 more elsewhere.", None, "113.00"),
        ("Kindle for $79", "It's $25 less than what you'd pay elsewhere.", None, "104.00"),
        ("Kindle for $79", "That's a low by $20.", None, "99.00"),
        ("Kindle for $79", "Save $53 off both list and typical prices.", "132.00", "132.00"),
        (
            "Kindle for $79",
            "Save $4 compared to the typical price and $9 compared to the list price.",
            "88.00",
            "83.00",
        ),
        ("Kindle for $79", "That's a savings of $20.", None, None),
        ("Refurb Kindle for $79", "That's $60 cheaper than what you'd pay for a brand-new one.", None, None),
        ("Kindle for $79", "It was $50 in our previous post.", None, None),
    ],
)
def test_claimed_list_and_market_prices_are_read(
    title: str, content: str, listed: str | None, market: str | None
) -> None:
    assert amounts(title, content)[1:3] == (listed, market)


@pytest.mark.parametrize(
    ("title", "price", "quantity"),
    [
        ("Tide Pods 2 for $30", "30.00", 2),
        ("Hanes T-Shirts 10 for $25 + Free S&H", "25.00", 10),
        ("24-Ct Markers $7", "7.00", 1),
        ("Echo Show 8 for $89.99", "89.99", 1),
        ("PlayStation 5 for $399", "399.00", 1),
        ("Nintendo Switch 2 for $427", "427.00", 1),
        ("AirPods 4 for $99", "99.00", 1),
        ("Portal 2 (PC) 2 for $3", "3.00", 2),
        ("Far Cry 4 (PS4 Digital) for $3", "3.00", 1),
        ("Buy 2 for $50: Levi's 501 Jeans", "50.00", 2),
        ("3/$10 Gatorade 28-Oz", "10.00", 3),
        ("Sugar-Free Gum 3 for $4.50", "4.50", 3),
    ],
)
def test_the_quantity_is_what_the_price_buys(title: str, price: str, quantity: int) -> None:
    assert amounts(title)[0] == price
    assert amounts(title)[3] == quantity


@pytest.mark.parametrize(
    ("content", "price"),
    [
        ("Amazon has *Markers* on sale for $7.18 - 5% with Subscribe & Save = *$6.82*. Free shipping on $35+", "6.82"),
        ("Amazon has Markers for $9.04 - 20% with the coupon - 5% with S&S. Shipping is free.", "6.78"),
        ("Walmart has Markers for *$6.84*. Previous Frontpage Deal at $6.80 with 34 Deal Score", "6.84"),
        ("Great for school. Ships free over $6.79.", "6.80"),
        ("Amazon has Markers for $7.02 - 5% with S&S = $6.67.", "6.80"),
        ("Another store has them for $12.", "6.80"),
    ],
)
def test_a_rounded_title_price_is_taken_to_the_cent_from_the_content(content: str, price: str) -> None:
    assert amounts("Markers $6.80", content)[0] == price


def test_without_a_price_in_the_title_the_content_must_say_that_it_is_one() -> None:
    assert amounts("Casque Moto LS2", "<strong>39€ - Outlet Moto</strong><br>Coque en résine")[0] == "39.00"
    assert amounts("Laser Printer", "Price: $119.99 shipped")[0] == "119.99"
    assert amounts("Laser Printer", "I paid a friend about $40 once, and toner is 90 cents a page")[0] is None


def test_evidence_is_quoted_from_the_source() -> None:
    reading = ExtractiveReader().read_one(entry("Drill $79 (was $199)"))

    assert reading.deal is not None
    assert any("$79" in words for words in reading.deal.evidence)
    assert all(words in "Drill $79 (was $199)" for words in reading.deal.evidence)


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("$17.10 - $17.89", [Role.FROM, Role.UP_TO]),
        ("$30.58 - $11", [Role.BEFORE, Role.DISCOUNT]),
        ("spend $100, get $30 off", [Role.THRESHOLD, Role.DISCOUNT]),
        ("from $9", [Role.FROM]),
        ("up to $400 off", [Role.UP_TO]),
        ("$15/month", [Role.RECURRING]),
        ("all-time low of $20", [Role.HISTORY]),
        ("$3.15 per pound", [Role.UNIT]),
        ("earn $10 in points", [Role.CREDIT]),
    ],
)
def test_each_amount_has_its_role(text: str, roles: list[Role]) -> None:
    assert [item.role for item in read_roles(text)] == roles


def test_an_amount_out_of_all_reason_is_no_price() -> None:
    for title in ("TV $0", "TV $0.00", "TV $99,999,999", "TV $1,000,000,000,000"):
        assert ExtractiveReader().read_one(entry(title)).verdict is not ReadingVerdict.DEAL
    assert Decimal(amounts("TV $999,999")[0] or 0) == 999_999


@pytest.mark.parametrize(
    ("title", "price"),
    [
        ("Xbox Series S $249.99 at Some Shop", "USD 249.99"),
        ("Vitamin C $12 at Some Shop", "USD 12.00"),
        ("Garden Chair R $20", "USD 20.00"),
        ("Steel kettle S$45", "SGD 45.00"),
        ("C $20 phone case", "CAD 20.00"),
        ("Steel kettle AU $45", "AUD 45.00"),
    ],
)
def test_a_letter_before_the_dollar_sign_names_a_country_only_where_it_touches_it_or_begins(
    title: str, price: str
) -> None:
    deal = ExtractiveReader().read_one(entry(title)).deal
    assert deal is not None
    assert f"{deal.price.currency} {deal.price.amount}" == price
