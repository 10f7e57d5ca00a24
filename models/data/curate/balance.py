"""Draws products so that neither cheap ones nor large categories drown the rest: the two skews of shop data.

Each band of prices and each category gets a quota that grows with its number of products to the power of
``1 - strength``: 0 leaves the shares as they are, 1 wishes for equal ones (the smoothing by which multilingual models
draw from small languages; Conneau et al., 2020, XLM-R). No quota is larger than what there is, so nothing is repeated.
Both sets of quotas are met together by iterative proportional fitting (Deming and Stephan, 1940).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

PRICE_BANDS = 20  # steps of equal ratio, from 0.50 to 1,000 each 46% above the one before
_ROUNDS = 50  # of the fitting; the chances change by less than a hundredth after about 20

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def price_band(prices: npt.NDArray[np.floating]) -> Ints:
    """The band of each price in US dollars."""
    span = np.log(np.maximum(prices, 0.01).astype(np.float64) / 0.5) / np.log(2_000)
    bands: Ints = np.clip(np.floor(span * PRICE_BANDS), 0, PRICE_BANDS - 1).astype(np.int64)
    return bands


def chances(prices: npt.NDArray[np.floating], categories: Ints, size: int, strength: float) -> Floats:
    """The chance of each product to stay, so that about ``size`` of them do; with ``size`` large enough all stay.

    ``categories`` are numbers from 0.
    """
    if size >= len(prices):
        return np.ones(len(prices))
    margins = [(part, quotas(np.bincount(part), size, strength)) for part in (categories, price_band(prices))]
    chance = np.full(len(prices), size / len(prices))
    for _ in range(_ROUNDS):
        for part, quota in margins:
            held = np.bincount(part, chance, len(quota))
            factor = np.divide(quota, held, out=np.ones_like(quota), where=held > 0)
            chance = np.minimum(1.0, chance * factor[part])
    return chance


def quotas(counts: Ints, size: int, strength: float) -> Floats:
    """How many of each part to keep, at most ``counts``, ``size`` in all."""
    wish = np.where(counts > 0, counts.astype(np.float64) ** (1 - strength), 0.0)
    low, high = 0.0, float(counts.max())  # with the factor `high` every wish is above its count
    for _ in range(60):
        middle = (low + high) / 2
        if np.minimum(counts, wish * middle).sum() < size:
            low = middle
        else:
            high = middle
    return np.minimum(counts, wish * high)


def draw(chance: Floats, seed: int) -> npt.NDArray[np.bool_]:
    """Which products stay, each with its own chance; their number is the sum of the chances, rounded.

    Systematic sampling (Madow, 1949): a comb of even steps laid over the running sum of the chances.
    """
    offset = np.random.default_rng(seed).random()
    reached = np.floor(np.cumsum(chance) + offset)
    kept: npt.NDArray[np.bool_] = np.diff(reached, prepend=np.floor(offset)) > 0
    return kept
