"""A language model's next-token probabilities as a distribution over prices.

Where a tokenizer has one token for each whole number up to 999 (as those of the Llama 3 family do), the prompt that
ends in ``Price is $`` is answered by a single token. The model's best guess is then not its likeliest token but the
expected value over the likeliest ones: a regression read from a classifier, as in ``models.specialist.bins``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from framework.errors import TrainingError
from models.data.prompts import ANSWER

Floats = npt.NDArray[np.float64]

LARGEST = 999
LIKELIEST = 20  # price tokens that the expected value is taken over


@dataclass(frozen=True, slots=True)
class PriceBelief:
    """What a model says of one product, in US dollars: its best guess, its likeliest answer, and its 80% range."""

    value: float
    greedy: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class PriceTokens:
    """The tokens that are whole numbers of dollars; ``prices[i]`` is what token ``ids[i]`` says."""

    ids: npt.NDArray[np.int64]
    prices: Floats

    @classmethod
    def find(cls, encode: Callable[[str], Sequence[int]], name: str) -> PriceTokens:
        """The price tokens of the tokenizer behind ``encode`` (which adds no special tokens) of the model ``name``.

        Raises ``TrainingError`` where a number up to 999 is more than one token: such a model cannot say a price in
        one step.
        """
        before = list(encode(ANSWER))
        ids = []
        for number in range(1, LARGEST + 1):
            tokens = list(encode(f"{ANSWER}{number}"))
            if len(tokens) != len(before) + 1 or tokens[:-1] != before:
                raise TrainingError(
                    f"{name} has no single token for the number {number}, so it cannot say a price in one step; "
                    "use a base model that has one for each up to 999, such as meta-llama/Llama-3.2-3B"
                )
            ids.append(tokens[-1])
        return cls(np.array(ids, np.int64), np.arange(1, LARGEST + 1, dtype=np.float64))

    def belief(self, logits: npt.NDArray[np.floating], likeliest: int = LIKELIEST) -> PriceBelief:
        """The belief behind the next-token ``logits`` of one prompt; tokens that are no price have no say."""
        own = np.asarray(logits, dtype=np.float64)[self.ids]
        weight = np.exp(own - own.max())
        weight /= weight.sum()
        best = np.argsort(-weight, kind="stable")[:likeliest]
        low, high = np.searchsorted(np.cumsum(weight), (0.1, 0.9)).clip(max=LARGEST - 1)
        return PriceBelief(
            value=float(weight[best] @ self.prices[best] / weight[best].sum()),
            greedy=float(self.prices[best[0]]),
            low=float(self.prices[low]),
            high=float(self.prices[high]),
        )
