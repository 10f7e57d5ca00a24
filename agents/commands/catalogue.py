"""``catalogue build, add, info``."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import structlog
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from agents.assemble import Hound
from framework.errors import SettingsError
from models.catalogue import CatalogueItem, pages


class _Line(BaseModel):
    """A line of a product file: our own format, or a data set's with title and description apart."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    id: str | None = None
    title: str | None = None
    description: str | None = None
    category: str | None = None
    brand: str | None = None
    price: float = Field(gt=0, allow_inf_nan=False)
    as_of: int | None = Field(default=None, validation_alias=AliasChoices("as_of", "vintage"))

    def item(self) -> CatalogueItem:
        """The line as a product. A line without an id is known by its text, so that adding it again adds nothing."""
        text = "\n".join(part.strip() for part in (self.title, self.description) if part and part.strip())
        return CatalogueItem(
            id=self.id or hashlib.sha256(text.encode()).hexdigest()[:16],
            description=text,
            category=self.category or "",
            brand=self.brand or "",
            price=self.price,
            as_of=self.as_of or 0,
        )


def info(hound: Hound) -> dict[str, Any]:
    """How many products there are, by category."""
    facts = hound.catalogue.info()
    categories = Counter(item.category or "(none)" for page in pages(hound.catalogue) for item, _ in page)
    return {
        "location": facts.location,
        "count": facts.count,
        "shipped": facts.shipped,
        "categories": dict(categories.most_common()),
    }


def add(hound: Hound, files: Sequence[Path]) -> dict[str, Any]:
    """Add the products of JSONL files (plain or gzipped); those that are there already cost a look-up only."""
    written = sum(hound.catalogue.add(_items(file), progress=_telling(file)) for file in files)
    return {**info(hound), "written": written}


def build(hound: Hound) -> dict[str, Any]:
    """Rebuild the catalogue from the shipped products alone."""
    hound.catalogue.count()  # opens it, so that there is something to clear
    hound.catalogue.clear()
    return info(hound)


def _telling(file: Path) -> Callable[[int], None]:
    log = structlog.get_logger("dealhound").bind(agent="catalogue")
    return lambda seen: log.info("adding", file=file.name, seen=seen)


def _items(file: Path) -> Iterator[CatalogueItem]:
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                yield _Line.model_validate(json.loads(line)).item()
            except (ValidationError, ValueError) as error:
                fault = str(error).splitlines()[0]
                raise SettingsError(f"{file}, line {number} is no priced product: {fault}") from error
