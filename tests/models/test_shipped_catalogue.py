"""The shipped catalogue keeps the promises that retrieval relies on."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

CATALOGUE = Path(__file__).parents[2] / "models" / "artifacts" / "catalogue.jsonl"
FIELDS = {"id": str, "description": str, "category": str, "brand": str, "price": float, "currency": str, "as_of": int}


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in CATALOGUE.read_text(encoding="utf-8").splitlines()]


def test_every_line_has_exactly_the_documented_fields(rows: list[dict[str, Any]]) -> None:
    wrong = [row for row in rows if {name: type(value) for name, value in row.items()} != FIELDS]
    assert wrong == []


def test_it_is_large_enough_and_broad_enough(rows: list[dict[str, Any]]) -> None:
    kinds = Counter(row["category"] for row in rows)
    assert len(rows) >= 1_000
    assert len(kinds) >= 45
    assert max(kinds.values()) <= 0.05 * len(rows), "no kind dominates"
    assert len({row["brand"] for row in rows}) >= 300


def test_ids_are_unique_slugs(rows: list[dict[str, Any]]) -> None:
    ids = [row["id"] for row in rows]
    assert len(set(ids)) == len(ids)
    assert [i for i in ids if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", i)] == []


def test_descriptions_name_the_product_and_are_written_as_plain_text(rows: list[dict[str, Any]]) -> None:
    texts = [row["description"] for row in rows]
    assert len(set(texts)) == len(texts)
    assert [t for t in texts if not 9 <= len(t.split()) <= 32] == []
    assert [t for t in texts if re.search(r"[<>\n\t$]|\s\s|&\w+;", t)] == [], "markup, prices or stray blanks"


def test_no_two_descriptions_of_a_kind_say_the_same_in_other_words(rows: list[dict[str, Any]]) -> None:
    kinds = defaultdict(list)
    for row in rows:
        kinds[row["category"]].append((row["id"], frozenset(re.findall(r"[a-z0-9.]+", row["description"].lower()))))
    same = [
        (a, b)
        for group in kinds.values()
        for (a, words_a), (b, words_b) in combinations(group, 2)
        if words_a == words_b
    ]
    assert same == []


def test_prices_are_plausible_street_prices(rows: list[dict[str, Any]]) -> None:
    prices = sorted(row["price"] for row in rows)
    assert prices[0] >= 5
    assert prices[-1] <= 4_500
    assert sum(15 <= price <= 300 for price in prices) > 0.6 * len(prices), "most things bought cost $15 to $300"
    assert {row["currency"] for row in rows} == {"USD"}
    assert {row["as_of"] for row in rows} <= {2025, 2026}


@pytest.mark.parametrize(
    ("line", "steps"),
    [
        ("ascending size", ["lg-c5-42-inch-oled42c5pua", "lg-c5-55-inch-oled55c5pua", "lg-c5-65-inch-oled65c5pua"]),
        ("ascending capacity", ["samsung-990-pro-1tb", "samsung-990-pro-2tb", "samsung-990-pro-4tb-with-heatsink"]),
        ("ascending model", ["apple-iphone-16e-128gb-unlocked", "apple-iphone-17-256gb-unlocked"]),
        ("ascending model", ["dyson-v8-cordless-stick-vacuum", "dyson-v11-cordless-stick-vacuum"]),
    ],
)
def test_variants_of_one_line_rise_in_price(rows: list[dict[str, Any]], line: str, steps: list[str]) -> None:
    price = {row["id"]: row["price"] for row in rows}
    figures = [price[step] for step in steps]
    assert figures == sorted(set(figures)), line
