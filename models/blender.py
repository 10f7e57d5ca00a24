"""The blender: a linear regression over what the members say, in log price, with a calibrated range.

For every subset of members there are coefficients of their own, so that the blend stands whoever is missing. Terms:
each member's log value, their least and greatest, and, where a member retrieves, how far it departs from the others
times how near its nearest neighbours are, so that it is trusted next to a twin and left out in a thin catalogue.

The range comes from split conformal prediction with normalised residuals (J. Lei et al., "Distribution-free predictive
inference for regression", 2018, section 5): a second model says how large the error of an item like this usually is
(the members' spread, the neighbours' nearness and disagreement), and the quantiles of error over that size, measured
on items that neither model was fitted on, make the range.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError

from framework.deals import Estimate, MemberEstimate, Similar
from framework.errors import ArtifactError
from framework.money import Money
from models.artifact import SHIPPED, read_artifact
from models.belief import ResidualShape

Floats = npt.NDArray[np.float64]

RETRIEVING = "frontier"  # the member whose neighbours say how near the catalogue is
NEARNESS_KNOTS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.97)
LEAST_LOG, GREATEST_LOG = np.log(0.25), np.log(20_000.0)  # members' figures beyond are cut: no product we know costs so


class SubsetModel(BaseModel):
    """The regression for one subset of members. ``terms`` names the columns that the coefficients belong to."""

    model_config = ConfigDict(frozen=True)

    members: tuple[str, ...]
    terms: tuple[str, ...]
    coefficients: tuple[float, ...]
    intercept: float
    scale_terms: tuple[str, ...]
    scale_coefficients: tuple[float, ...]  # of the log of the usual size of the error
    scale_intercept: float
    # quantiles of the normalised error: the 80% range is value * exp(low * scale) to value * exp(high * scale)
    low: float
    high: float


class BlenderModel(BaseModel):
    """The whole artifact: a model per subset, and the measured distribution of normalised errors."""

    model_config = ConfigDict(frozen=True)

    subsets: tuple[SubsetModel, ...]
    scores: tuple[float, ...]  # quantiles of the normalised error, equally spaced in probability

    def of(self, members: Iterable[str]) -> SubsetModel | None:
        """The model fitted for exactly these members, or for the largest fitted subset of them."""
        present = set(members)
        fitted = [subset for subset in self.subsets if present.issuperset(subset.members)]
        return max(fitted, key=lambda subset: len(subset.members), default=None)


class Unpriced(BaseModel):
    """No member could price the item; ``failures`` says why, by member."""

    model_config = ConfigDict(frozen=True)

    reason: str
    failures: dict[str, str] = {}


class Blender:
    """Combines the members' estimates. The artifact is read at first use; safe to share between threads."""

    def __init__(self, folder: Path = SHIPPED, model: BlenderModel | None = None) -> None:
        self._folder = folder
        self._given = model

    @cached_property
    def model(self) -> BlenderModel:
        """The fitted model.

        Raises ``ArtifactError`` when it is missing, damaged or not the one its manifest names.
        """
        if self._given is not None:
            return self._given
        content, manifest = read_artifact("blender", self._folder)
        try:
            return BlenderModel.model_validate_json(content)
        except ValidationError as error:
            raise ArtifactError(manifest.file, "The blender's coefficients are not readable; train it again") from error

    @cached_property
    def shape(self) -> ResidualShape:
        """The distribution of normalised errors, for valuations."""
        return ResidualShape.of_scores(np.asarray(self.model.scores, float))

    def combine(
        self, descriptions: Sequence[str], by_member: Mapping[str, Sequence[MemberEstimate]]
    ) -> list[Estimate | Unpriced]:
        """One estimate per description from what each member said of it; a member that is down is left out of the map.

        Raises ``ArtifactError`` when the coefficients cannot be read.
        """
        rows = [{name: said[index] for name, said in by_member.items()} for index in range(len(descriptions))]
        return [self._one(row) for row in rows]

    def _one(self, said: Mapping[str, MemberEstimate]) -> Estimate | Unpriced:
        values = {name: item.value for name, item in said.items() if item.value is not None}
        failures = {name: item.failure or "no answer" for name, item in said.items() if item.value is None}
        subset = self.model.of(values)
        if subset is None:
            reason = "; ".join(dict.fromkeys(failures.values())) or "no member answered"
            return Unpriced(reason=f"No member could price it: {reason}", failures=failures)
        similar = next((item.similar for item in said.values() if item.similar), ())
        logs = {name: np.array([np.clip(np.log(values[name]), LEAST_LOG, GREATEST_LOG)]) for name in subset.members}
        terms = make_terms(logs, summarise([similar]))
        mean = float(predict(subset, terms)[0])
        scale = float(predict_scale(subset, terms, np.array([mean]))[0])
        low, value, high = np.exp([mean + subset.low * scale, mean, mean + subset.high * scale])
        return Estimate(
            value=Money.of(max(value, 0.01)).amount,
            low=Money.of(max(min(low, value), 0.01)).amount,
            high=Money.of(max(high, value, 0.01)).amount,
            log_mean=mean,
            log_scale=scale,
            members={name: round(item.value, 2) if item.value is not None else None for name, item in said.items()},
            failures=failures,
            similar=similar,
            degraded=tuple(dict.fromkeys(item.degraded for item in said.values() if item.degraded)),
        )


