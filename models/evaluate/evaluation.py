"""The evaluation behind ``./dealhound evaluate``: accuracy, calibration and the judge's precision, as one dictionary.

Products without ``split`` or with split ``dev`` are priced; ``train`` products only teach the baselines. The blender
that ships was fitted on the ``dev`` split of the project's data: figures of the blend on that very split come from a
cross-fit (``refit=True``), on any other data from the blender as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import structlog

from framework.deals import Estimate, Valuation
from framework.judge import JudgeRule
from models.blender import Blender
from models.data.products import Product
from models.evaluate.baselines import BASELINES
from models.evaluate.metrics import accuracy, coverage
from models.evaluate.replay import draw_offers, judge_all, score
from models.train.blender import Answers, estimates_from, fit_blender, quartered
from models.valuation import Valuer

log = structlog.get_logger("evaluate")

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Priced:
    """Products with what every member said of them, and the blend."""

    products: Sequence[Product]
    answers: Answers
    estimates: Sequence[Estimate | None]

    @property
    def truth(self) -> Floats:
        """Known prices in US dollars."""
        return np.array([product.price for product in self.products])

    def slices(self) -> dict[str, Rows]:
        """The rows of each slice that figures are given for."""
        core = np.array([product.core for product in self.products])
        return {"whole": np.ones(len(core), bool), **({"core": core} if core.any() else {})}


def evaluate(
    priced_products: Priced,
    constants: Mapping[str, float],
    *,
    valuer_of: Callable[[int], Valuer],
    rule: JudgeRule | None = None,
    baselines: Mapping[str, Floats] | None = None,
    repeat: int = 2,
) -> dict[str, object]:
    """Every figure. ``constants`` is the mean price by slice; ``baselines`` holds prices by baseline's name."""
    used = rule or JudgeRule()
    columns = {name: np.exp(logs) for name, logs in priced_products.answers.logs.items()}
    columns |= dict(baselines or {})
    columns["blend"] = _column(priced_products.estimates, "value")
    low, high = _column(priced_products.estimates, "low"), _column(priced_products.estimates, "high")
    truth = priced_products.truth
    by_slice: dict[str, object] = {}
    for name, rows in priced_products.slices().items():
        known = rows & np.isfinite(low)
        by_slice[name] = {
            "count": int(rows.sum()),
            "accuracy": {who: accuracy(said[rows], truth[rows], constants[name]) for who, said in columns.items()},
            "coverage": coverage(low[known], high[known], truth[known]),
            "judge": replay(priced_products, rows, valuer_of, used, claims=True, repeat=repeat),
            "judge_without_claims": replay(priced_products, rows, valuer_of, used, claims=False, repeat=repeat),
        }
    return {
        "products": len(truth),
        "rule": used.model_dump(mode="json"),
        "slices": by_slice,
        "by_category": by_category(priced_products, columns["blend"]),
        "by_price": by_price(truth, columns["blend"]),
        "scatter": scatter(truth, columns["blend"]),
    }


def replay(
    data: Priced, rows: Rows, valuer_of: Callable[[int], Valuer], rule: JudgeRule, *, claims: bool, repeat: int
) -> dict[str, object]:
    """Offers drawn from the products of ``rows``, valued and judged."""
    positions = [int(row) for row in np.flatnonzero(rows)]
    offers = draw_offers([data.products[i] for i in positions], repeat=repeat, claims=claims)
    valuations: list[Valuation | None] = []
    for offer in offers:
        position = positions[offer.product]
        said = valuer_of(position).value_deal(offer.facts, data.estimates[position])
        valuations.append(said if isinstance(said, Valuation) else None)
    return score(judge_all(offers, valuations, rule), rule)


def cross_fitted(
    products: Sequence[Product], answers: Answers, fit_on: Answers
) -> tuple[Priced, Callable[[int], Valuer]]:
    """The blend of each product by a blender fitted on the other half of ``fit_on``, and the valuer to go with it."""
    estimates: list[Estimate | None] = [None] * len(products)
    valuers: dict[int, Valuer] = {}
    for half in (0, 1):
        model, _ = fit_blender(quartered(fit_on.rows(fit_on.half != half)))
        valuers[half] = Valuer(Blender(model=model).shape)
        rows = answers.half == half
        for row, estimate in zip(np.flatnonzero(rows), estimates_from(model, answers.rows(rows)), strict=True):
            estimates[row] = estimate
    return Priced(products, answers, estimates), lambda row: valuers[int(answers.half[row])]


def fit_baselines(train: Sequence[Product], test: Sequence[Product]) -> dict[str, Floats]:
    """The baselines' prices of the test products."""
    texts, logs = [product.text for product in train], np.log([product.price for product in train])
    new = [product.text for product in test]
    said: dict[str, Floats] = {}
    for name, fit in BASELINES.items():
        said[name] = np.exp(fit(texts, logs)(new))
        log.info("baseline_fitted", name=name)
    return said


def by_category(data: Priced, values: Floats, least: int = 15, most: int = 30) -> list[dict[str, object]]:
    """Median relative error of the largest categories."""
    truth = data.truth
    groups: dict[str, list[int]] = {}
    for row, product in enumerate(data.products):
        if np.isfinite(values[row]):
            groups.setdefault(product.category.split(":")[0] or "none", []).append(row)
    large = sorted((item for item in groups.items() if len(item[1]) >= least), key=lambda item: -len(item[1]))[:most]
    return [
        {"category": name, "count": len(rows), "median_error_pct": _median_error(values[rows], truth[rows])}
        for name, rows in large
    ]


def by_price(truth: Floats, values: Floats) -> list[dict[str, float]]:
    """Median relative error in each tenth by price."""
    return [
        {
            "from": float(truth[rows].min()),
            "to": float(truth[rows].max()),
            "median_error_pct": _median_error(values[rows], truth[rows]),
        }
        for rows in np.array_split(np.argsort(truth, kind="stable"), 10)
        if len(rows)
    ]


def scatter(truth: Floats, values: Floats, most: int = 2_000) -> list[tuple[float, float]]:
    """Truth and estimate of at most ``most`` items, drawn evenly."""
    rows = np.flatnonzero(np.isfinite(values))
    rows = rows[:: max(1, len(rows) // most)]
    return [(round(float(truth[row]), 2), round(float(values[row]), 2)) for row in rows]


def _median_error(values: Floats, truth: Floats) -> float:
    known = np.isfinite(values)
    return float(100 * np.median(np.abs(values[known] - truth[known]) / truth[known])) if known.any() else float("nan")


def _column(estimates: Sequence[Estimate | None], field: str) -> Floats:
    return np.array([float(getattr(item, field)) if item is not None else np.nan for item in estimates])
