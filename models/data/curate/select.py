"""Which of the clean records are taken, and into which split each goes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.data.curate.balance import PRICE_BANDS, chances, draw, price_band
from models.data.curate.part import SPLITS, TOKEN_BINS, TOKEN_STEP
from models.data.curate.plan import Plan
from models.data.curate.read import Drop
from models.data.curate.similar import similar_clusters, with_groups
from models.data.curate.table import Table

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Selection:
    """``kept`` marks the records taken; ``line`` is each one's product line (the number of its first record), and
    ``split`` a number into ``SPLITS``."""

    kept: Bools
    line: Ints
    split: npt.NDArray[np.uint8]
    dropped: dict[str, int]

    def shape(self, table: Table) -> dict[str, Any]:
        """Prices, tokens and categories of what was taken, as the report shows them."""
        kept = self.kept
        bins = np.minimum(table.tokens[kept] // TOKEN_STEP, TOKEN_BINS - 1)
        named = Counter({table.categories[code]: int(n) for code, n in enumerate(np.bincount(table.category[kept]))})
        return {
            "prices": np.bincount(price_band(table.price[kept]), minlength=PRICE_BANDS).tolist(),
            "tokens": np.bincount(bins, minlength=TOKEN_BINS).tolist(),
            "categories": {name: count for name, count in named.most_common() if count},
        }


def select(table: Table, plan: Plan) -> Selection:
    """Duplicates out, then a balanced draw, then the splits."""
    everything = np.arange(len(table.price))
    cluster = similar_clusters(table.signatures, least=plan.similar)
    first = _first_of(table.exact)
    # Of texts that are alike one stays for each set of numbers in them: "1 TB" and "2 TB" are two products.
    single = _first_of(cluster.astype(np.uint64) << np.uint64(32) | table.variant, first)
    chosen = everything[single]
    size = plan.size or (len(chosen) + 1) // 2
    chance = chances(table.price[chosen], table.category[chosen], size, plan.strength)
    kept = np.zeros(len(everything), bool)
    kept[chosen[draw(chance, plan.seed)]] = True
    line = with_groups(cluster, table.group)
    dropped = {
        Drop.EXACT.value: int((~first).sum()),
        Drop.NEAR.value: int(first.sum() - single.sum()),
        Drop.BALANCE.value: int(single.sum() - kept.sum()),
    }
    return Selection(kept, line, _splits(line, table, plan), dropped)


def _first_of(keys: npt.NDArray[np.uint64], among: Bools | None = None) -> Bools:
    """Marks the first record of each key, of those ``among`` if given."""
    places = np.arange(len(keys)) if among is None else np.flatnonzero(among)
    _, index = np.unique(keys[places], return_index=True)
    marks = np.zeros(len(keys), bool)
    marks[places[index]] = True
    return marks


def _splits(line: Ints, table: Table, plan: Plan) -> npt.NDArray[np.uint8]:
    """The split of each record: one for a whole product line, so that no test product has a twin in training.

    What the source states stands; where a line has several, the one nearest to the test. Else chance decides by a hash
    of the line's first text, so that further data moves no product from one split to another.
    """
    stated = np.zeros(len(line), np.uint8)
    np.maximum.at(stated, line, table.split)
    share = _mixed(table.exact ^ np.uint64(plan.seed)) / 2.0**64
    drawn = np.full(len(line), SPLITS.index("train"), np.uint8)
    drawn[share < plan.test + plan.dev] = SPLITS.index("dev")
    drawn[share < plan.test] = SPLITS.index("test")
    of_line = np.where(stated > 0, stated, drawn)
    split: npt.NDArray[np.uint8] = of_line[line]
    return split


def _mixed(keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele et al., 2014): a seed flips every bit with even chance."""
    mixed = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
