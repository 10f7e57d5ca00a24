"""The same thing under many names: addresses, entries, products; and when to speak of it again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from framework.dedupe import canonical_url, product_key
from framework.feeds import parse_feed
from framework.feeds.identity import entry_id
from framework.money import Money

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("http://www.Shop.example/a/", "https://shop.example/a"),
        ("https://shop.example:443/a#reviews", "https://shop.example/a"),
        ("https://shop.example:8443/a", "https://shop.example:8443/a"),
        ("https://shop.example/a?utm_source=rss&utm_medium=x&id=5", "https://shop.example/a?id=5"),
        ("https://shop.example/a?b=2&a=1&fbclid=x&gclid=y", "https://shop.example/a?a=1&b=2"),
        ("https://deals.example/1.html?iref=rss-c39", "https://deals.example/1.html"),
        ("https://shop.example/a?source=rss", "https://shop.example/a"),
        ("https://shop.example/a?source=42", "https://shop.example/a?source=42"),
        ("https://forum.example/view?t=5&sid=7", "https://forum.example/view?sid=7&t=5"),
        ("https://shop.example/?p=5", "https://shop.example?p=5"),
        ("https://www.amazon.com/Some-Name/dp/B0CHLD9ZKL/ref=sr_1_1?tag=x-20&th=1", "https://amazon.com/dp/B0CHLD9ZKL"),
        ("https://amazon.com/gp/product/b0chld9zkl?psc=1", "https://amazon.com/dp/B0CHLD9ZKL"),
        ("https://www.ebay.com/itm/Some-Name/123456789012?mkevt=1", "https://ebay.com/itm/123456789012"),
        (
            "https://go.redirectingat.com/?id=1&url=https%3A%2F%2Fshop.example%2Fa%3Futm_source%3Dx",
            "https://shop.example/a",
        ),
        ("https://www.anrdoezrs.net/links/1/type/dlg/https://www.shop.example/a", "https://shop.example/a"),
        ("https://click.linksynergy.com/deeplink?murl=https%3A%2F%2Fshop.example%2Fa", "https://shop.example/a"),
        (
            "https://shop.example/login?url=https://other.example/",
            "https://shop.example/login?url=https%3A%2F%2Fother.example%2F",
        ),
        ("  tag:shop.example,2026:1 ", "tag:shop.example,2026:1"),
        ("http://[broken", "http://[broken"),
        ("", ""),
    ],
)
def test_all_addresses_of_a_page_have_one_spelling(url: str, canonical: str) -> None:
    assert canonical_url(url) == canonical
    assert canonical_url(canonical) == canonical


def test_a_ring_of_redirectors_ends() -> None:
    url = "https://shop.example/a"
    for _ in range(50):
        url = f"https://www.google.com/url?q={url}"
    assert canonical_url(url).startswith("https://")


A, B, OTHER = "https://www.deals.example/a.rss", "https://feeds.deals.example/b.rss", "https://other.example/rss"


def identity(feed_url: str = A, **parts: object) -> str:
    given = {"guid": None, "url": None, "title": "t", "published": None, **parts}
    return entry_id(feed_url, **given)  # type: ignore[arg-type]


def test_an_edited_title_or_date_is_the_same_entry() -> None:
    assert identity(guid="1") == identity(guid="1", title="edited", published=NOW, url="https://x.test/")
    assert identity(url="https://x.test/1") == identity(url="http://www.x.test/1/?utm_source=rss", title="edited")


def test_equal_dates_and_titles_do_not_make_entries_equal() -> None:
    assert identity(guid="1", published=NOW) != identity(guid="2", published=NOW)
    assert identity(url="https://x.test/1", published=NOW) != identity(url="https://x.test/2", published=NOW)


def test_a_bare_guid_is_unique_in_its_feed_only() -> None:
    assert identity(A, guid="1") != identity(B, guid="1") != identity(OTHER, guid="1")


@pytest.mark.parametrize(
    "guid", ["https://deals.example/1", "tag:deals.example,2026:1", "8E296A06-77AA-4C2B-A45C-7D4F5C06BB2B", "urn:x:1"]
)
def test_a_global_guid_is_one_entry_in_all_feeds_of_a_site_but_not_on_other_sites(guid: str) -> None:
    assert identity(A, guid=guid) == identity(B, guid=guid)
    assert identity(A, guid=guid) != identity(OTHER, guid=guid)


def rss(*items: str) -> bytes:
    return f"<rss version='2.0'><channel>{''.join(f'<item>{item}</item>' for item in items)}</channel></rss>".encode()


@pytest.mark.parametrize(
    "items",
    [
        ["<guid>home</guid><link>https://a.test/1</link>", "<guid>home</guid><link>https://a.test/2</link>"],
        ["<guid>x</guid><title>one</title>", "<guid>x</guid><title>two</title>"],
        ["<link>https://a.test/</link><title>one</title>", "<link>https://a.test/</link><title>two</title>"],
        ["<link>https://a.test/day#1</link>", "<link>https://a.test/day#2</link>"],
        ["<description>one</description>", "<description>two</description>"],
        ["<title>Lamp</title><pubDate>2026-01-01</pubDate>", "<title>Lamp</title><pubDate>2026-01-02</pubDate>"],
    ],
)
def test_different_entries_that_a_publisher_names_alike_are_told_apart(items: list[str]) -> None:
    assert len(parse_feed(rss(*items), A).entries) == 2
    assert [entry.id for entry in parse_feed(rss(*items), A).entries] == [
        entry.id for entry in reversed(parse_feed(rss(*reversed(items)), A).entries)
    ]


def test_an_entry_that_stands_twice_in_a_feed_is_one() -> None:
    item = "<guid>1</guid><link>https://a.test/1</link><title>Lamp</title>"
    feed = parse_feed(rss(item, item.replace("Lamp", "Lamp (edited)")), A)
    assert (feed.items, len(feed.entries), feed.entries[0].title) == (2, 1, "Lamp")


SAME = [
    ("Apple AirPods Pro 2 for $169 + free shipping", "Apple AirPods Pro 2 $169 at Amazon"),
    ("Sony WH-1000XM5 Headphones (Black) $248", "Sony Wireless Noise Canceling WH1000XM5 - $248 Shipped"),
    ("Crucial T500 2TB SSD for $99.99 w/ coupon", "Crucial T500 2TB Gen4 NVMe SSD $99.99"),
    ("Café Press 12-Cup Maker - $30", "cafe press 12-cup maker"),
    ("LEGO Rivendell [Expires soon] 20% off", "Lego Rivendell"),
]
DIFFERENT = [
    ("Crucial T500 2TB SSD $99", "Crucial T500 1TB SSD $99"),
    ("Apple AirPods Pro 2 $169", "Apple AirPods Max $169"),
    ("Sony WH-1000XM5 $248", "Sony WH-1000XM4 $248"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_posts_of_one_product_share_a_key(one: str, other: str) -> None:
    assert product_key(one, Money.of(99)) == product_key(other, Money.of(99))


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_posts_of_different_products_do_not(one: str, other: str) -> None:
    assert product_key(one, Money.of(99)) != product_key(other, Money.of(99))


def test_price_currency_and_brand_are_part_of_the_key() -> None:
    title = "Steel kettle"
    keys = {
        product_key(title),
        product_key(title, Money.of(20)),
        product_key(title, Money.of(21)),
        product_key(title, Money.of(20, "EUR")),
        product_key(title, Money.of(20), brand="Acme"),
    }
    assert len(keys) == 5
    assert product_key(title, Money.of("20.00")) == product_key("STEEL  KETTLE!", Money.of(20))
