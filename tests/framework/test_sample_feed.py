"""The bundled sample feed is a clean feed that holds bargains, ordinary offers and the usual traps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import feedparser
import pytest

from framework.feeds.extras import foreign_prefixes, read_extras

ROOT = Path(__file__).parents[2]
FEED = ROOT / "framework" / "samples" / "sample_feed.xml"
CATALOGUE = ROOT / "models" / "artifacts" / "catalogue.jsonl"

BARGAINS = {
    "example-deal-1001": (165.00, "bose-quietcomfort-headphones"),
    "example-deal-1002": (219.99, "kitchenaid-artisan-5-quart-tilt-head-stand-mixer-ksm150ps"),
    "example-deal-1003": (229.00, "dyson-v11-cordless-stick-vacuum"),
    "example-deal-1004": (599.00, "lg-c5-55-inch-oled55c5pua"),
    "example-deal-1005": (229.00, "jackery-explorer-1000-v2"),
}
TRAPS = [
    "$50 off", "up to 60% off", "was $249", "from $9", "2 for $30", "$30.58 - $11", "free shipping w/ $39",
    "refurb", "gift card", "restaurants", "free:", "phone plan", "lowest price we could find by", "list price",
    "16,99 €", "ca$119.98", "/month", "with code", "ignore all earlier instructions", "<script>", "($0.37 each)",
]  # fmt: skip


@pytest.fixture(scope="module")
def feed() -> Any:
    return feedparser.parse(FEED.read_bytes(), sanitize_html=False)


def test_it_parses_without_complaint(feed: Any) -> None:
    assert not feed.bozo
    assert feed.version == "rss20"
    assert feed.feed.title == "Dealhound sample feed (invented offers)"


def test_it_has_thirty_entries_with_ids_and_links_of_their_own(feed: Any) -> None:
    assert len(feed.entries) == 30
    assert len({entry.id for entry in feed.entries}) == 30
    assert len({entry.link for entry in feed.entries}) == 30
    assert all(entry.title and entry.summary and entry.published_parsed for entry in feed.entries)


def test_every_link_is_on_the_reserved_domain(feed: Any) -> None:
    assert [entry.link for entry in feed.entries if not entry.link.startswith("https://example.com/")] == []


def test_some_entries_state_price_and_shop_in_fields_of_their_own() -> None:
    data = FEED.read_bytes()
    items = [extras for _, extras in read_extras(data.decode(), foreign_prefixes(data)) if extras]
    assert len(items) == 6
    assert all({"dealnews:price", "dealnews:price@currency", "dealnews:retailer"} <= set(extras) for extras in items)
    assert {extras["dealnews:price@currency"] for extras in items} == {"USD", "CAD"}


@pytest.mark.parametrize("trap", TRAPS)
def test_it_holds_the_trap(feed: Any, trap: str) -> None:
    assert any(trap in f"{entry.title} {entry.summary}".lower() for entry in feed.entries)


@pytest.mark.parametrize(("guid", "price", "product"), [(guid, *offer) for guid, offer in BARGAINS.items()])
def test_its_bargains_are_deep_discounts_on_products_of_the_catalogue(
    feed: Any, guid: str, price: float, product: str
) -> None:
    usual = {row["id"]: row["price"] for row in map(json.loads, CATALOGUE.read_text(encoding="utf-8").splitlines())}
    entry = next(entry for entry in feed.entries if entry.id == guid)
    assert f"${price:g}" in entry.title
    assert price <= 0.6 * usual[product]
