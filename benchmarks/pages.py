"""Measure the page reader on recorded pages: stated and derived prices, and pages that have none.

    DEALHOUND_SHARED=... python -m benchmarks.pages [--all]

Bars: every stated price right, derived prices 10 of 12, no price from listings, articles and bot walls, 2 s a page.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from framework.reading.pages import Page, PageKind
from framework.reading.read_page import read_page

_NONE = (
    "listing-",
    "deal-slickdeals-2025",
    "deal-reddit",
    "deal-bensbargains",
    "article-chip",
    "article-knowtechie",
    "walmart",
)


def expected(row: dict[str, Any]) -> tuple[str, float | None] | None:
    """What is known of a page: ("stated" or "derived", price), ("none", None), or nothing."""
    name, truth = row["file"], row.get("expected") or {}
    if name.startswith(_NONE):
        return "none", None
    if isinstance(truth.get("price"), int | float):
        return "stated", float(truth["price"])
    if "price" in truth and truth["price"] is None:
        return "stated", None
    derived = truth.get("derived_price")
    return ("derived", float(derived)) if derived is not None else None


def is_right(page: Page, price: float | None) -> bool:
    if price is None:
        return page.price is None
    return page.price is not None and abs(float(page.price.amount) - price) < 0.005


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="list every page, not only the misses")
    options = parser.parse_args()
    corpus = Path(os.environ["DEALHOUND_SHARED"]) / "corpus"
    rows = [json.loads(line) for line in (corpus / "pages/MANIFEST.jsonl").read_text(encoding="utf-8").splitlines()]
    files = [(corpus / "pages" / row["file"], row) for row in rows]
    files += [(path, {"file": path.name}) for path in sorted((corpus / "hostile/blocked").glob("*.html"))]
    score: dict[str, list[bool]] = {"stated": [], "derived": [], "none": []}
    slowest = 0.0
    for path, row in files:
        document, start = path.read_bytes(), time.perf_counter()
        page = read_page(document, "https://shop.example.com/item")
        seconds = time.perf_counter() - start
        slowest = max(slowest, seconds)
        known = expected(row)
        right = known is None or (
            is_right(page, known[1]) and (known[0] != "none" or page.kind is not PageKind.PRODUCT)
        )
        if known:
            score[known[0]].append(right)
        if options.all or not right:
            print(
                f"{'ok  ' if right else 'MISS'} {path.name} {page.kind} {page.price} (known: {known}) {seconds:.2f} s"
            )
    for name, rights in score.items():
        print(f"{name}: {sum(rights)} of {len(rights)}")
    print(f"slowest page: {slowest:.2f} s")
    enough = sum(score["derived"]) * 12 >= len(score["derived"]) * 10
    return 0 if all(score["stated"]) and all(score["none"]) and enough else 1


if __name__ == "__main__":
    sys.exit(main())
