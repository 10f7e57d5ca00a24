"""Evaluate real members on a file of products: what ``./dealhound evaluate`` calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from framework.errors import TrainingError
from framework.judge import JudgeRule
from models.base import Estimator
from models.blender import Blender
from models.data.products import Product, load_products
from models.evaluate.evaluation import Priced, cross_fitted, evaluate, fit_baselines
from models.train.blender import Answers, PricedItem, ask, estimates_from, join, weighted
from models.valuation import Valuer


def evaluate_file(
    data: Path,
    members: Sequence[Estimator],
    blender: Blender,
    *,
    rule: JudgeRule | None = None,
    baselines: bool = False,
    beside: Sequence[Estimator] = (),
    limit: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, object]:
    """Price the file's products with every member and report. Those ``beside`` are compared and not blended.

    Products of split ``dev`` are priced where the file has that split, all of them elsewhere. On products that the
    blender was fitted on (the same ``dev`` split) its own coefficients would flatter it: pass such data through
    ``evaluate_dev``. Raises ``TrainingError`` for an unusable file.
    """
    products = load_products(data)
    train, test = split(products, limit)
    items = [PricedItem(description=p.text, price=p.price, group=p.group) for p in test]
    answers = ask(members, items, progress=progress)
    priced = Priced(test, answers, estimates_from(blender.model, answers))
    valuer = Valuer(blender.shape)
    compared = {name: np.exp(logs) for name, logs in ask(beside, items).logs.items()} if beside else {}
    if baselines and train:
        compared |= fit_baselines(train, test)
    return evaluate(priced, constants(train or test), valuer_of=lambda _: valuer, rule=rule, baselines=compared)


def evaluate_dev(
    products: Sequence[Product],
    train: Sequence[Product],
    by_catalogue: dict[str, Answers],
    shares: dict[str, float],
    catalogue: str,
    *,
    rule: JudgeRule | None = None,
    baselines: dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]] | None = None,
) -> dict[str, object]:
    """The figures of the ``dev`` split with one catalogue: each half blended by coefficients fitted on the other."""
    fit_on = join([weighted(by_catalogue[name], share) for name, share in shares.items()])
    priced, valuer_of = cross_fitted(products, by_catalogue[catalogue], fit_on)
    return evaluate(priced, constants(train), valuer_of=valuer_of, rule=rule, baselines=baselines)


def split(products: Sequence[Product], limit: int | None) -> tuple[list[Product], list[Product]]:
    """Training products and the products to price.

    Raises ``TrainingError`` when nothing is left to price.
    """
    dev = [product for product in products if product.split == "dev"]
    train = [product for product in products if product.split == "train"] if dev else []
    test = (dev or list(products))[:limit]
    if len(test) < 5:
        raise TrainingError(f"{len(test)} products are too few to evaluate on; give at least a few dozen")
    return train, test


def constants(products: Sequence[Product]) -> dict[str, float]:
    """The mean price by slice: what the constant predictor of each slice says."""
    core = [product.price for product in products if product.core]
    whole = float(np.mean([product.price for product in products]))
    return {"whole": whole, "core": float(np.mean(core)) if core else whole}
