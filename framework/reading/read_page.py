"""Read a fetched page: what kind it is, and the product on it.

The sources, best first: the page's metadata (rendered for the very variant the address names), JSON-LD, microdata, and
what the page shows next to its heading. A range of prices over variants is no price. Pages of many products, articles
and bot walls have none either.
"""

from __future__ import annotations

import html
import re

from framework.deals import Condition
from framework.errors import PageError
from framework.money import Money
from framework.reading.currencies import currency_of_site
from framework.reading.jsonbody import read_json
from framework.reading.jsonld import JsonLd
from framework.reading.markup import ProductMarkup, from_meta, from_microdata, with_list_price
from framework.reading.offers import consistent
from framework.reading.pages import Page, PageKind
from framework.reading.role import Role
from framework.reading.roles import read_roles
from framework.reading.text import clean
from framework.reading.titles import condition_of
from framework.reading.tree import Tree, decode, parse, text_of
from framework.reading.visible import Shown, is_listing_heading, shown

_WALL = re.compile(
    r"robot or human|are you a (?:robot|human)|access (?:to this page has been )?denied|just a moment"
    r"|attention required"
    r"|verify (?:that )?you(?:'re| are)|pardon our interruption|captcha|unusual traffic|security check"
    r"|request (?:was )?blocked|403 forbidden|you have been blocked|enable (?:javascript|cookies) (?:and|to)"
    r"|checking your browser|bot detection|press (?:&|and) hold",
    re.I,
)
_WALL_TEXT = 6000  # characters: a wall says little
_MANY = 12  # different prices: no page of one product without markup shows as many outside its carousels


def read_page(document: bytes | str, url: str) -> Page:
    """Read a page's bytes. Raises ``PageError`` when there is nothing in it that could be read."""
    default = currency_of_site(url) or "USD"
    text = decode(document)
    if text.lstrip()[:1] in ("{", "[") and (page := read_json(text, url, default)):
        return page
    tree = parse(text, url)
    title = clean(tree.first_text("title") or tree.meta.get("og:title", ""))[:300]
    body = text_of(tree.root, _WALL_TEXT + 1)
    if _is_wall(title, body, tree):
        return Page(url=url, kind=PageKind.BLOCKED, title=title)
    data = JsonLd(tree.json_ld)
    microdata, count = from_microdata(tree, default)
    meta, ld = from_meta(tree, default), data.product(default)
    seen = shown(tree, default)
    kind = _kind(tree, data, [markup for markup in (meta, ld, microdata) if markup], count, seen)
    if kind is not PageKind.PRODUCT:
        return Page(url=url, kind=kind, title=title)
    return _page(url, title, [markup for markup in (meta, ld, microdata) if markup], seen, default)


def _is_wall(title: str, body: str, tree: Tree) -> bool:
    if len(body) > _WALL_TEXT or tree.json_ld:
        return False
    return bool(_WALL.search(title) or (len(body) < 1500 and _WALL.search(body)))


def _kind(tree: Tree, data: JsonLd, markups: list[ProductMarkup], microdata_products: int, seen: Shown) -> PageKind:
    """What the page is, by what it calls itself, then by how many prices it shows."""
    claims_product = any(markup.source in ("meta", "json-ld") for markup in markups)
    if claims_product:
        return PageKind.PRODUCT
    if data.has_article() or tree.meta.get("og:type", "").lower() in ("article", "blog", "news"):
        return PageKind.LISTING if seen.distinct >= _MANY else PageKind.ARTICLE
    if microdata_products > 3 or (data.has_list() and seen.distinct > 3):
        return PageKind.LISTING
    if markups:
        return PageKind.PRODUCT
    if seen.distinct >= _MANY and is_listing_heading(seen.heading):
        return PageKind.LISTING
    if seen.price and seen.heading:
        return PageKind.PRODUCT
    return PageKind.LISTING if seen.distinct >= _MANY else PageKind.OTHER


def _page(url: str, title: str, markups: list[ProductMarkup], seen: Shown, default: str) -> Page:
    best = _best(markups, seen, default)
    by_trust = sorted(markups, key=lambda markup: markup.source == "meta")  # og:title may be the shop's own name
    name = next((markup.name for markup in by_trust if markup.name), None) or seen.heading or title
    name = clean(html.unescape(name))[:300]
    return Page(
        url=url,
        kind=PageKind.PRODUCT,
        title=title,
        product=name or None,
        price=best.price,
        list_price=best.list_price,
        availability=_first(markups, "availability"),
        condition=_first_condition(markups) or condition_of(f"{title} {name}"),
        brand=_first(markups, "brand"),
        image=_first(markups, "image"),
        description=clean(html.unescape(max((markup.description for markup in markups), key=len, default="")))[:2000],
        evidence=(f"{best.source}: {best.price}",) if best.price else (),
    )


def _best(markups: list[ProductMarkup], seen: Shown, default: str) -> ProductMarkup:
    """The most trusted source with a price; a higher price of another source is then the list price."""
    priced = [markup for markup in markups if markup.price and not markup.is_range]
    named = _price_in_heading(seen, default)
    if named and (seen.price is None or consistent(seen.price.amount, named.amount)):
        priced.append(ProductMarkup("heading", price=named))
    ranges = [markup.variants for markup in markups if markup.is_range]
    if seen.price and all(seen.price in variants for variants in ranges):
        priced.append(ProductMarkup(f"shown ({seen.evidence})", price=seen.price))
    if not priced:
        return ProductMarkup("none")
    best = priced[0]
    for other in priced[1:]:
        if other.source == "json-ld":
            best = with_list_price(best, other.price)
    return with_list_price(best, seen.list_price)


def _price_in_heading(seen: Shown, default: str) -> Money | None:
    """The price in a deal page's heading: "HP OMEN 16 ... $999.99"."""
    dollar = default if default != "USD" else None
    paid = [item for item in read_roles(seen.heading, dollar=dollar) if item.role is Role.PAID]
    return Money.of(paid[0].value, paid[0].amount.currency) if len(paid) == 1 and paid[0].value else None


def _first(markups: list[ProductMarkup], field: str) -> str | None:
    value = next((value for markup in markups if (value := getattr(markup, field))), None)
    return str(value)[:500] if value else None


def _first_condition(markups: list[ProductMarkup]) -> Condition | None:
    return next((markup.condition for markup in markups if markup.condition), None)


__all__ = ["PageError", "read_page"]
