"""Product pages: markup in every form that shops use, what the page shows, and pages that are none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from framework.deals import Condition
from framework.errors import PageError
from framework.money import Money
from framework.reading.pages import PageKind
from framework.reading.read_page import read_page

URL = "https://shop.example.com/item"


def page_with(head: str = "", body: str = "<h1>Executive Anvil</h1>", title: str = "Executive Anvil | Shop") -> str:
    return f"<!doctype html><html><head><title>{title}</title>{head}</head><body>{body}</body></html>"


def ld(data: Any) -> str:
    return f'<script type="application/ld+json">{data if isinstance(data, str) else json.dumps(data)}</script>'


OFFER = {"@type": "Offer", "price": "45.00", "priceCurrency": "USD", "availability": "https://schema.org/InStock"}
PRODUCT = {"@type": "Product", "name": "Executive Anvil", "brand": {"@type": "Brand", "name": "ACME"}, "offers": OFFER}


@pytest.mark.parametrize(
    "data",
    [
        PRODUCT,
        [PRODUCT],
        {"@graph": [{"@type": "BreadcrumbList", "itemListElement": []}, PRODUCT]},
        {"@type": "WebPage", "mainEntity": PRODUCT},
        {**PRODUCT, "@type": ["Product", "Thing"]},
        {**PRODUCT, "offers": [OFFER, OFFER]},
        {**PRODUCT, "offers": {"@type": "AggregateOffer", "lowPrice": 45, "highPrice": 45, "priceCurrency": "USD"}},
        {**PRODUCT, "offers": {"@type": "AggregateOffer", "offers": [OFFER]}},
        {**PRODUCT, "offers": {"@type": "Offer", "priceSpecification": {"price": 45.0, "priceCurrency": "USD"}}},
        {"@type": "ProductGroup", "name": "Executive Anvil", "hasVariant": [PRODUCT]},
        {
            "@type": "Offer",
            "price": 45,
            "priceCurrency": "USD",
            "itemOffered": {"@type": "Product", "name": "Executive Anvil"},
        },
        json.dumps(PRODUCT)[:-1] + ",}",
        "<!-- " + json.dumps(PRODUCT) + " -->",
        json.dumps(PRODUCT).replace("Executive", "Execu\ntive"),
        json.dumps({**PRODUCT, "Offers": OFFER, "offers": None}),
    ],
)
def test_json_ld_is_read_in_every_shape(data: Any) -> None:
    page = read_page(page_with(ld(data)), URL)

    assert (page.kind, page.price) == (PageKind.PRODUCT, Money.of(45))


def test_what_json_ld_says_of_the_product_is_kept() -> None:
    offer = {**OFFER, "itemCondition": "https://schema.org/RefurbishedCondition"}
    specifications = [
        {"price": 45, "priceCurrency": "EUR"},
        {"price": 60, "priceCurrency": "EUR", "priceType": "https://schema.org/ListPrice"},
    ]
    data = {
        **PRODUCT,
        "image": ["https://i.example.com/1.jpg"],
        "offers": {**offer, "price": None, "priceSpecification": specifications},
    }

    page = read_page(page_with(ld(data)), URL)

    assert (page.price, page.list_price) == (Money.of(45, "EUR"), Money.of(60, "EUR"))
    assert (page.brand, page.availability, page.condition) == ("ACME", "InStock", Condition.REFURBISHED)
    assert page.image == "https://i.example.com/1.jpg"
    assert page.evidence


def test_a_related_product_is_not_the_pages_product() -> None:
    related = {"@type": "Product", "name": "Hammer", "offers": {**OFFER, "price": "9.00"}}
    data = {"@type": "Product", "name": "Executive Anvil", "isRelatedTo": [related], "offers": OFFER}

    page = read_page(page_with(ld(data)), URL)

    assert page.price == Money.of(45)


def test_variants_at_different_prices_are_no_price() -> None:
    offers = {"@type": "AggregateOffer", "lowPrice": "5.29", "highPrice": "9.56", "priceCurrency": "GBP"}

    page = read_page(page_with(ld({**PRODUCT, "offers": offers})), URL)

    assert (page.kind, page.price) == (PageKind.PRODUCT, None)


@pytest.mark.parametrize("price", ["NaN", "", "0", "{{price}}", None, "call", 1e400, {"a": 1}, [], True])
def test_a_price_that_is_none_is_not_made_up(price: Any) -> None:
    page = read_page(page_with(ld({**PRODUCT, "offers": {**OFFER, "price": price}})), URL)

    assert page.price is None


def test_microdata_is_read() -> None:
    body = """<div itemscope itemtype="http://schema.org/Product"><h1 itemprop="name">Executive Anvil</h1>
      <span itemprop="brand">ACME</span><div itemprop="offers" itemscope itemtype="http://schema.org/Offer">
      <meta itemprop="priceCurrency" content="USD">$<span itemprop="price">119.99 </span>
      <link itemprop="itemCondition" href="http://schema.org/UsedCondition"></div></div>"""

    page = read_page(page_with(body=body), URL)

    assert (page.price, page.brand, page.condition) == (Money.of("119.99"), "ACME", Condition.USED)


def test_the_metadata_of_the_shown_variant_comes_before_json_ld() -> None:
    head = (
        '<meta property="og:type" content="product"><meta property="product:price:amount" content="36,00">'
        '<meta property="product:price:currency" content="EUR">'
    )
    data = {**PRODUCT, "offers": {**OFFER, "priceCurrency": "EUR"}}

    page = read_page(page_with(head + ld(data)), URL)

    assert (page.price, page.list_price) == (Money.of(36, "EUR"), Money.of(45, "EUR"))


@pytest.mark.parametrize(
    "body",
    [
        '<h1>Executive Anvil</h1><p class="price-box">$45.00</p>',
        '<h1>Executive Anvil</h1><div id="price"><span>$</span><span>45</span><sup>00</sup></div>',
        '<h1>Executive Anvil</h1><s class="price">$60</s><span class="price sale-price">$45.00</span>',
        '<h1>Executive Anvil</h1><span class="price-savings">Save $15</span><b data-testid="customer-price">$45.00</b>',
        '<div class="carousel"><b class="price">$9</b></div><h1>Executive Anvil</h1><b class="price">$45.00</b>'
        '<section class="related"><b class="price">$12</b></section>',
        '<h1>Executive Anvil</h1><b class="price">$45.00</b><p class="shipping-price">$5.99</p>'
        '<i class="price-per-unit">$1</i>',
        "<h1>Executive Anvil $45.00</h1><h2 class='finalPrice'>$45</h2>",
    ],
)
def test_without_markup_the_price_next_to_the_heading_counts(body: str) -> None:
    page = read_page(page_with(body=body), URL)

    assert (page.kind, page.price) == (PageKind.PRODUCT, Money.of(45))


def test_an_old_price_shown_beside_is_the_list_price() -> None:
    body = '<h1>Executive Anvil</h1><span class="sale-price">$45.00</span><span class="was-price">$60.00</span>'

    assert read_page(page_with(body=body), URL).list_price == Money.of(60)


def test_a_listing_has_no_price() -> None:
    tiles = "".join(f'<li><a href="/{n}">Anvil {n}</a><b class="price">${n}.99</b></li>' for n in range(10, 40))

    page = read_page(page_with(body=f"<h1>Results for anvil</h1><ul>{tiles}</ul>", title="anvil - Shop"), URL)

    assert (page.kind, page.price) == (PageKind.LISTING, None)


def test_a_page_of_many_marked_up_products_is_a_listing() -> None:
    tile = (
        '<div itemscope itemtype="https://schema.org/Product"><i itemprop="name">Anvil {n}</i>'
        '<b itemprop="price">{n}</b></div>'
    )

    page = read_page(page_with(body="<h1>Anvils</h1>" + "".join(tile.format(n=n) for n in range(1, 9))), URL)

    assert (page.kind, page.price) == (PageKind.LISTING, None)


@pytest.mark.parametrize(
    "head",
    ['<meta property="og:type" content="article">', ld({"@type": "NewsArticle", "headline": "Anvils are back"})],
)
def test_an_article_has_no_price(head: str) -> None:
    page = read_page(page_with(head, "<h1>Anvils are back</h1><p class='price'>$45.00</p><p>They cost $45.</p>"), URL)

    assert (page.kind, page.price) == (PageKind.ARTICLE, None)


@pytest.mark.parametrize("title", ["Robot or human?", "Just a moment...", "Access Denied", "Attention Required! | CDN"])
def test_a_bot_wall_is_recognised(title: str) -> None:
    page = read_page(page_with(title=title, body="<h1>Press and hold</h1><b class='price'>$45</b>"), URL)

    assert (page.kind, page.price) == (PageKind.BLOCKED, None)


def test_a_shops_json_answer_is_read() -> None:
    answer = {
        "data": {
            "product": {
                "category": {"name": "Tools"},
                "protection_plans": [{"title": "Plan", "price": {"current_retail": 17}}],
                "item": {"product_description": {"title": "Executive Anvil"}},
                "price": {"current_retail": 45.0, "reg_retail": 60.0},
            }
        }
    }

    page = read_page(json.dumps(answer), URL)

    assert (page.price, page.list_price, page.product) == (Money.of(45), Money.of(60), "Executive Anvil")


def test_bytes_are_decoded_by_what_they_declare() -> None:
    html = page_with(
        '<meta charset="iso-8859-1"><meta property="og:title" content="Caf\xe9">'
        '<meta property="product:price:amount" content="9">'
    )

    assert read_page(html.encode("iso-8859-1"), URL).product == "Caf\xe9"
    assert read_page(html.replace("iso-8859-1", "utf-8").encode(), URL).product == "Caf\xe9"


@pytest.mark.parametrize("document", [b"", b"   ", "<script>", b"\x00" * 5000])
def test_a_page_with_nothing_in_it_is_refused_by_a_typed_error(document: bytes | str) -> None:
    with pytest.raises(PageError) as caught:
        read_page(document, URL)

    assert caught.value.url == URL


@pytest.mark.parametrize(
    "document",
    [
        "<div>" * 50_000,
        "<p>" * 100_000,
        "<svg/>" * 50_000 + "<p>x",
        "<script type='application/ld+json'>" + "[" * 200_000 + "</script><p>x",
        "{" * 200_000,
        "<h1>X</h1>" + "<div class='price'>$5 or $6</div>" * 20_000,
        "<table>" * 20_000,
        "&#x110000;" * 20_000,
        "<h1>x</h1><b class=price>$" + "9" * 50_000 + "</b>",
    ],
)
def test_hostile_markup_yields_no_price(document: str) -> None:
    assert read_page(document, URL).price is None
