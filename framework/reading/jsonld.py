"""JSON-LD as shops write it: graphs, arrays, nested offers, price specifications, and broken JSON.

Reading is bounded: so many scripts, so many nodes, no recursion.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any

from framework.money import Money
from framework.reading.amounts import parse_price
from framework.reading.markup import ProductMarkup, availability_word, condition_word

_MOST_NODES = 20_000
_PRODUCTS = (
    "product",
    "productgroup",
    "productmodel",
    "individualproduct",
    "book",
    "vehicle",
    "car",
    "softwareapplication",
    "videogame",
)
_ARTICLES = ("article", "newsarticle", "blogposting", "reportagenewsarticle", "techarticle", "liveblogposting")
_LISTS = ("itemlist", "collectionpage", "searchresultspage", "offercatalog")
_ASIDE = frozenset(
    {
        "isRelatedTo",
        "isSimilarTo",
        "isAccessoryOrSparePartFor",
        "review",
        "itemListElement",
        "hasPart",
        "about",
        "mentions",
    }
)
_TRAILING_COMMA = re.compile(r",\s*(?=[}\]])")
_WRAPPERS = re.compile(r"^\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[|/\*[^*]{0,80}\*/)+|(?:-->|//\s*\]\]>|\]\]>|;)\s*$")

Node = dict[str, Any]


class JsonLd:
    """The nodes of all JSON-LD scripts of a page."""

    def __init__(self, scripts: tuple[str, ...]) -> None:
        self._nodes = [found for script in scripts for found in _walk(_loads(script))][:_MOST_NODES]

    def has_article(self) -> bool:
        """Whether the page calls itself an article."""
        return any(_is_a(node, _ARTICLES) for node, _ in self._nodes)

    def has_list(self) -> bool:
        """Whether the page calls itself a list of things (lists of breadcrumbs have another type)."""
        return any(_is_a(node, _LISTS) for node, _ in self._nodes)

    def product(self, default: str) -> ProductMarkup | None:
        """The product that the page is about: the first one that is no related item or list element."""
        products = [node for node, aside in self._nodes if not aside and _is_a(node, _PRODUCTS)]
        offered = [
            {**item, "offers": node}
            for node, aside in self._nodes
            if not aside and _is_a(node, ("offer",)) and isinstance(item := _lower(node).get("itemoffered"), dict)
        ]
        with_offer = [node for node in products if _lower(node).get("offers")]
        node = next(iter(with_offer + offered + products), None)
        return _product(node, default) if node else None


def _loads(script: str) -> Any:
    """Parse a script, mending what is often broken in the wild; ``None`` when it is beyond that."""
    text = _WRAPPERS.sub("", script.strip()).strip()
    for attempt in (text, _TRAILING_COMMA.sub("", text), html.unescape(text)):
        try:
            return json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
    try:  # several objects one after another
        return json.JSONDecoder(strict=False).raw_decode(text)[0]
    except (ValueError, RecursionError):
        return None


def _walk(data: Any) -> Iterator[tuple[Node, bool]]:
    """Every object, breadth first, with whether it stands under something the page is not about."""
    level: list[tuple[Any, bool]] = [(data, False)]
    seen = 0
    while level and seen < _MOST_NODES:
        following: list[tuple[Any, bool]] = []
        for value, aside in level:
            seen += 1
            if isinstance(value, dict):
                yield value, aside
                following.extend(
                    (child, aside or key in _ASIDE) for key, child in value.items() if isinstance(child, dict | list)
                )
            elif isinstance(value, list):
                following.extend((child, aside) for child in value if isinstance(child, dict | list))
        level = following


def _is_a(node: Node, names: tuple[str, ...]) -> bool:
    kinds = node.get("@type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return any(isinstance(kind, str) and kind.rstrip("/").rsplit("/", 1)[-1].lower() in names for kind in kinds)


def _lower(node: Node) -> Node:
    return {key.lower(): value for key, value in node.items()}


def _product(node: Node, default: str) -> ProductMarkup:
    fields = _lower(node)
    offers = _offers(fields)
    prices = [(offer, price) for offer in offers if (price := _price(offer, default))]
    in_stock = [pair for pair in prices if "outofstock" not in _text(pair[0].get("availability")).lower()]
    offer, price = next(iter(in_stock or prices), ({}, None))
    ends = [end for key in ("lowprice", "highprice") if (end := _price({**offer, "price": offer.get(key)}, default))]
    return ProductMarkup(
        "json-ld",
        name=_text(fields.get("name")) or None,
        price=price,
        list_price=_listed(offer, price, default),
        availability=availability_word(_text(offer.get("availability"))),
        condition=condition_word(_text(offer.get("itemcondition") or fields.get("itemcondition"))),
        brand=_text(fields.get("brand")) or None,
        image=_text(fields.get("image")) or None,
        description=_text(fields.get("description")),
        variants=frozenset([found for _, found in in_stock or prices] + ends),
    )


def _offers(fields: Node) -> list[Node]:
    """The offers of a product; those within an aggregate offer count on their own when they have prices."""
    found: list[Node] = []
    level = [fields.get("offers")]
    for _ in range(3):
        following: list[Any] = []
        for value in level:
            if isinstance(value, list):
                following.extend(value[:200])
            elif isinstance(value, dict):
                offer = _lower(value)
                found.append(offer)
                if "lowprice" not in offer and "price" not in offer:
                    following.append(offer.get("offers"))
        level = following
    variants = fields.get("hasvariant")
    if not found and isinstance(variants, list):
        return [offer for variant in variants[:200] if isinstance(variant, dict) for offer in _offers(_lower(variant))]
    return found


def _price(offer: Node, default: str) -> Money | None:
    currency = _text(offer.get("pricecurrency"))
    for value in (offer.get("price"), _specified(offer, listed=False), offer.get("lowprice")):
        text, code = (
            (_text(value.get("price")), _text(value.get("pricecurrency")))
            if isinstance(value, dict)
            else (_text(value), "")
        )
        if money := parse_price(text, code or currency or default, default=default):
            return money
    return None


def _specified(offer: Node, *, listed: bool) -> Node | None:
    """The price specification of an offer: the list price or the other one."""
    value = offer.get("pricespecification")
    specifications = [
        _lower(item) for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)
    ]
    for specification in specifications:
        kind = _text(specification.get("pricetype")).lower()
        if any(word in kind for word in ("listprice", "strikethrough", "msrp", "srp")) == listed:
            return specification
    return None


def _listed(offer: Node, price: Money | None, default: str) -> Money | None:
    specification = _specified(offer, listed=True)
    if not specification or not price:
        return None
    listed = parse_price(
        _text(specification.get("price")), _text(specification.get("pricecurrency")) or default, default=default
    )
    return listed if listed and listed.currency == price.currency and listed > price else None


def _text(value: Any) -> str:
    """Text out of a string, a number, a list's first element or an object's name, url or value."""
    for _ in range(4):
        if isinstance(value, list):
            value = value[0] if value else ""
        elif isinstance(value, dict):
            value = next((value[key] for key in ("name", "@value", "url", "@id") if value.get(key)), "")
        else:
            break
    if isinstance(value, bool) or value is None or isinstance(value, dict | list):
        return ""
    return html.unescape(str(value)).strip()[:2000]
