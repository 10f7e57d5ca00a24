"""Figures of merit for price estimates and their ranges."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

CLOSE_DOLLARS = 40.0
CLOSE_SHARE = 0.20


def accuracy(values: Floats, truth: Floats, constant: float) -> dict[str, float]:
    """Errors of ``values`` in dollars; ``ratio`` is the MAE over that of always saying ``constant``.

    ``close`` is the share within $40 or 20%. Items without a value (NaN) are left out and counted in ``answered``.
    """
    known = np.isfinite(values)
    if not known.any():
        return {"answered": 0.0}
    said, true = values[known], truth[known]
    error = np.abs(said - true)
    return {
        "answered": float(known.mean()),
        "count": int(known.sum()),
        "mae": float(error.mean()),
        "median_error": float(np.median(error)),
        "rmsle": float(np.sqrt(np.mean((np.log1p(said) - np.log1p(true)) ** 2))),
        "close": float(np.mean((error <= CLOSE_DOLLARS) | (error <= CLOSE_SHARE * true))),
        "ratio": float(error.mean() / np.abs(constant - true).mean()),
    }


def coverage(low: Floats, high: Floats, truth: Floats) -> dict[str, object]:
    """The share of truths inside their range: whole, and in each fifth by price; and the usual width of a range."""
    inside = (truth >= low) & (truth <= high)
    fifths = [float(inside[rows].mean()) for rows in np.array_split(np.argsort(truth, kind="stable"), 5) if len(rows)]
    return {
        "whole": float(inside.mean()),
        "fifths": fifths,
        "median_width": float(np.median(high / low)),
    }


def reliability(probability: Floats, happened: npt.NDArray[np.bool_], groups: int = 10) -> list[dict[str, float]]:
    """What was said and what happened, in equally large groups by probability."""
    order = np.array_split(np.argsort(probability, kind="stable"), groups)
    return [
        {"said": float(probability[rows].mean()), "happened": float(happened[rows].mean()), "count": len(rows)}
        for rows in order
        if len(rows)
    ]
