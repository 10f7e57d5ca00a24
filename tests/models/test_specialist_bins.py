"""A distribution over bins of log price and what is read from it."""

from __future__ import annotations

import numpy as np
import pytest

from models.specialist import bins


@pytest.mark.parametrize("price", [0.75, 9.99, 70.0, 1_299.0, 4_500.0])
def test_a_soft_label_says_the_price_it_was_made_from(price: float) -> None:
    labels = bins.soft_labels(np.log([price]))
    assert labels.sum() == pytest.approx(1.0)
    assert np.exp(bins.mean(labels)[0]) == pytest.approx(price, rel=0.05)
    assert np.exp(bins.median(labels)[0]) == pytest.approx(price, rel=0.05)


@pytest.mark.parametrize(("price", "bin_"), [(0.001, 0), (1e7, bins.COUNT - 1)])
def test_a_price_outside_the_bins_belongs_to_the_nearest(price: float, bin_: int) -> None:
    labels = bins.soft_labels(np.log([price]))
    assert np.isfinite(labels).all()
    assert labels[0].argmax() == bin_


def test_the_median_ignores_a_far_tail_that_moves_the_mean() -> None:
    probabilities = np.zeros((1, bins.COUNT))
    probabilities[0, 20], probabilities[0, 63] = 0.9, 0.1
    assert bins.median(probabilities)[0] == pytest.approx(bins.CENTRES[20], abs=bins.STEP)
    assert bins.mean(probabilities)[0] > bins.CENTRES[24]


def test_the_median_splits_an_even_distribution_in_the_middle() -> None:
    even = np.full((1, bins.COUNT), 1 / bins.COUNT)
    assert bins.median(even)[0] == pytest.approx(bins.CENTRES.mean())


def test_the_spread_grows_with_doubt_and_never_reaches_zero() -> None:
    sure, unsure = np.eye(bins.COUNT)[[30]], np.full((1, bins.COUNT), 1 / bins.COUNT)
    assert 0 < bins.spread(sure)[0] < bins.spread(unsure)[0]
