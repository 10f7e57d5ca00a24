"""Near and exact duplicates by MinHash and locality-sensitive hashing, over numpy.

A text is the set of its words and word pairs. Its signature holds the least of each of 64 hash functions over that
set (Broder, 1997); the share of equal entries of two signatures estimates the sets' Jaccard similarity, and 16 bits of
each are enough to see it (b-bit minwise hashing, Li and Koenig, 2010). Texts that agree in a whole band of a signature
are compared (Leskovec et al., Mining of Massive Datasets, chapter 3): 16 bands of 4 find a pair of similarity 0.8 with
a chance of 0.9998, and one of 0.5 with 0.64, most of which the comparison then turns away.

Why not datasketch, which keeps an index in Python objects: docs/training.md has the figures of both.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Callable, Iterable
from itertools import pairwise

import numpy as np
import numpy.typing as npt

ROWS_PER_BAND, BANDS = 4, 16
PERMUTATIONS = ROWS_PER_BAND * BANDS
SIMILAR = 0.8
_COMPARED_AT_ONCE = 100_000

Signatures = npt.NDArray[np.uint16]
Numbers = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]

_WORD = re.compile(r"[a-z0-9]+(?:\.[0-9]+)?|[^\W\d_]+")
_DIGIT = re.compile(r"\d")
_RANDOM = np.random.default_rng(20231)  # fixed for ever: signatures of two runs must agree
# Multiply-shift hashing (Dietzfelbinger et al., 1997): odd factors, the upper half of the product.
_FACTORS = _RANDOM.integers(0, 2**63, PERMUTATIONS, np.uint64) * np.uint64(2) + np.uint64(1)
_SUMMANDS = _RANDOM.integers(0, 2**63, PERMUTATIONS, np.uint64)


def words_of(text: str) -> list[str]:
    """The words and numbers of a text in lower case: what the text says, without how it is set."""
    return _WORD.findall(text.lower())


def exact_key(words: Iterable[str]) -> int:
    """Equal for texts of the same words in the same order."""
    joined = " ".join(words).encode("utf-8", "replace")
    return int.from_bytes(hashlib.blake2b(joined, digest_size=8).digest())


def variant_key(words: Iterable[str]) -> int:
    """Equal for texts with the same words that hold digits: ``1 TB`` and ``2 TB`` of one model are two products."""
    return zlib.crc32(" ".join(sorted({word for word in words if _DIGIT.search(word)})).encode())


def signature(words: list[str]) -> Signatures:
    """The MinHash signature of a text's words."""
    names = {word.encode() for word in words} | {f"{a} {b}".encode() for a, b in pairwise(words)}
    if not names:
        return np.zeros(PERMUTATIONS, np.uint16)
    hashes = np.fromiter(map(zlib.crc32, names), np.uint64, len(names))
    mixed = (hashes[:, None] * _FACTORS + _SUMMANDS) >> np.uint64(32)
    least: Signatures = mixed.min(axis=0).astype(np.uint16)
    return least


def band_keys(signatures: Signatures, band: int) -> Numbers:
    """One key per text for a band: equal keys are candidates for similarity."""
    rows = np.ascontiguousarray(signatures[:, band * ROWS_PER_BAND : (band + 1) * ROWS_PER_BAND])
    return rows.view(np.uint64).ravel()


class Clusters:
    """Texts joined into clusters: a forest of parents (union-find), each cluster led by its first text."""

    def __init__(self, count: int) -> None:
        self._parent = np.arange(count, dtype=np.int64)

    def join(self, left: Ints, right: Ints) -> None:
        """Join the clusters of each pair."""
        for a, b in zip(left.tolist(), right.tolist(), strict=True):
            first, second = self._root(a), self._root(b)
            if first != second:
                self._parent[max(first, second)] = min(first, second)

    def leaders(self) -> Ints:
        """For each text the first one of its cluster."""
        while True:
            above = self._parent[self._parent]
            if np.array_equal(above, self._parent):
                return above
            self._parent = above

    def _root(self, index: int) -> int:
        parent = self._parent
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = int(parent[index])
        return index


def chains(keys: Numbers) -> tuple[Ints, Ints]:
    """Neighbouring pairs of texts with equal keys, in order of the texts. A key of 0 stands for none."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    same = (ordered[1:] == ordered[:-1]) & (ordered[1:] != 0)
    return order[:-1][same], order[1:][same]


def similar_clusters(
    signatures: Signatures, *, least: float = SIMILAR, progress: Callable[[int], None] = lambda _: None
) -> Ints:
    """For each text the first text of its cluster: texts that are at least ``least`` similar, and theirs in turn.

    ``signatures`` may be a memory map: one band is read at a time.
    """
    clusters = Clusters(len(signatures))
    for band in range(BANDS):
        left, right = _candidates(band_keys(signatures, band))
        for start in range(0, len(left), _COMPARED_AT_ONCE):
            a, b = left[start : start + _COMPARED_AT_ONCE], right[start : start + _COMPARED_AT_ONCE]
            alike = (signatures[a] == signatures[b]).mean(axis=1) >= least
            clusters.join(a[alike], b[alike])
        progress(band)
    return clusters.leaders()


def with_groups(leaders: Ints, groups: Numbers) -> Ints:
    """The clusters of ``leaders``, those of one stated group joined; ``groups`` has a number per text, 0 for none."""
    clusters = Clusters(len(leaders))
    clusters.join(leaders, np.arange(len(leaders)))
    clusters.join(*chains(groups))
    return clusters.leaders()


def _candidates(keys: Numbers) -> tuple[Ints, Ints]:
    """Pairs to compare: within a bucket each text with the one before it and with the bucket's first.

    All pairs of a bucket would be quadratic in boilerplate that thousands of texts share; clusters join the rest.
    """
    left, right = chains(keys)
    starts = np.ones(len(left), bool)
    starts[1:] = left[1:] != right[:-1]
    first = left[starts][np.cumsum(starts) - 1] if len(left) else left
    further = first != left
    return np.concatenate([left, first[further]]), np.concatenate([right, right[further]])
