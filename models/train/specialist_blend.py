"""How the specialist's halves blend: chosen on products that no half saw, and the figures that it is judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.data.products import Product
from models.specialist import bins

Floats = npt.NDArray[np.float64]

DEEP_SHARES = np.arange(0.0, 0.91, 0.1)
LINEAR_SHARES = np.arange(0.0, 0.61, 0.1)


@dataclass(frozen=True, slots=True)
class HalfPredictions:
    """What the halves say of the same products: bin probabilities, log probabilities, and log prices."""

    deep: npt.NDArray[np.float32]
    wide_log: npt.NDArray[np.float32]
    linear: Floats


@dataclass(frozen=True, slots=True)
class Blend:
    """The deep network's share of the distribution, the ridge regression's of the log price, and the figures."""

    deep_share: float
    linear_share: float
    metrics: dict[str, float]


def choose_blend(halves: HalfPredictions, dev: Sequence[Product], train: Sequence[Product]) -> Blend:
    """The shares with the least sum of MAE ratio and RMSLE, whole and core."""
    blends = []
    for deep_share in DEEP_SHARES:
        centre = bins.median(blend_probabilities(halves, float(deep_share)))
        for linear_share in LINEAR_SHARES:
            log_prices = (1 - linear_share) * centre + linear_share * halves.linear
            metrics = figures(log_prices, dev, train)
            blends.append(Blend(round(float(deep_share), 2), round(float(linear_share), 2), metrics))
    return min(blends, key=lambda blend: _loss(blend.metrics))


def blend_probabilities(halves: HalfPredictions, deep_share: float) -> Floats:
    """Weighted geometric mean of the two distributions."""
    logs = deep_share * np.log(halves.deep + 1e-12) + (1 - deep_share) * halves.wide_log
    weight = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True), dtype=np.float64)


def figures(log_prices: Floats, products: Sequence[Product], train: Sequence[Product]) -> dict[str, float]:
    """MAE over that of always saying ``train``'s mean price, RMSLE, median error and share within $40 or 20%.

    Each for all products and, as ``..._core``, for those near to deals (where there are any).
    """
    price = np.array([product.price for product in products])
    core = np.array([product.core for product in products])
    value = np.exp(log_prices)
    constant = float(np.mean([product.price for product in train]))
    result: dict[str, float] = {}
    for suffix, rows in (("", np.ones(len(price), bool)), ("_core", core)):
        if rows.any():
            error = np.abs(value[rows] - price[rows])
            result |= {
                f"ratio{suffix}": error.mean() / np.abs(price[rows] - constant).mean(),
                f"rmsle{suffix}": np.sqrt(np.mean((np.log1p(value[rows]) - np.log1p(price[rows])) ** 2)),
                f"median_error{suffix}": np.median(error),
                f"close{suffix}": np.mean((error <= 40) | (error <= 0.2 * price[rows])),
            }
    return {name: round(float(number), 4) for name, number in result.items()}


def _loss(metrics: dict[str, float]) -> float:
    return sum(metrics.get(name, 0.0) for name in ("ratio", "ratio_core", "rmsle", "rmsle_core"))
