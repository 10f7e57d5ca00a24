"""The map of the catalogue: t-SNE of the products' vectors, worked out once and kept as JSON in the state folder.

t-SNE keeps neighbours together (van der Maaten and Hinton 2008); principal components give it a stable start and
scale. It is an aid to the eye: distances between clusters mean little.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from pydantic import ValidationError

from framework.atlas import Atlas, Place
from framework.errors import DealhoundError
from models.catalogue import Catalogue, CatalogueItem, pages
from models.encoder import Vectors

log = structlog.get_logger("atlas")

MOST_PLACES = 3_000
_GROWN = 1.2  # the map is laid out afresh when the catalogue is this much larger or smaller


class CatalogueAtlas:
    """Answers at once with the map that is there, and lays out a missing or outdated one in a thread of its own."""

    def __init__(self, catalogue: Catalogue, path: Path, *, most: int = MOST_PLACES) -> None:
        self._catalogue = catalogue
        self._path = path
        self._most = most
        self._lock = threading.Lock()
        self._atlas: Atlas | None = None
        self._worker: threading.Thread | None = None
        self._looked = False

    def __call__(self) -> Atlas | None:
        """The map, ``None`` while the first one is being laid out."""
        with self._lock:
            if not self._looked:
                self._looked = True
                self._atlas = _read(self._path)
                self._worker = threading.Thread(target=self._refresh, name="atlas", daemon=True)
                self._worker.start()
            return self._atlas

    def wait(self, seconds: float | None = None) -> None:
        """Wait for the thread that lays out the map, where there is one."""
        if self._worker is not None:
            self._worker.join(seconds)

    def _refresh(self) -> None:
        known = self._atlas
        try:
            size = self._catalogue.count()
            if size == 0 or (known is not None and _near(known.catalogue_size, size)):
                return
            atlas = lay_out(_sample(self._catalogue, self._most), size)
            _write(self._path, atlas)
        except (DealhoundError, OSError) as error:
            log.warning("atlas_failed", error=str(error))
            return
        log.info("atlas_laid_out", places=len(atlas.places), catalogue=size)
        with self._lock:
            self._atlas = atlas


def lay_out(items: list[tuple[CatalogueItem, Vectors]], catalogue_size: int) -> Atlas:
    """Places for these products in two and in three dimensions."""
    vectors = np.stack([vector for _, vector in items]).astype(np.float32)
    flat, deep = _embed(vectors, 2), _embed(vectors, 3)
    places = [
        Place(
            description=item.description,
            category=item.category,
            price=item.price,
            flat=_rounded(flat[row]),
            deep=_rounded(deep[row]),
        )
        for row, (item, _) in enumerate(items)
    ]
    return Atlas(places=tuple(places), catalogue_size=catalogue_size)


def _embed(vectors: Vectors, dimensions: int) -> Any:
    """The t-SNE embedding; for fewer than five products, which have no neighbourhoods, the vectors' first axes."""
    if len(vectors) < 5:
        return np.pad(vectors, ((0, 0), (0, dimensions)))[:, :dimensions]
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(vectors) - 1) / 3)
    tsne = TSNE(dimensions, perplexity=perplexity, metric="cosine", init="random", random_state=0, max_iter=750)
    return tsne.fit_transform(vectors)


def _rounded(row: Any) -> Any:
    return tuple(round(float(value), 2) for value in row)


def _sample(catalogue: Catalogue, most: int) -> list[tuple[CatalogueItem, Vectors]]:
    """All products of a small catalogue, evenly spread ones of a large one."""
    step = max(1, -(-catalogue.count() // most))
    everything = (item for page in pages(catalogue) for item in page)
    return [item for number, item in enumerate(everything) if number % step == 0]


def _near(known: int, size: int) -> bool:
    return known / _GROWN <= size <= known * _GROWN


def _read(path: Path) -> Atlas | None:
    try:
        return Atlas.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        log.warning("atlas_unreadable", path=str(path), error=type(error).__name__)
        return None


def _write(path: Path, atlas: Atlas) -> None:
    """Whole or not at all: a reader never meets half a map."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    draft.write_text(atlas.model_dump_json(), encoding="utf-8")
    draft.replace(path)