def summarise(similar: Sequence[Sequence[Similar]]) -> dict[str, Floats]:
    """What the neighbours of each item say: the nearest's similarity, and how much near ones disagree (log price)."""
    nearest = np.array([near[0].similarity if near else 0.0 for near in similar], float)
    spread = np.array([_spread(near) for near in similar], float)
    return {"nearest": nearest, "disagreement": spread}


def _spread(near: Sequence[Similar]) -> float:
    if len(near) < 2:
        return 1.0
    similarity = np.array([max(item.similarity, 0.01) for item in near])
    weight = (similarity / similarity.max()) ** 8
    logs = np.log([float(item.price) for item in near])
    mean = np.average(logs, weights=weight)
    return float(np.sqrt(np.average((logs - mean) ** 2, weights=weight)))


def make_terms(logs: Mapping[str, Floats], neighbours: Mapping[str, Floats]) -> dict[str, Floats]:
    """Every column that the regressions may use, by name. ``logs`` holds the log value of each member of the subset."""
    names = sorted(logs)
    table = np.stack([logs[name] for name in names])
    terms = {name: logs[name] for name in names}
    terms["spread"] = table.max(axis=0) - table.min(axis=0)
    if len(names) > 1:
        terms["least"], terms["greatest"] = table.min(axis=0), table.max(axis=0)
    if RETRIEVING in logs:
        others = [logs[name] for name in names if name != RETRIEVING]
        departure = logs[RETRIEVING] - (np.mean(others, axis=0) if others else 4.25)  # exp(4.25) = $70, the usual price
        nearest, disagreement = neighbours["nearest"], neighbours["disagreement"]
        for knot in NEARNESS_KNOTS:
            near = np.maximum(0.0, nearest - knot)
            terms[f"near {knot}"] = near
            terms[f"departure, near {knot}"] = departure * near
        terms["disagreement"] = np.minimum(disagreement, 2.0)
        terms["departure, disagreement"] = departure * np.minimum(disagreement, 2.0)
    return terms


def mean_terms(terms: Mapping[str, Floats]) -> tuple[str, ...]:
    """The columns of the regression of log price."""
    return tuple(name for name in terms if name != "spread" and not name.startswith("near "))


def scale_terms(terms: Mapping[str, Floats]) -> tuple[str, ...]:
    """The columns of the model of the error's size."""
    return tuple(name for name in terms if name in ("spread", "disagreement") or name.startswith("near "))


def matrix(terms: Mapping[str, Floats], names: Sequence[str]) -> Floats:
    """The named columns side by side."""
    return np.stack([terms[name] for name in names], axis=1)


def predict(subset: SubsetModel, terms: Mapping[str, Floats]) -> Floats:
    """Log value."""
    return np.asarray(matrix(terms, subset.terms) @ np.asarray(subset.coefficients) + subset.intercept, np.float64)


def scale_matrix(terms: Mapping[str, Floats], names: Sequence[str], mean: Floats) -> Floats:
    """Columns of the scale model: the named terms, and the predicted log value itself."""
    return np.column_stack([matrix(terms, names), mean - 4.25, (mean - 4.25) ** 2])


def predict_scale(subset: SubsetModel, terms: Mapping[str, Floats], mean: Floats) -> Floats:
    """The usual size of the error in log value, kept within believable limits."""
    columns = scale_matrix(terms, subset.scale_terms, mean)
    logs = columns @ np.asarray(subset.scale_coefficients) + subset.scale_intercept
    return np.asarray(np.exp(np.clip(logs, np.log(0.03), np.log(1.5))), np.float64)


def subsets_of(members: Sequence[str]) -> list[tuple[str, ...]]:
    """Every non-empty subset, each in alphabetical order."""
    names = sorted(members)
    return [chosen for size in range(1, len(names) + 1) for chosen in combinations(names, size)]
