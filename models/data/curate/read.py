"""One raw record, as shops and data sets write them, into a clean candidate, or the reason why not.

Known are the fields of Amazon Reviews 2023 (``features``, ``description`` as lists, ``details`` as an object or its
JSON, ``store``, ``parent_asin``; McAuley Lab, arXiv:2403.03952) and those of ``models.data.products``. What a text may
not do is name its own price: amounts of money are taken out.
"""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from models.data.products import MODERN
from models.text import clean, why_unusable

Raw = Mapping[str, Any]


class Drop(StrEnum):
    """Why a record is left out. The value is what the report says."""

    UNREADABLE = "not a record"
    NO_TITLE = "no title"
    NO_PRICE = "no single price"
    PRICE = "price out of range"
    SCRIPT = "text the models cannot read"
    SHORT = "too short for the token window"
    EXACT = "exact duplicate"
    NEAR = "near duplicate"
    BALANCE = "left out to balance"


@dataclass(frozen=True)
class Candidate:
    """A cleaned record. ``group`` and ``split`` are the source's own, empty where it states none."""

    id: str
    title: str
    description: str
    price: float
    category: str
    brand: str
    kind: str
    vintage: int
    used: bool
    group: str
    split: str


# Details that say nothing of a product's worth, or would be known only after its sale.
_NOISE = re.compile(
    r"best sellers rank|asin|date first available|discontinued|batteries (included|required)|customer reviews"
    r"|country of origin|warranty|upc|ean|gtin|isbn|item model number|part number|domestic shipping|is discontinued",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,400}>|<!--.*?-->", re.DOTALL)
_MONEY = re.compile(r"(?:US)?\$\s?\d[\d,]*(?:\.\d+)?|\b\d[\d,]*(?:\.\d+)?\s?(?:USD|dollars)\b", re.IGNORECASE)
_PRICE = re.compile(r"(?:US)?\$?\s*(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?:\s*USD)?", re.IGNORECASE)
_USED = re.compile(r"\b(renewed|refurbished|open[ -]box|pre-?owned|used)\b", re.IGNORECASE)
_JUDGED = 400  # characters by which the script of a text is told
_SPLITS = {"train": "train", "dev": "dev", "val": "dev", "validation": "dev", "valid": "dev", "test": "test"}


def read(raw: object, *, prices: tuple[float, float], category: str = "") -> Candidate | Drop:
    """The candidate in ``raw``; ``category`` is used where the record names none. ``prices`` is the range kept."""
    if not isinstance(raw, Mapping):
        return Drop.UNREADABLE
    title = _line(_first(raw, "title", "name"))
    if not title:
        return Drop.NO_TITLE
    price = read_price(raw.get("price"))
    if price is None:
        return Drop.NO_PRICE
    if not prices[0] <= price <= prices[1]:
        return Drop.PRICE
    prose, details = _prose(raw), _details(raw.get("details"))
    if why_unusable(f"{title} {prose}"[:_JUDGED]):
        return Drop.SCRIPT
    return Candidate(
        id=_line(_first(raw, "id", "parent_asin", "asin", "sku")),
        title=title,
        description=" ".join(part for part in (prose, details) if part),
        price=price,
        category=category or _line(_first(raw, "category", "main_category")) or "unknown",
        brand=_line(_first(raw, "brand", "store")),
        kind=_line(raw.get("desc_kind")) or ("prose" if prose else "attributes" if details else "none"),
        vintage=_year(raw.get("vintage")),
        used=bool(raw.get("used")) or bool(_USED.search(title)),
        group=_line(_first(raw, "group", "parent_asin")),
        split=_SPLITS.get(_line(raw.get("split")).lower(), ""),
    )


def read_price(value: object) -> float | None:
    """One price in US dollars: a number, ``"$1,299.00"``, ``"12.99"``. ``None`` for a range, ``from 9.99`` or none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value) if math.isfinite(value) else None
    found = _PRICE.fullmatch(str(value).strip())
    return float(found[1].replace(",", "")) if found else None


def _first(raw: Raw, *names: str) -> object:
    return next((raw[name] for name in names if raw.get(name)), None)


def _line(value: object) -> str:
    """A value as one clean line."""
    if value is None or isinstance(value, list | dict):
        return ""
    return " ".join(clean(_MONEY.sub(" ", _plain(str(value)))).split())


def _plain(text: str) -> str:
    """Without markup. Entities are decoded first, since feeds often hold escaped tags."""
    return _TAG.sub(" ", html.unescape(text)) if "<" in text or "&" in text else text


def _prose(raw: Raw) -> str:
    parts = [*_texts(raw.get("description") or raw.get("text")), *_texts(raw.get("features"))]
    return " ".join(dict.fromkeys(line for part in parts if (line := _line(part))))


def _texts(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else (value,)


def _details(value: object) -> str:
    """``{"Color": "Red", ...}`` as ``Color: Red. ...``, without what says nothing of the product's worth."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            return _line(value)
    if not isinstance(value, Mapping):
        return ""
    told = ((_line(name), _line(said)) for name, said in value.items() if not _NOISE.search(str(name)))
    return " ".join(f"{name}: {said}." for name, said in told if name and said)


def _year(value: object) -> int:
    text = str(value or "")
    return int(text) if text.isdigit() and 1990 <= int(text) <= 2100 else MODERN
