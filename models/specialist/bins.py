"""Prices as a distribution over bins of log price: the centre, the median and the spread that it says.

A regression read from a histogram (Imani and White, "Improving Regression Performance with Distributional Losses",
2018): the network gives a probability to each of 64 equal steps of log price from $0.50 to $5,000.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

COUNT = 64
LOWEST, HIGHEST = 0.5, 5_000.0  # US dollars
CENTRES: Floats = np.linspace(np.log(LOWEST), np.log(HIGHEST), COUNT)
STEP = float(CENTRES[1] - CENTRES[0])


def mean(probabilities: npt.NDArray[np.floating]) -> Floats:
    """Expected log price of each row: the best guess by squared error in log price."""
    return np.asarray(probabilities @ CENTRES, dtype=np.float64)


def median(probabilities: npt.NDArray[np.floating]) -> Floats:
    """Median log price of each row, linear within its bin: the best guess by absolute error in dollars."""
    rows = np.arange(len(probabilities))
    reached = np.cumsum(probabilities, axis=1, dtype=np.float64)
    bin_ = (reached >= 0.5 * reached[:, -1:]).argmax(axis=1)
    before = np.where(bin_ > 0, reached[rows, np.maximum(bin_ - 1, 0)], 0.0)
    inside = (0.5 * reached[:, -1] - before) / np.maximum(probabilities[rows, bin_], 1e-12)
    return np.asarray(CENTRES[bin_] + STEP * (np.clip(inside, 0.0, 1.0) - 0.5), dtype=np.float64)


def spread(probabilities: npt.NDArray[np.floating]) -> Floats:
    """Standard deviation of log price within each row, at least half a step."""
    centre = mean(probabilities)
    variance = probabilities @ CENTRES**2 - centre**2
    return np.asarray(np.sqrt(np.maximum(variance, (STEP / 2) ** 2)), dtype=np.float64)


def soft_labels(log_prices: npt.NDArray[np.floating], width: float = 1.0) -> Floats:
    """Training targets: a Gaussian around each log price, ``width`` bins wide, as probabilities."""
    distance = (CENTRES[None, :] - np.asarray(log_prices, dtype=np.float64)[:, None]) / (width * STEP)
    weight = np.exp(-0.5 * distance**2)
    total = weight.sum(axis=1, keepdims=True)
    # A price far outside the bins belongs to the nearest one.
    nearest = np.eye(COUNT)[np.abs(distance).argmin(axis=1)]
    return np.asarray(np.where(total > 1e-6, weight / np.maximum(total, 1e-300), nearest), dtype=np.float64)
