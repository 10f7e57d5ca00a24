"""Fit the blender and its ranges on items that no member was trained on.

Half of the items (by product group) fits the regressions, the other half measures the errors, and the other way
round; the published figures and the ranges are those of the halves not fitted on. What ships is fitted on all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

import numpy as np
import numpy.typing as npt
import structlog

from framework.deals import Estimate, Similar, Value
from framework.errors import EstimatorUnavailable, TrainingError
from models.artifact import SHIPPED, Manifest, as_json, write_artifact
from models.base import Estimator
from models.blender import (
    CENTRE,
    RANGE_CLASSES,
    RETRIEVING,
    Blend,
    BlenderModel,
    RangeRule,
    SubsetModel,
    log_value,
    make_terms,
    matrix,
    mean_terms,
    predict,
    predict_scale,
    range_class,
    read_context,
    scale_matrix,
    scale_terms,
    subsets_of,
    trust_in_retrieval,
)

log = structlog.get_logger("train.blender")

Floats = npt.NDArray[np.float64]
COVERAGE = 0.80
# What is aimed at in each range class (fields, fields near, prose, prose near). Errors of rich and thin catalogues are
# measured together, and the rich one's are the larger beside what is foreseen; recent prose has larger ones than old.
AIMS = (0.80, 0.80, 0.83, 0.83)
LEAST_ITEMS = 60
_RIDGE = 10.0
_HUBER = 0.5  # errors in log price beyond this count by their size, not its square
_STRETCHES = (0.0, 0.04, 0.08, 0.12, 0.16, 0.20, 0.24, 0.28, 0.32)


class PricedItem(Value):
    """A product with its known price in US dollars; items of one group never land in both halves."""

    description: str
    price: float
    group: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """What the members said of some items, as columns; ``nan`` where a member had no answer."""

    logs: Mapping[str, Floats]
    context: Mapping[str, Floats]
    truth: Floats  # log price
    half: npt.NDArray[np.int_]  # 0 or 1, by group
    quarter: npt.NDArray[np.int_]  # 0 or 1 within the half, by group
    weight: Floats

    def rows(self, chosen: npt.NDArray[np.bool_]) -> Answers:
        """The chosen rows only."""
        return Answers(
            {name: column[chosen] for name, column in self.logs.items()},
            {name: column[chosen] for name, column in self.context.items()},
            self.truth[chosen],
            self.half[chosen],
            self.quarter[chosen],
            self.weight[chosen],
        )


def quarter_of(group: str) -> int:
    """0 to 3, the same for every item of a group on every machine; the lowest bit is the half."""
    return blake2b(group.encode("utf-8", "replace"), digest_size=1).digest()[0] & 3


def quartered(part: Answers) -> Answers:
    """One half as a whole of its own, parted by quarters: to measure a fit that has seen one half only."""
    return replace(part, half=part.quarter)


def join(parts: Sequence[Answers]) -> Answers:
    """Answers over several catalogues, one below the other."""
    return Answers(
        {name: np.concatenate([part.logs[name] for part in parts]) for name in parts[0].logs},
        {name: np.concatenate([part.context[name] for part in parts]) for name in parts[0].context},
        np.concatenate([part.truth for part in parts]),
        np.concatenate([part.half for part in parts]),
        np.concatenate([part.quarter for part in parts]),
        np.concatenate([part.weight for part in parts]),
    )


def ask(
    estimators: Sequence[Estimator],
    items: Sequence[PricedItem],
    *,
    batch: int = 64,
    progress: Callable[[int, int], None] | None = None,
) -> Answers:
    """Let every member price every item, in batches.

    A member that is down for a batch has no answer there; the fit needs enough answers, not all.
    """
    logs = {estimator.name: np.full(len(items), np.nan) for estimator in estimators}
    similar: list[tuple[Similar, ...]] = [()] * len(items)
    spreads: dict[str, list[float | None]] = {estimator.name: [None] * len(items) for estimator in estimators}
    for start in range(0, len(items), batch):
        texts = [item.description for item in items[start : start + batch]]
        for estimator in estimators:
            try:
                said = estimator.estimate(texts)
            except EstimatorUnavailable as error:
                log.warning("member_unavailable", member=error.member, reason=str(error))
                continue
            for index, estimate in enumerate(said, start):
                if estimate.value is not None:
                    logs[estimator.name][index] = log_value(estimate.value)
                similar[index] = estimate.similar or similar[index]
                spreads[estimator.name][index] = estimate.spread
        if progress is not None:
            progress(min(start + batch, len(items)), len(items))
    truth = np.log([item.price for item in items])
    quarter = np.array([quarter_of(item.group or item.description) for item in items])
    context = read_context([item.description for item in items], similar, spreads)
    return Answers(logs, context, truth, quarter & 1, quarter >> 1, np.ones(len(items)))


def train_blender(
    estimators: Sequence[Estimator],
    items: Sequence[PricedItem],
    *,
    folder: Path = SHIPPED,
    data_sha256: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Manifest:
    """Refit for the owner's own members (a language model, a Modal specialist) from a few hundred priced items.

    Costs ``len(items)`` calls of every member (``priced_calls`` says how many before anything is spent). Raises
    ``TrainingError`` when there are too few items or answers.
    """
    if len(items) < LEAST_ITEMS:
        raise TrainingError(f"{len(items)} priced items are too few to fit the blender; give at least {LEAST_ITEMS}")
    answers = ask(estimators, items, progress=progress)
    model, metrics = fit_blender(answers)
    return save_blender(model, metrics, len(items), folder, data_sha256)


def priced_calls(estimators: Sequence[Estimator], items: Sequence[PricedItem]) -> dict[str, int]:
    """How many items each member will be asked to price: what a refit costs where members are paid by the call."""
    return {estimator.name: len(items) for estimator in estimators}


def save_blender(
    model: BlenderModel, metrics: Mapping[str, float], items: int, folder: Path = SHIPPED, data: str | None = None
) -> Manifest:
    """Write ``blender.coefficients.json`` and its manifest."""
    return write_artifact(
        "blender",
        as_json(model.model_dump()),
        suffix=".coefficients.json",
        folder=folder,
        source=f"linear regression over the members on {items} items that no member was trained on",
        data_sha256=data,
        metrics=metrics,
        libraries=("numpy",),
    )


def fit_blender(answers: Answers) -> tuple[BlenderModel, dict[str, float]]:
    """Coefficients for every subset of the members, and the figures of the full set by cross-fit.

    Raises ``TrainingError`` when no subset has enough answers.
    """
    fitted: list[SubsetModel] = []
    metrics: dict[str, float] = {}
    scores: Floats = np.empty(0)
    for members in subsets_of(list(answers.logs)):
        known = np.all([np.isfinite(answers.logs[name]) for name in members], axis=0)
        if len(members) > 1 and RETRIEVING in members:
            known &= trust_in_retrieval(answers.context) > 0
        if known.sum() < LEAST_ITEMS:
            continue
        part = answers.rows(known)
        crossed = cross_fit(part, members)
        ranges = choose_ranges(part, crossed, members)
        fitted.append(_fit(part, members).model_copy(update={"ranges": ranges}))
        scores = (part.truth - crossed.mean) / crossed.scale
        error = crossed.mean - part.truth
        metrics["+".join(members)] = round(float(np.sqrt(np.average(error**2, weights=part.weight))), 4)
    if not fitted:
        raise TrainingError("No member answered often enough to fit the blender; check the members with doctor")
    measured = np.quantile(scores, np.linspace(0, 1, 201))
    return BlenderModel(subsets=tuple(fitted), scores=tuple(np.round(measured, 5).tolist())), metrics


def estimates_from(model: BlenderModel, answers: Answers) -> list[Estimate | None]:
    """The blend of every row, by the model for the members that answered there; ``None`` where no member did."""
    estimates: list[Estimate | None] = [None] * len(answers.truth)
    names = sorted(answers.logs)
    known = np.stack([np.isfinite(answers.logs[name]) for name in names], axis=1)
    if RETRIEVING in names and len(names) > 1:
        column = names.index(RETRIEVING)
        others = np.delete(known, column, axis=1).any(axis=1)
        known[:, column] &= ~others | (trust_in_retrieval(answers.context) > 0)
    for pattern in np.unique(known, axis=0):
        subset = model.of(name for name, there in zip(names, pattern, strict=True) if there)
        if subset is None:
            continue
        rows = np.all(known == pattern, axis=1)
        part = answers.rows(rows)
        blend = Blend.of(subset, {name: part.logs[name] for name in subset.members}, part.context)
        for index, row in enumerate(np.flatnonzero(rows)):
            estimates[row] = blend.estimate(index)
    return estimates


def conformal_limits(scores: Floats, weight: Floats, share: float = COVERAGE) -> tuple[float, float]:
    """Quantiles of normalised errors that hold a ``share`` of unseen ones, half of the rest on either side.

    The finite-sample correction is the usual (n + 1) / n.
    """
    tail = (1 - share) / 2
    n = len(scores)
    outer = min(1.0, (1 - tail) * (n + 1) / n)
    order = np.argsort(scores)
    cumulative = np.cumsum(weight[order]) / weight.sum()
    low, high = np.interp([1 - outer, outer], cumulative, scores[order])
    return float(low), float(high)


def _terms(part: Answers, members: Sequence[str]) -> dict[str, Floats]:
    return make_terms({name: part.logs[name] for name in members}, part.context)


@dataclass(frozen=True, slots=True)
class Crossed:
    """Log value and usual error of each item, by the models fitted on the other half."""

    mean: Floats
    scale: Floats


def cross_fit(part: Answers, members: Sequence[str]) -> Crossed:
    """Fit on one half, read on the other, both ways.

    Raises ``TrainingError`` when nearly all items are of one half.
    """
    means, scales = np.zeros(len(part.truth)), np.zeros(len(part.truth))
    for half in (0, 1):
        inside, outside = part.half == half, part.half != half
        if inside.sum() < LEAST_ITEMS // 4 or outside.sum() < LEAST_ITEMS // 4:
            raise TrainingError(
                "The items fall into too few product groups to fit on one half and measure on the other"
            )
        model = _fit(part.rows(outside), members)
        terms = _terms(part.rows(inside), members)
        means[inside] = predict(model, terms)
        scales[inside] = predict_scale(model, terms, means[inside])
    return Crossed(means, scales)


def choose_ranges(part: Answers, crossed: Crossed, members: Sequence[str]) -> tuple[RangeRule, ...]:
    """The range rule of each class of items; a class with few items takes the rule of all."""
    every = np.ones(len(part.truth), bool)
    classes = range_class(members, part.context)
    chosen = [classes == number for number in range(RANGE_CLASSES)]
    return tuple(
        choose_rule(part, crossed, rows if rows.sum() >= LEAST_ITEMS else every, aim)
        for rows, aim in zip(chosen, AIMS, strict=True)
    )


def choose_rule(part: Answers, crossed: Crossed, rows: npt.NDArray[np.bool_], share: float) -> RangeRule:
    """Conformal limits on some rows, with the stretch that covers the fifths by price most alike."""
    truth, weight = part.truth[rows], part.weight[rows]
    mean, scale = crossed.mean[rows], crossed.scale[rows]
    fifth = np.searchsorted(np.quantile(truth, [0.2, 0.4, 0.6, 0.8]), truth)
    best: tuple[float, RangeRule] | None = None
    for stretch in _STRETCHES:
        scores = ((1 - stretch) * (truth - CENTRE) - (mean - CENTRE)) / scale
        low, high = conformal_limits(scores, weight, share)
        inside = ((scores >= low) & (scores <= high)).astype(float)
        covered = [np.average(inside[fifth == i], weights=weight[fifth == i]) for i in range(5) if (fifth == i).any()]
        uneven = max(abs(of_fifth - share) for of_fifth in covered)
        if best is None or uneven < best[0] - 0.005:
            best = uneven, RangeRule(low=low, high=high, stretch=stretch)
    assert best is not None  # noqa: S101 - there is at least one stretch
    return best[1]


def _fit(part: Answers, members: Sequence[str]) -> SubsetModel:
    terms = _terms(part, members)
    names = mean_terms(terms)
    coefficients, intercept = fit_mean(matrix(terms, names), part.truth, part.weight)
    mean = matrix(terms, names) @ coefficients + intercept
    of_scale = scale_terms(terms)
    scale, scale_intercept = fit_scale(scale_matrix(terms, of_scale, mean), np.abs(part.truth - mean), part.weight)
    return SubsetModel(
        members=tuple(members),
        terms=names,
        coefficients=tuple(coefficients.tolist()),
        intercept=intercept,
        scale_terms=of_scale,
        scale_coefficients=tuple(scale.tolist()),
        scale_intercept=scale_intercept,
        ranges=(),
    )


def fit_mean(columns: Floats, target: Floats, weight: Floats, steps: int = 4) -> tuple[Floats, float]:
    """Linear regression that large errors pull less: Huber's loss by iteratively reweighted least squares.

    The best figure in dollars is near the median, and prices have a few absurd ones.
    """
    coefficients, intercept = ridge(columns, target, weight)
    for _ in range(steps):
        size = np.abs(target - columns @ coefficients - intercept)
        coefficients, intercept = ridge(columns, target, weight * _HUBER / np.maximum(size, _HUBER))
    return coefficients, intercept


def ridge(columns: Floats, target: Floats, weight: Floats, penalty: float = _RIDGE) -> tuple[Floats, float]:
    """Weighted ridge regression on centred columns, the intercept free; returns coefficients and intercept."""
    middle = np.average(columns, axis=0, weights=weight)
    mean = float(np.average(target, weights=weight))
    centred = columns - middle
    gram = centred.T @ (centred * weight[:, None]) + penalty * np.eye(columns.shape[1])
    coefficients = np.linalg.solve(gram, centred.T @ (weight * (target - mean)))
    return np.asarray(coefficients, np.float64), mean - float(middle @ coefficients)


def fit_scale(columns: Floats, size: Floats, weight: Floats, steps: int = 12) -> tuple[Floats, float]:
    """Coefficients of ``log E|error|``: Poisson quasi-likelihood by iteratively reweighted least squares."""
    logs = np.full(len(size), np.log(max(float(np.average(size, weights=weight)), 1e-3)))
    coefficients, intercept = np.zeros(columns.shape[1]), float(logs[0])
    for _ in range(steps):
        mean = np.exp(np.clip(logs, -5, 1.5))
        working = logs + (size - mean) / mean
        coefficients, intercept = ridge(columns, working, weight * mean, penalty=_RIDGE)
        logs = np.clip(columns @ coefficients + intercept, -5, 1.5)
    return coefficients, intercept


def weighted(part: Answers, share: float) -> Answers:
    """The same answers with ``share`` of their weight: one of several catalogues in a fit."""
    return replace(part, weight=part.weight * share)
