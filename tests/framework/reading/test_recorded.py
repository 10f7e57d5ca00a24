"""The bars on recorded inputs; the benchmarks say which rows are missed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.price_strings import is_right
from benchmarks.scan_labels import measure, read_rows
from framework.reading.amounts import parse_price_text
from framework.reading.pages import PageKind
from framework.reading.read_page import read_page

pytestmark = pytest.mark.shared


def test_labelled_entries_are_read_to_the_bars(shared: Path) -> None:
    rows = [json.loads(line) for line in (shared / "corpus/feeds/labels-open.jsonl").read_text("utf-8").splitlines()]

    for tally in measure(rows, read_rows(rows)):
        assert tally.right >= tally.bar * tally.of, f"{tally.name}: {tally.right} of {tally.of}"


def test_price_strings_of_real_shops_are_read_to_the_bar(shared: Path) -> None:
    rows = [json.loads(line) for line in (shared / "corpus/pages/price-strings.jsonl").read_text("utf-8").splitlines()]
    said = [parse_price_text(row["text"], row["currency_hint"]) for row in rows]

    right = sum(is_right(row, found.amount, found.symbol) for row, found in zip(rows, said, strict=True))

    assert right >= 0.97 * len(rows)


def test_a_recorded_bot_wall_is_no_product(shared: Path) -> None:
    for wall in (shared / "corpus/hostile/blocked").glob("*.html"):
        page = read_page(wall.read_bytes(), "https://shop.example.com/")
        assert (page.kind, page.price) == (PageKind.BLOCKED, None)
