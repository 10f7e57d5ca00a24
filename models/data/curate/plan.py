"""What a curation shall do: every choice with its default."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from framework.errors import SettingsError
from models.data.curate.similar import SIMILAR
from models.data.curate.window import SHIPPED
from models.data.prompts import LEAST_PRICE, MOST_PRICE


@dataclass(frozen=True, slots=True)
class Plan:
    """The choices. ``size`` is the number of products to draw; ``None`` is half of those that are clean and single.

    ``prices`` in US dollars, ``tokens`` the least and the most of a text by ``tokenizer`` (a ``tokenizer.json``);
    ``strength`` of the balance from 0 (as found) to 1 (even); ``dev`` and ``test`` are shares of the product groups.
    Raises ``SettingsError`` for choices that cannot work.
    """

    prices: tuple[float, float] = (LEAST_PRICE, MOST_PRICE)
    tokens: tuple[int, int] = (16, 160)
    tokenizer: Path = SHIPPED
    size: int | None = None
    strength: float = 0.75
    similar: float = SIMILAR
    dev: float = 0.05
    test: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        faults = {
            f"prices must be LEAST <= MOST within ${LEAST_PRICE} to ${MOST_PRICE}": not (
                LEAST_PRICE <= self.prices[0] <= self.prices[1] <= MOST_PRICE
            ),
            "tokens must be 1 <= LEAST <= MOST": not 1 <= self.tokens[0] <= self.tokens[1],
            "size must be at least 1": self.size is not None and self.size < 1,
            "strength must be 0 to 1": not 0 <= self.strength <= 1,
            "similar must be above 0.5 and at most 1": not 0.5 < self.similar <= 1,
            "dev and test must be shares that leave some for training": not (
                self.dev >= 0 and self.test >= 0 and self.dev + self.test < 1
            ),
        }
        found = [sentence for sentence, wrong in faults.items() if wrong]
        if found:
            raise SettingsError("This curation cannot work: " + "; ".join(found))

    def reading(self) -> str:
        """The choices on which the reading of records depends: a run that differs in them starts afresh."""
        return json.dumps([self.prices, self.tokens[1], self.tokens[0], str(self.tokenizer)])
