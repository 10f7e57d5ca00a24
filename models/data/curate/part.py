"""One part of a source, worked on by one process: records in, clean lines and what the later steps need out.

The results are three files in the work folder, ``00012.jsonl``, ``.sig`` (signatures) and ``.npz`` (the rest), written
under other names and renamed, the ``.npz`` last: a part is done when it is there, whenever the process is killed.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from models.data.curate.balance import PRICE_BANDS, price_band
from models.data.curate.plan import Plan
from models.data.curate.read import Candidate, Drop, read
from models.data.curate.similar import PERMUTATIONS, exact_key, signature, variant_key, words_of
from models.data.curate.window import TokenWindow

SPLITS = ("", "train", "dev", "test")  # a later one wins where a group states several
TOKEN_STEP, TOKEN_BINS = 10, 50  # of the histogram of tokens
_BATCH = 1_000


class Part(Protocol):
    """A piece of a source that another process can read. It is pickled on its way there."""

    @property
    def category(self) -> str:
        """The category of records that name none themselves."""
        ...

    def records(self) -> Iterator[object]:
        """The raw records; what is no record comes as ``None``."""
        ...


@dataclass
class Tally:
    """What was seen of a part or of all, before anything but unusable records was left out."""

    records: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    prices: list[int] = field(default_factory=lambda: [0] * PRICE_BANDS)
    tokens: list[int] = field(default_factory=lambda: [0] * TOKEN_BINS)

    def add(self, other: Tally) -> None:
        """Take in the tally of another part."""
        self.records += other.records
        self.dropped.update(other.dropped)
        self.categories.update(other.categories)
        self.prices = [a + b for a, b in zip(self.prices, other.prices, strict=True)]
        self.tokens = [a + b for a, b in zip(self.tokens, other.tokens, strict=True)]


def process(part: Part, number: int, folder: Path, plan: Plan, window: TokenWindow) -> int:
    """Work through ``part`` and write its files; returns the number of its records."""
    tally = Tally()
    rows: list[dict[str, Any]] = []
    signatures = []
    temporary = {suffix: folder / f"{number:05}.{suffix}.tmp" for suffix in ("jsonl", "sig", "npz")}
    with temporary["jsonl"].open("w", encoding="utf-8") as lines:
        for batch in _batches(_readable(part, plan, tally)):
            fitted = window.fit([(candidate.title, candidate.description) for candidate in batch])
            for candidate, (title, description, tokens) in zip(batch, fitted, strict=True):
                tally.categories[candidate.category] += 1
                tally.tokens[min(tokens // TOKEN_STEP, TOKEN_BINS - 1)] += 1
                if tokens < plan.tokens[0] or not title:
                    tally.dropped[Drop.SHORT] += 1
                    continue
                words = words_of(f"{title} {description}")
                signatures.append(signature(words))
                rows.append(_facts(candidate, words, min(tokens, plan.tokens[1])))
                line = {**vars(candidate), "title": title, "description": description}
                lines.write(json.dumps(line, ensure_ascii=False) + "\n")
            tally.prices = _added(tally.prices, [candidate.price for candidate in batch])
    temporary["sig"].write_bytes(np.array(signatures, np.uint16).reshape(-1, PERMUTATIONS).tobytes())
    with temporary["npz"].open("wb") as file:
        np.savez(file, tally=np.array(json.dumps(vars(tally))), **_columns(rows))
    for suffix, path in temporary.items():
        os.replace(path, folder / f"{number:05}.{suffix}")
    return tally.records


def _readable(part: Part, plan: Plan, tally: Tally) -> Iterator[Candidate]:
    for raw in part.records():
        tally.records += 1
        found = read(raw, prices=plan.prices, category=part.category)
        if isinstance(found, Drop):
            tally.dropped[found] += 1
        else:
            yield found


def _batches(items: Iterable[Candidate]) -> Iterator[list[Candidate]]:
    iterator = iter(items)
    while batch := list(islice(iterator, _BATCH)):
        yield batch


def _facts(candidate: Candidate, words: list[str], tokens: int) -> dict[str, Any]:
    return {
        "price": candidate.price,
        "tokens": tokens,
        "category": candidate.category,
        "exact": exact_key(words),
        "variant": variant_key(words),
        "group": exact_key([candidate.group]) if candidate.group else 0,
        "split": SPLITS.index(candidate.split),
    }


_TYPES = {
    "price": np.float64,
    "tokens": np.uint16,
    "category": np.str_,
    "exact": np.uint64,
    "variant": np.uint32,
    "group": np.uint64,
    "split": np.uint8,
}


def _columns(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: np.array([row[name] for row in rows], kind) for name, kind in _TYPES.items()}


def _added(bands: list[int], prices: list[float]) -> list[int]:
    counted = np.bincount(price_band(np.array(prices)), minlength=PRICE_BANDS)
    return [a + int(b) for a, b in zip(bands, counted, strict=True)]
