"""Which catalogue items are the very product of a title."""

from __future__ import annotations

import pytest

from models.twins import same_product

SONY = "Sony WH-1000XM5, wireless noise cancelling over-ear headphones, 30 hours"
DYSON = "Dyson V11, cordless stick vacuum, up to 60 minutes"
KITCHENAID = "KitchenAid Artisan stand mixer, 5-quart tilt-head, 10 speeds"
SSD = "Samsung 990 Pro 2TB, PCIe 4.0 NVMe M.2 SSD"
TAB = "Samsung Galaxy Tab A11, 8.7-inch Android tablet, 64GB"
BOOMBOX = "JBL Boombox 4, large portable Bluetooth speaker"


@pytest.mark.parametrize(
    ("title", "item"),
    [
        ("Sony WH-1000XM5 Wireless Noise Canceling Headphones (Black)", SONY),
        ("Sony WH1000XM5 Headphones", SONY),
        ("Dyson V11 Cordless Stick Vacuum", DYSON),
        ("KitchenAid Artisan 5-Quart Tilt-Head Stand Mixer (Empire Red)", KITCHENAID),
        ("Samsung 990 Pro 2 TB PCIe 4.0 NVMe M.2 Internal SSD", SSD),
        ('Samsung Galaxy Tab A11 8.7" Tablet; 64 GB of storage', TAB),
    ],
)
def test_the_same_product_in_other_words_is_a_twin(title: str, item: str) -> None:
    assert same_product(title, item)


@pytest.mark.parametrize(
    ("title", "item"),
    [
        ("Sony WH-1000XM4 Wireless Headphones", SONY),
        ("Dyson V11 Outsize V11X Cordless Vacuum", DYSON),
        ("KitchenAid Artisan 7-Quart Stand Mixer", KITCHENAID),
        ("Samsung 990 Pro 1TB Internal SSD", SSD),
        ("Samsung 990 Evo 2TB Internal SSD", SSD),
        ("Samsung Galaxy Tab A11 Plus 8.7-inch", TAB),
        ("Samsung Galaxy Tab A11+ tablet", TAB),
        ("JBL Boombox Portable Speaker", BOOMBOX),
        ("Carrying Case for Sony WH-1000XM5", SONY),
        ("Filter fits the Dyson V11", DYSON),
        ("", SONY),
        ("Headphones", "Headphones, any"),
    ],
)
def test_another_model_size_edition_or_accessory_is_none(title: str, item: str) -> None:
    assert not same_product(title, item)


def test_hostile_text_takes_no_time() -> None:
    assert not same_product("for " * 50_000, SONY)
