"""How well a fine-tuned model prices: the expected value over the likeliest price tokens beside the greedy answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.data.products import Product
from models.evaluate.metrics import accuracy, coverage
from models.train.qlora.pricer import TransformersPricer


def measure(pricer: TransformersPricer, dev: Sequence[Product], train: Sequence[Product]) -> dict[str, object]:
    """Errors in dollars of both readings on ``dev``; ``ratio`` compares with the mean price of ``train``."""
    beliefs = pricer.beliefs([product.text for product in dev])
    truth = np.array([product.price for product in dev])
    constant = float(np.mean([product.price for product in train]))
    value, greedy = np.array([belief.value for belief in beliefs]), np.array([belief.greedy for belief in beliefs])
    low, high = np.array([belief.low for belief in beliefs]), np.array([belief.high for belief in beliefs])
    return {
        "expected": accuracy(value, truth, constant),
        "greedy": accuracy(greedy, truth, constant),
        "coverage": coverage(low, high, truth),
    }
