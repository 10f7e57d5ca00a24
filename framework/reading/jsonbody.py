"""Pages that are JSON: a shop's own interface answering with one product."""

from __future__ import annotations

import html
import json
import re
from typing import Any

from framework.money import Money
from framework.reading.amounts import parse_price
from framework.reading.pages import Page, PageKind

_CURRENT = (
    "current_retail",
    "current_price",
    "currentprice",
    "saleprice",
    "sale_price",
    "final_price",
    "finalprice",
    "formatted_current_price",
    "price",
    "amount",
    "value",
)
_LISTED = (
    "reg_retail",
    "regular_price",
    "regularprice",
    "list_price",
    "listprice",
    "msrp",
    "original_price",
    "was_price",
)
_NAMES = ("title", "name", "product_name", "productname")
_ASIDE = re.compile(
    r"breadcrumb|categor|review|question|related|similar|recommend|protection|plan|accessor|parent|children", re.I
)
_MOST_NODES = 20_000


def read_json(document: str, url: str, default: str) -> Page | None:
    """Read a JSON answer as a product page; ``None`` when it is no JSON object."""
    try:
        data = json.loads(document)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    price, listed = _prices(data, default)
    name = _name(data)
    kind = PageKind.PRODUCT if price else PageKind.OTHER
    if listed and price and not (listed.currency == price.currency and listed > price):
        listed = None
    evidence = (f"json price {price}",) if price else ()
    return Page(url=url, kind=kind, title=name, product=name or None, price=price, list_price=listed, evidence=evidence)


def _levels(data: Any) -> list[dict[str, Any]]:
    """Objects, breadth first: what lies shallow is about the page, what lies deep about its parts."""
    level: list[Any] = [data]
    found: list[dict[str, Any]] = []
    while level and len(found) < _MOST_NODES:
        following: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                found.append(value)
                following.extend(child for key, child in value.items() if not _ASIDE.search(key))
            elif isinstance(value, list):
                following.extend(value)
        level = [value for value in following if isinstance(value, dict | list)]
    return found


def _prices(data: dict[str, Any], default: str) -> tuple[Money | None, Money | None]:
    for node in _levels(data):
        for key in ("price", "prices", "pricing", "offers", "currentPrice", "salePrice", "current_price"):
            value = node.get(key)
            holder = value if isinstance(value, dict) else {"price": value}
            if isinstance(value, dict | str | int | float) and (price := _pick(holder, _CURRENT, default)):
                return price, _pick(holder, _LISTED, default)
    return None, None


def _pick(holder: dict[str, Any], names: tuple[str, ...], default: str) -> Money | None:
    lower = {key.lower(): value for key, value in holder.items()}
    currency = next(
        (str(lower[key]) for key in ("currency", "pricecurrency", "currencycode") if lower.get(key)), default
    )
    for name in names:
        value = lower.get(name)
        if (
            isinstance(value, str | int | float)
            and not isinstance(value, bool)
            and (money := parse_price(str(value), currency, default=default))
        ):
            return money
    return None


def _name(data: dict[str, Any]) -> str:
    """The product's name: the shallowest title, else the shallowest name."""
    nodes = _levels(data)
    for key in _NAMES:
        for node in nodes:
            if isinstance(node.get(key), str) and node[key].strip():
                return html.unescape(str(node[key])).strip()[:300]
    return ""
