"""What a page's markup says of its product: JSON-LD, microdata, and the metadata of OpenGraph and its kin.

Vocabulary: schema.org's Product, Offer, AggregateOffer and PriceSpecification, and the Open Graph product object.
Each source gives at most one ``ProductMarkup``; ``read_page`` weighs them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from framework.deals import Condition
from framework.money import Money
from framework.reading.amounts import parse_price
from framework.reading.tree import Element, Tree, text_of


@dataclass(frozen=True)
class ProductMarkup:
    """A product as one kind of markup describes it. ``source`` names the markup."""

    source: str
    name: str | None = None
    price: Money | None = None
    list_price: Money | None = None
    availability: str | None = None
    condition: Condition | None = None
    brand: str | None = None
    image: str | None = None
    description: str = ""
    variants: frozenset[Money] = frozenset()  # several, at different prices: there is no single one

    @property
    def is_range(self) -> bool:
        return len(self.variants) > 1


_CONDITIONS = {
    "new": Condition.NEW,
    "newcondition": Condition.NEW,
    "used": Condition.USED,
    "usedcondition": Condition.USED,
    "damagedcondition": Condition.USED,
    "refurbished": Condition.REFURBISHED,
    "refurbishedcondition": Condition.REFURBISHED,
    "openbox": Condition.OPEN_BOX,
    "openboxcondition": Condition.OPEN_BOX,
}


def condition_word(value: str | None) -> Condition | None:
    """schema.org's item condition, with or without its address."""
    if not value:
        return None
    word = value.strip().rstrip("/").rsplit("/", 1)[-1]
    return _CONDITIONS.get(word.lower().replace(" ", "").replace("_", "").replace("-", ""))


def availability_word(value: str | None) -> str | None:
    """schema.org's word for availability: "InStock", "OutOfStock", ..."""
    if not value:
        return None
    word = value.strip().rstrip("/").rsplit("/", 1)[-1]
    known = {"instock": "InStock", "outofstock": "OutOfStock", "oos": "OutOfStock", "preorder": "PreOrder"}
    return known.get(word.lower().replace(" ", "").replace("_", ""), word[:40]) or None


def from_meta(tree: Tree, default: str) -> ProductMarkup | None:
    """The Open Graph product object ("product:price:amount") and its variants in the wild."""
    meta = tree.meta
    currency = _first(meta, "product:sale_price:currency", "product:price:currency", "og:price:currency") or default
    sale = _price(_first(meta, "product:sale_price:amount", "product:sale_price"), currency)
    plain = _price(_first(meta, "product:price:amount", "og:price:amount", "product:price", "og:price"), currency)
    before = _price(_first(meta, "product:original_price:amount", "og:price:standard_amount"), currency)
    kind = meta.get("og:type", "").lower()
    is_product = kind.startswith("product") or kind.endswith((":product", ":item", ":deal"))
    if not (is_product or sale or plain):
        return None
    price = sale or plain
    listed = before or (plain if sale else None)
    return ProductMarkup(
        "meta",
        name=meta.get("og:title"),
        price=price,
        list_price=listed if listed and price and listed > price else None,
        availability=availability_word(_first(meta, "product:availability", "og:availability")),
        condition=condition_word(meta.get("product:condition")),
        brand=_first(meta, "product:brand", "og:brand"),
        image=_first(meta, "og:image", "og:image:secure_url", "og:image:url", "twitter:image"),
        description=_first(meta, "og:description", "description") or "",
    )


def _first(meta: dict[str, str], *names: str) -> str | None:
    return next((meta[name] for name in names if meta.get(name)), None)


def _price(text: str | None, currency: str) -> Money | None:
    return parse_price(text, currency, default=currency if currency.isalpha() and len(currency) == 3 else "USD")


def from_microdata(tree: Tree, default: str) -> tuple[ProductMarkup | None, int]:
    """The page's microdata product, and how many products its microdata has (many: it is a listing)."""
    scopes = [node for node in tree.elements() if _is_type(node, "product") and not _is_within_product(node)]
    offers = [node for node in tree.elements() if _is_type(node, "offer") and not _is_within_product(node)]
    names = {_property(scope, "name") for scope in scopes}
    if not scopes and offers:
        return _microdata(offers[0], default), len(offers)
    return (_microdata(scopes[0], default), len(names)) if scopes else (None, 0)


def _is_type(node: Element, name: str) -> bool:
    kind = (node.get("itemtype") or "").strip().rstrip("/").lower()
    return kind.endswith((f"schema.org/{name}", f"schema.org/aggregate{name}"))


def _is_within_product(node: Element) -> bool:
    return any(_is_type(parent, "product") for parent in node.iterancestors())


def _microdata(scope: Element, default: str) -> ProductMarkup:
    currency = _property(scope, "priceCurrency") or default
    stated = [price for text in _properties(scope, "price") if (price := _price(text, currency))]
    ends = [price for name in ("lowPrice", "highPrice") if (price := _price(_property(scope, name), currency))]
    return ProductMarkup(
        "microdata",
        name=_property(scope, "name"),
        price=next(iter(stated + ends), None),
        availability=availability_word(_property(scope, "availability")),
        condition=condition_word(_property(scope, "itemCondition")),
        brand=_property(scope, "brand"),
        image=_property(scope, "image"),
        description=_property(scope, "description") or "",
        variants=frozenset(stated + ends),
    )


def _property(scope: Element, name: str) -> str | None:
    return next(iter(_properties(scope, name)), None)


def _properties(scope: Element, name: str) -> list[str]:
    """The values of a property in a scope, those with a machine-readable ``content`` first."""
    found = [(node.get("content"), node) for node in scope.iter() if name in (_itemprop(node) or "").split()]
    stated = [content.strip() for content, _ in found if content and content.strip()]
    if stated:
        return stated
    return [
        value for _, node in found if (value := (node.get("href") or node.get("src") or text_of(node, 2000)).strip())
    ]


def _itemprop(node: Element) -> str | None:
    return node.get("itemprop") if isinstance(node.tag, str) else None


def with_list_price(markup: ProductMarkup, listed: Money | None) -> ProductMarkup:
    """The markup with a list price, if it is above the price and in its currency."""
    price = markup.price
    if not price or not listed or listed.currency != price.currency or listed <= price:
        return markup
    return replace(markup, list_price=markup.list_price or listed)
