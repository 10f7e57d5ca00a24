"""An exact in-memory index with the catalogue's query: for training and evaluation, and to check Chroma's recall."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.catalogue import CatalogueItem, Neighbour
from models.encoder import Vectors

_BLOCK = 512


class ExactIndex:
    """Items and their unit vectors, searched by brute force."""

    def __init__(self, items: Sequence[CatalogueItem], vectors: Vectors) -> None:
        self._items = items
        self._vectors = np.asarray(vectors, np.float32)

    def query(self, vectors: Vectors, k: int) -> list[list[Neighbour]]:
        """The ``k`` nearest items of each vector, nearest first."""
        size = min(k, len(self._items))
        if size < 1:
            return [[] for _ in vectors]
        found: list[list[Neighbour]] = []
        for start in range(0, len(vectors), _BLOCK):
            similarity = np.asarray(vectors[start : start + _BLOCK], np.float32) @ self._vectors.T
            found.extend(self._row(row, size) for row in similarity)
        return found

    def _row(self, similarity: Vectors, size: int) -> list[Neighbour]:
        best = np.argpartition(-similarity, size - 1)[:size]
        return [self._neighbour(int(i), float(similarity[i])) for i in best[np.argsort(-similarity[best])]]

    def _neighbour(self, index: int, similarity: float) -> Neighbour:
        item = self._items[index]
        inside = max(-1.0, min(1.0, similarity))
        return Neighbour(item.id, item.description, item.category, item.price, item.as_of, inside)
