"""Measure the reader on labelled feed entries.

    DEALHOUND_SHARED=... python -m benchmarks.scan_labels [--show price|false|kind|list] [--cli] [--labels FILE]

Bars: price right (within 2% or $0.51) on 96% of the sure products, a price claimed on at most 3% of the sure entries
that have none, deal or not right on 92% of the entries whose kind is sure, the claimed list price right on 80%.
``--cli`` takes the true path instead: a feed file with the rows is read by ``./dealhound scan --json``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from framework.deals import Entry, ReadingVerdict
from framework.reading.extractive import ExtractiveReader

Row = dict[str, Any]
_FEEDS = {"deal-dealabs": "https://www.dealabs.com/rss", "deal-ozbargain": "https://www.ozbargain.com.au/feed"}


@dataclass
class Tally:
    """How many were right of how many, and which were not."""

    name: str
    bar: float
    right: int = 0
    of: int = 0
    misses: list[str] = field(default_factory=list)

    def count(self, is_right: bool, note: str) -> None:
        self.of += 1
        self.right += is_right
        if not is_right:
            self.misses.append(note)


def feed_url(row: Row) -> str:
    return next((url for name, url in _FEEDS.items() if row["feed"].startswith(name)), "https://example.com/feed")


def read_rows(rows: Iterable[Row]) -> list[Row]:
    """What the reader says of each row, in the fields of ``scan --json``."""
    reader = ExtractiveReader()
    said = []
    for row in rows:
        entry = Entry(id=row["id"], feed_url=feed_url(row), title=row["title"], content=row["description"] or "")
        reading = reader.read_one(entry)
        deal = reading.deal
        said.append(
            {
                "verdict": reading.verdict.value,
                "kind": reading.kind,
                "price": float(deal.price.amount) if deal else None,
                "currency": deal.price.currency if deal else None,
                "list_price": float(deal.list_price.amount) if deal and deal.list_price else None,
                "market_price": float(deal.market_price.amount) if deal and deal.market_price else None,
                "quantity": deal.quantity if deal else None,
                "description": deal.description if deal else None,
                "reason": reading.reason,
                "certain": reading.certain,
            }
        )
    return said


def scan_rows(rows: list[Row]) -> list[Row]:
    """The same through ``./dealhound scan --json`` on a feed made of the rows."""
    items = "".join(
        f"<item><guid isPermaLink='false'>{escape(row['id'])}</guid><title>{escape(row['title'])}</title>"
        f"<description>{escape(row['description'] or '')}</description></item>"
        for row in rows
    )
    with tempfile.TemporaryDirectory() as folder:
        feed = Path(folder) / "labels.xml"
        feed.write_text(f"<rss version='2.0'><channel><title>labels</title>{items}</channel></rss>", encoding="utf-8")
        command = ["./dealhound", "scan", "--json", str(feed)]
        own_home = {**os.environ, "DEALHOUND_HOME": folder}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=own_home)
    return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]


def near(said: float | None, true: float) -> bool:
    return said is not None and abs(said - true) <= max(0.51, 0.02 * true)


def measure(rows: list[Row], said: list[Row]) -> list[Tally]:
    price, false = Tally("price right on sure products", 0.96), Tally("no price where there is none", 0.97)
    kind, listed = Tally("deal or not right", 0.92), Tally("list price right where stated", 0.80)
    for row, answer in zip(rows, said, strict=True):
        said_of_it = " ".join(str(answer[name]) for name in ("verdict", "kind", "price", "list_price", "reason"))
        true = f"{row['kind']} {row['price']} list {row['list_price']}"
        note = f"[{true}] {row['title'][:140]}\n      said {said_of_it}"
        unsure = set(row["unsure_fields"]) or ({"kind", "price"} if row["unsure"] else set())
        if row["kind"] == "product" and not row["unsure"] and row["price"] is not None:
            price.count(near(answer["price"], row["price"]), note)
        if row["price"] is None and not row["unsure"]:
            false.count(answer["price"] is None, note)
        if "kind" not in unsure:
            kind.count((answer["verdict"] == ReadingVerdict.DEAL.value) == (row["kind"] in ("product", "bundle")), note)
        if row["list_price"] is not None:
            listed.count(near(answer["list_price"], row["list_price"]), note)
    return [price, false, kind, listed]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--show", default="", help="list the misses of the measures whose name has this text")
    parser.add_argument("--cli", action="store_true")
    parser.add_argument("--labels", type=Path)
    options = parser.parse_args()
    labels = options.labels or Path(os.environ["DEALHOUND_SHARED"]) / "corpus/feeds/labels-open.jsonl"
    rows = [json.loads(line) for line in labels.read_text(encoding="utf-8").splitlines()]
    tallies = measure(rows, scan_rows(rows) if options.cli else read_rows(rows))
    for tally in tallies:
        print(f"{tally.name}: {tally.right} of {tally.of} = {tally.right / max(1, tally.of):.1%} (bar {tally.bar:.0%})")
        if options.show and options.show in tally.name:
            print(*tally.misses, sep="\n")
    return 0 if all(tally.right >= tally.bar * tally.of for tally in tallies) else 1


if __name__ == "__main__":
    sys.exit(main())
