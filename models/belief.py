"""Beliefs over an amount, as weights on a grid of log values: the arithmetic beneath ``models/valuation.py``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_ROOT_TWO_PI = float(np.sqrt(2 * np.pi))
_FLOOR = 1e-300


@dataclass(frozen=True, slots=True)
class ResidualShape:
    """The distribution of normalised errors ``(log truth - log_mean) / log_scale``, as a density on a regular grid.

    It is measured (the conformal residuals of the blender), not assumed: prices have heavier tails than a Gaussian.
    """

    start: float
    step: float
    density: Floats

    @classmethod
    def gaussian(cls) -> ResidualShape:
        """The standard normal: for estimates whose errors nobody measured."""
        points = np.linspace(-5, 5, 201)
        return cls(-5.0, 0.05, normal(points, 0.0, 1.0))

    @classmethod
    def of_scores(cls, scores: Sequence[float] | Floats, smoothing: float = 0.15) -> ResidualShape:
        """The smoothed histogram of measured scores, with thin tails so that nothing is impossible."""
        points = np.linspace(-8, 8, 321)
        width = float(points[1] - points[0])
        edges = np.append(points - width / 2, points[-1] + width / 2)
        counts, _ = np.histogram(np.clip(scores, -8, 8), bins=edges)
        reach = int(np.ceil(4 * smoothing / width))
        kernel = normal(np.linspace(-reach * width, reach * width, 2 * reach + 1), 0.0, smoothing)
        smooth = np.convolve(counts, kernel / kernel.sum(), mode="same")
        density = smooth / (smooth.sum() * width)
        return cls(-8.0, width, 0.99 * density + 0.01 * normal(points, 0.0, 3.0))

    def at(self, scores: Floats) -> Floats:
        """Density at each score, linear between grid points, a Gaussian-like floor outside."""
        points = self.start + self.step * np.arange(len(self.density))
        inside = np.interp(scores, points, self.density, left=0.0, right=0.0)
        return inside + 1e-4 * normal(scores, 0.0, 4.0)


def normal(x: Floats, mean: float, scale: float) -> Floats:
    """The Gaussian density."""
    return np.asarray(np.exp(-0.5 * ((x - mean) / scale) ** 2) / (scale * _ROOT_TWO_PI), np.float64)


def soft_box(x: Floats, low: float, high: float, softness: float) -> Floats:
    """A uniform density on [low, high] whose edges are blurred over about ``softness``."""
    return (step(x, low, softness) - step(x, high, softness)) / (high - low)


def step(x: Floats, at: float, softness: float) -> Floats:
    """A smooth step from 0 to 1 at ``at``: the logistic curve whose spread is ``softness``."""
    return np.asarray(0.5 + 0.5 * np.tanh((x - at) / (1.1 * softness)), np.float64)


def normalised(weights: Floats) -> Floats:
    """Weights that add up to one."""
    total = float(weights.sum())
    return weights / total if total > 0 else np.full_like(weights, 1.0 / len(weights))


def quantile(grid: Floats, weights: Floats, at: Sequence[float] | Floats) -> Floats:
    """Quantiles of a belief, each grid point standing for the interval around it."""
    cumulative = np.concatenate([[0.0], np.cumsum(weights)])
    half = float(grid[1] - grid[0]) / 2
    edges = np.append(grid - half, grid[-1] + half)
    keep = np.concatenate([[True], np.diff(cumulative) > 1e-12])
    return np.asarray(np.interp(at, cumulative[keep] / cumulative[-1], edges[keep]), np.float64)


def divergence(belief: Floats, other: Floats) -> float:
    """Kullback-Leibler divergence of ``belief`` from ``other``, both weights that add up to one; never negative."""
    ratio = np.log(np.maximum(belief, _FLOOR)) - np.log(np.maximum(other, _FLOOR))
    return max(0.0, float((belief * ratio).sum()))
