"""Made-up products in the form of Amazon Reviews 2023, for a run of the whole path without a network.

A product is a kind of thing with a brand, a size and features, each of which has its part in the price, so that there
is something to learn; the last tenth is chance. Some records are broken, repeated or misleading in the ways that real
ones are. Record ``n`` is the same in every run with the same seed, and is made without those before it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Raw = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thing: the price of its smallest size, its sizes with their factors, and how common it is."""

    name: str
    category: str
    price: float
    sizes: tuple[tuple[str, float], ...]
    uses: tuple[str, ...]
    weight: int


_KINDS = (
    Kind("Phone Case", "Cell Phones", 9, (("5.4 inch", 1), ("6.1 inch", 1.1), ("6.7 inch", 1.3)), ("work", "play"), 30),
    Kind("USB-C Cable", "Cell Phones", 6, (("1 m", 1), ("2 m", 1.4), ("3 m", 1.8)), ("car", "desk", "travel"), 24),
    Kind("Kettle", "Kitchen", 24, (("1 L", 1), ("1.5 L", 1.2), ("1.7 L", 1.4)), ("tea", "coffee", "office"), 14),
    Kind("Stand Mixer", "Kitchen", 160, (("4 qt", 1), ("5 qt", 1.3), ("7 qt", 1.9)), ("bread", "cake"), 5),
    Kind("Brake Pads", "Automotive", 28, (("front", 1), ("rear", 0.9), ("set of 8", 1.8)), ("sedan", "truck"), 40),
    Kind("Floor Mats", "Automotive", 35, (("2 pieces", 1), ("4 pieces", 1.7)), ("sedan", "truck", "van"), 30),
    Kind("Solid State Drive", "Electronics", 45, (("512 GB", 1), ("1 TB", 1.6), ("4 TB", 5)), ("laptop", "desk"), 10),
    Kind("Monitor", "Electronics", 110, (("24 inch", 1), ("27 inch", 1.5), ("34 inch", 3)), ("office", "gaming"), 6),
    Kind("Washing Machine", "Appliances", 420, (("7 kg", 1), ("9 kg", 1.3), ("11 kg", 1.7)), ("flat", "house"), 2),
    Kind("Puzzle", "Toys", 11, (("100 pieces", 1), ("500 pieces", 1.3), ("2000 pieces", 2.4)), ("family", "play"), 12),
    Kind("Cordless Drill", "Tools", 60, (("12 V", 1), ("18 V", 1.5), ("20 V", 1.7)), ("workshop", "garden"), 7),
    Kind("Electric Guitar", "Instruments", 190, (("short scale", 1), ("full scale", 1.5)), ("stage", "studio"), 2),
)
_BRANDS = {"Norvik": 1.0, "Halden": 1.25, "Ostara": 0.8, "Quillon": 1.6, "Brightmoor": 0.95, "Tavelle": 2.2}
_FEATURES = {
    "with a two year guarantee": 1.05,
    "in brushed steel": 1.25,
    "in recycled plastic": 0.9,
    "with a carrying bag": 1.1,
    "for professional use": 1.5,
    "in a plain box": 0.85,
    "with smart app control": 1.3,
    "made for beginners": 0.8,
}
_COLOURS = ("black", "white", "blue", "red", "green", "grey")
_SENTENCES = (
    "It is built to be used every day and wiped clean in a moment.",
    "The edges are rounded and the surface does not show fingerprints.",
    "Everything that is needed to begin comes in the box, with a printed guide.",
    "Spare parts can be had for ten years and are fitted without tools.",
    "Testers found it quiet, light in the hand and easy to put away.",
    "Its shape was drawn anew this season after letters from customers.",
    "A quality check by hand precedes every delivery.",
    "Fits most homes and leaves room for what stands beside it.",
)


def rehearsal_records(first: int, count: int, seed: int = 0) -> Iterator[Raw]:
    """Records ``first`` to ``first + count``."""
    return (_record(number, seed) for number in range(first, first + count))


def _record(number: int, seed: int) -> Raw:
    draw = random.Random(f"{seed}:{number}:fault")  # noqa: S311 - seeded, no secret
    chance = draw.random()
    if number >= 50 and chance < 0.12:  # told again: as it was, or with some words changed
        record = _product(draw.randrange(number - 50, number), seed)
        if chance < 0.07:
            record["description"] = [
                *record["description"],
                draw.choice(("New arrival.", "Top seller!", "Ships fast.")),
            ]
        return record | {"parent_asin": f"R{number:09}"}
    record = _product(number, seed)
    if chance > 0.80:
        return record | {"price": None}  # as in most of the real ones
    if chance > 0.68:
        return record | draw.choice(_FAULTS)
    return record


_FAULTS: tuple[Raw, ...] = (
    {"price": "from 12.99"},
    {"price": "19.99 - 24.99"},
    {"price": 0.0},
    {"price": 24_999.0},
    {"price": "—"},
    {"title": ""},
    {"title": "Case", "description": [], "features": [], "details": "{}"},
    {"title": "防水ケース 黒", "description": ["とても丈夫で軽いケースです。毎日使えます。"], "features": []},
    {"description": ["<p>Best &amp; brightest.<br>Was $49.99, now only $39.99!</p>"]},
)


def _product(number: int, seed: int) -> Raw:
    draw = random.Random(f"{seed}:{number}")  # noqa: S311 - seeded, no secret
    kind = draw.choices(_KINDS, [kind.weight for kind in _KINDS])[0]
    size, size_factor = draw.choice(kind.sizes)
    brand, brand_factor = draw.choice(list(_BRANDS.items()))
    chosen = draw.sample(sorted(_FEATURES), 3)
    price = kind.price * size_factor * brand_factor
    for feature in chosen:
        price *= _FEATURES[feature]
    model = f"{draw.choice('ABCDEFGHKLMNPRSTVWXZ')}{draw.randrange(100, 9_999)}"
    colour, use = draw.choice(_COLOURS), draw.choice(kind.uses)
    return {
        "parent_asin": f"R{number:09}",
        "title": f"{brand} {model} {kind.name}, {size}, {colour}",
        "features": [f"{kind.name} {feature}" for feature in chosen],
        "description": [f"A {size} {kind.name.lower()} by {brand} for {use}.", *draw.sample(_SENTENCES, 4)],
        "details": json.dumps({"Color": colour.title(), "Size": size, "Best Sellers Rank": draw.randrange(1, 99_999)}),
        "price": round(price * draw.lognormvariate(0, 0.1), 2),
        "main_category": kind.category,
        "store": brand,
    }
