"""One product, or something that no price guide can value."""

from __future__ import annotations

import pytest

from framework.deals import Condition, Kind, ReadingVerdict
from framework.reading.extractive import ExtractiveReader
from framework.reading.titles import condition_of
from tests.framework.reading.entries import entry

KINDS = [
    ("$50 Coffee House eGift Card (Email Delivery) $42", Kind.GIFT_CARD),
    ("$100 Amazon gift card for $90", Kind.GIFT_CARD),
    ("12-Month Unlimited Mobile Plan w/ 10GB Data $120", Kind.SERVICE),
    ("Caribbean Cruise: From $808 for 2", Kind.SERVICE),
    ("Round Trip Flight: Boston to Lisbon $399", Kind.SERVICE),
    ("Movie Tickets and Popcorn: $16", Kind.SERVICE),
    ("3-Month Game Pass Ultimate Subscription $30", Kind.SERVICE),
    ("New Wireless Customers: Phone w/ New Line & Port-in $40", Kind.SERVICE),
    ("Haircut Coupon $5 Off", Kind.SERVICE),
    ("Taco Bell: Burrito $1 + Free Pickup", Kind.RESTAURANT),
    ("Any Footlong Sub B1G1 Free at Subway Restaurants", Kind.RESTAURANT),
    ("Some Adventure Game (PC Digital Download) Free", Kind.FREEBIE),
    ("Sampler Box Free to Claim", Kind.FREEBIE),
    ("Free: 40 Weeknight Dinners (Kindle eBook)", Kind.FREEBIE),
    ("Running Shoes from $49 + Free S&H", Kind.MANY),
    ("3D Printer Filament (various) from 10 for $73.85", Kind.MANY),
    ("Winter Sale: Up to 70% off", Kind.MANY),
    ("Toy Clearance at Target: Up to 35% off", Kind.MANY),
    ("Windows PC Deals at Best Buy: Up to 40% off", Kind.MANY),
    ("Select Styles Extra 25% Off + Free S&H on $50+", Kind.MANY),
    ("Phone Case Sale: Slim Case $4 & More", Kind.MANY),
    ("Digital Games: First One $9, Second One $8 & Many More", Kind.MANY),
    ('Pans: 9" Grill Pan $10, 10" Skillet $9 & More', Kind.MANY),
    ("Spend $100, Get $30 Off", Kind.COUPON),
    ("Buy 3 Get 3 Free Fishing Lures", Kind.COUPON),
    ("Bright 2BR/1BA near the lake $2150", Kind.SERVICE),
    ("Popular Photography $4.75/year", Kind.SERVICE),
    ("Why is my power bank not charging??", Kind.OTHER),
    ("10x Tablets 180mg $4.99, 192x Tablets 200mg $13.99 Delivered & More @ Some Pharmacy", Kind.MANY),
    ("Daily Draw Giveaway: Enter Now for a Chance to Win", Kind.OTHER),
]


@pytest.mark.parametrize(("title", "kind"), KINDS)
def test_what_is_no_single_product_is_skipped_with_its_kind_and_a_reason(title: str, kind: Kind) -> None:
    reading = ExtractiveReader().read_one(entry(title))

    assert (reading.verdict, reading.kind) == (ReadingVerdict.SKIPPED, kind)
    assert reading.deal is None
    assert reading.reason.endswith(".")


@pytest.mark.parametrize(
    "title",
    [
        "Camera + 64GB SDXC Card, Bag & Charger $998 + Free S&H",
        "Ryzen 7 CPU + Liquid Cooler $349",
        "96-Ct Dunkin' Donuts K-Cup Pods $38",
        "LEGO Netflix Ship Building Set $112",
        "Five Nights at Freddy's 2 (4K Ultra HD) $10.10",
        "Light Flight Carry-On Backpack $16",
        'Cordless Saw 60V MAX 7-1/4" $168',
        "Select Accounts: 24-Oz Pasta Sauce $5.05 w/ S&S",
        "Sam's Club Members: Storage Tote $7 + Free Pickup",
        "Turtle Beach Controller (Various Styles) $30",
        "Hotel Collection Towel Set $24",
        "Power Strip w/ Nightlight $18",
        "Sparkling Water, Sugar Free 12-Pk $6",
        "Wall Outlet Extender $9",
        "Laundry Spray + $2 Walmart Cash $3.50",
        "Water Heater + 11% Mail-In Rebate $700",
    ],
)
def test_one_product_is_a_deal_whatever_its_name_reminds_of(title: str) -> None:
    reading = ExtractiveReader().read_one(entry(title))

    assert (reading.verdict, reading.kind) == (ReadingVerdict.DEAL, Kind.PRODUCT)


def test_the_publishers_own_word_for_a_sale_is_believed() -> None:
    reading = ExtractiveReader().read_one(entry("Outlet picks for the den", dealnews__dealtype="sale"))

    assert reading.kind is Kind.MANY


@pytest.mark.parametrize(
    ("title", "content", "condition"),
    [
        ("Refurb Acer Monitor for $40", "", Condition.REFURBISHED),
        ("(Open-Box) Handheld $462", "", Condition.OPEN_BOX),
        ("Renewed: Lawn Mower $323", "", Condition.REFURBISHED),
        ("Like New: Streaming Stick $15.60", "", Condition.USED),
        ("adidas Shoes $29", "Leather upper. New with original box", Condition.NEW),
        ("Monitor $90", "It costs $20 less than a refurbished one.", None),
        ("Used to Be Young (Vinyl) $12", "", None),
        ("Monitor $90", "", None),
    ],
)
def test_the_condition_is_what_title_or_content_state(title: str, content: str, condition: Condition | None) -> None:
    assert condition_of(title, content) == condition
