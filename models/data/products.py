"""Products with known prices, read from JSON lines (plain or gzipped).

One object a line; ``title`` and ``price`` (US dollars) are needed, ``description``, ``desc_kind``, ``vintage``,
``group`` and ``split`` are used where present. A line that cannot be used is counted and named, never guessed at.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from framework.errors import TrainingError

_log = structlog.get_logger(__name__)

MAX_TEXT = 1_500  # characters of title and description together
CORE_KINDS = frozenset({"prose", "llm_summary"})
CORE_SINCE = 2015
MODERN = 2_023  # assumed where a product does not say when it had its price


@dataclass(frozen=True, slots=True)
class Product:
    """One priced product. ``price`` is in US dollars of the year ``vintage``; ``group`` names its product line."""

    id: str
    title: str
    description: str
    price: float
    kind: str
    vintage: int
    group: str
    split: str
    category: str

    @property
    def text(self) -> str:
        """What a model reads: the title, a line break and the description."""
        return join_text(self.title, self.description)

    @property
    def core(self) -> bool:
        """Whether it is near to what deals look like: a shop's own words, priced since 2015."""
        return self.kind in CORE_KINDS and self.vintage >= CORE_SINCE


def join_text(title: str, description: str) -> str:
    """Title and description as one text, cut to ``MAX_TEXT`` characters."""
    return f"{title}\n{description}"[:MAX_TEXT].strip()


def load_products(path: Path, split: str | None = None) -> list[Product]:
    """The usable products of the file, of one ``split`` or of all.

    Raises ``TrainingError`` when the file is missing, is no JSON lines file, or holds no usable product.
    """
    products, unusable = [], 0
    for record in _records(path):
        product = _product(record)
        if product is None:
            unusable += 1
        elif split is None or product.split == split:
            products.append(product)
    if unusable:
        _log.warning("products_skipped", path=str(path), count=unusable, reason="no title or no positive price")
    if not products:
        raise TrainingError(f"{path} holds no usable product{f' of split {split!r}' if split else ''}; check the file")
    return products


def file_sha256(path: Path) -> str:
    """The hex digest that a manifest records for a data file or an artifact."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _records(path: Path) -> Iterator[object]:
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            for line in lines:
                if line.strip():
                    yield json.loads(line)
    except (OSError, EOFError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise TrainingError(f"{path} cannot be read as JSON lines ({error})") from error


def _product(record: object) -> Product | None:
    if not isinstance(record, dict):
        return None
    price = _number(record.get("price"))
    title = str(record.get("title") or "").strip()
    if price is None or price <= 0 or not title:
        return None
    return Product(
        id=str(record.get("id") or title),
        title=title,
        description=str(record.get("description") or "").strip(),
        price=price,
        kind=str(record.get("desc_kind") or "prose"),
        vintage=int(_number(record.get("vintage")) or MODERN),
        group=str(record.get("group") or record.get("id") or title),
        split=str(record.get("split") or "train"),
        category=str(record.get("category") or ""),
    )


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
