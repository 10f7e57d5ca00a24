"""What the later steps know of every clean record: columns of numbers, in the order of the records."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.data.curate.part import Tally
from models.data.curate.similar import PERMUTATIONS, Signatures

_SIGNATURES = "signatures"


@dataclass(frozen=True, slots=True)
class Table:
    """``category`` numbers into ``categories``; ``signatures`` is mapped from a file, the rest lies in memory."""

    tally: Tally
    price: npt.NDArray[np.float64]
    tokens: npt.NDArray[np.uint16]
    category: npt.NDArray[np.int64]
    categories: list[str]
    exact: npt.NDArray[np.uint64]
    variant: npt.NDArray[np.uint32]
    group: npt.NDArray[np.uint64]
    split: npt.NDArray[np.uint8]
    signatures: Signatures


def part_files(work: Path, suffix: str) -> list[Path]:
    """The parts' files of one kind, in order."""
    return sorted(work.glob(f"[0-9]*.{suffix}"), key=lambda path: int(path.stem))


def load_table(work: Path) -> Table:
    """Everything that the workers wrote into the folder ``work``."""
    tally, columns, numbers = Tally(), [], dict[str, int]()
    for path in part_files(work, "npz"):
        with np.load(path) as part:
            tally.add(_tally(json.loads(str(part["tally"]))))
            own, place = np.unique(part["category"], return_inverse=True)
            codes = np.array([numbers.setdefault(str(name), len(numbers)) for name in own], np.int64)
            columns.append({name: part[name] for name in part.files if name not in ("tally", "category")})
            columns[-1]["category"] = codes[place] if len(codes) else np.zeros(0, np.int64)
    joined: dict[str, Any] = (
        {name: np.concatenate([part[name] for part in columns]) for name in columns[0]} if columns else {}
    )
    if not joined or not len(joined["price"]):
        joined = {name: np.zeros(0) for name in ("price", "tokens", "category", "exact", "variant", "group", "split")}
    return Table(tally, categories=list(numbers), signatures=_signatures(work, len(joined["price"])), **joined)


def _tally(saved: dict[str, Any]) -> Tally:
    return Tally(**saved | {name: Counter(saved[name]) for name in ("dropped", "categories")})


def _signatures(work: Path, count: int) -> Signatures:
    """The parts' signatures as one file, mapped: 128 bytes for each record need not be in memory."""
    path = work / _SIGNATURES
    with path.open("wb") as whole:
        for part in part_files(work, "sig"):
            whole.write(part.read_bytes())
    if not count:
        return np.zeros((0, PERMUTATIONS), np.uint16)
    return np.memmap(path, np.uint16, "r", shape=(count, PERMUTATIONS))
