"""The blender: a linear regression over what the members say, in log price, with a calibrated range.

For every subset of members there are coefficients of their own, so that the blend stands whoever is missing. Terms:
each member's log value, their least and greatest, and, where a member retrieves, how far it departs from the others
times how near its nearest neighbours are, so that it is trusted next to a twin. Where its neighbours share too few
words with an item it is left out altogether: a thin catalogue gives the very blend of the other members.

The range comes from split conformal prediction with normalised residuals (J. Lei et al., "Distribution-free predictive
inference for regression", 2018, section 5): a second model says how large the error of an item like this usually is
(the members' spread, the neighbours' nearness and disagreement), and the quantiles of error over that size, measured
on items that neither model was fitted on, make the range. A regression pulls extreme prices to the middle, so plain
ranges miss the cheapest and the dearest products more often than the rest; ``stretch`` undoes part of that pull (the
range is one of ``(1 - stretch) * log price``), so that each fifth by price is covered about equally. Prose and fields,
with and without near neighbours, have limits of their own (V. Vovk's Mondrian conformal prediction).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from framework.deals import Estimate, MemberEstimate, Similar
from framework.errors import ArtifactError
from framework.money import Money
from models.artifact import SHIPPED, read_artifact
from models.attention import shared_words
from models.belief import ResidualShape

Floats = npt.NDArray[np.float64]

# "Colour: red", "Max. speed: 20 km/h" at the start of a sentence or line
_FIELD = re.compile(r"(?:^|[.;,\n]\s)[A-Za-z][\w /()&-]{1,30}: ", re.M)
RETRIEVING = "frontier"  # the member whose neighbours say how near the catalogue is
# Mean of overlap and support at which trust begins and is full: where retrieval began to help on the dev split.
_TRUST_BEGINS, _TRUST_IS_FULL = {"prose": 0.16, "fields": 0.38}, {"prose": 0.28, "fields": 0.58}
# Where the trust in retrieval may bend: by similarity of the nearest neighbour, and by the words shared with it.
KNOTS = {"nearest": (0.5, 0.65, 0.8, 0.9), "overlap": (0.0, 0.2, 0.4, 0.6, 0.8)}
CENTRE = 4.25  # log of $70, the usual price
USUAL_SPREAD, LEAST_SPREAD, GREATEST_SPREAD = 0.5, 0.02, 2.0  # of log price: where a member does not say, and limits
LEAST_LOG, GREATEST_LOG = np.log(0.25), np.log(20_000.0)  # members' figures beyond are cut: no product we know costs so


class RangeRule(BaseModel):
    """The 80% range for one class of items: quantiles of the normalised error, and how far the pull is undone."""

    model_config = ConfigDict(frozen=True)

    low: float
    high: float
    stretch: float = Field(ge=0, lt=1)

    def limits(self, mean: Floats, scale: Floats) -> tuple[Floats, Floats]:
        """The ends of the range in log value; the value itself always lies inside."""
        middle = CENTRE + (mean - CENTRE) / (1 - self.stretch)
        reach = scale / (1 - self.stretch)
        return np.minimum(mean, middle + self.low * reach), np.maximum(mean, middle + self.high * reach)


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
    ranges: tuple[RangeRule, ...]  # one per range class, see ``range_class``

    def limits(self, mean: Floats, scale: Floats, context: Mapping[str, Floats]) -> tuple[Floats, Floats]:
        """The ends of the 80% range in log value."""
        lows, highs = zip(*(rule.limits(mean, scale) for rule in self.ranges), strict=True)
        chosen, rows = range_class(self.members, context), np.arange(len(mean))
        return np.stack(lows)[chosen, rows], np.stack(highs)[chosen, rows]


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
        return [self._one(text, row) for text, row in zip(descriptions, rows, strict=True)]

    def _one(self, text: str, said: Mapping[str, MemberEstimate]) -> Estimate | Unpriced:
        values = {name: item.value for name, item in said.items() if item.value is not None}
        failures = {name: item.failure or "no answer" for name, item in said.items() if item.value is None}
        similar = next((item.similar for item in said.values() if item.similar), ())
        context = read_context([text], [similar], {name: [item.spread] for name, item in said.items()})
        subset = self.model.of(heard(values, bool(trust_in_retrieval(context)[0] > 0)))
        if subset is None:
            reason = "; ".join(dict.fromkeys(failures.values())) or "no member answered"
            return Unpriced(reason=f"No member could price it: {reason}", failures=failures)
        logs = {name: np.array([log_value(values[name])]) for name in subset.members}
        blend = Blend.of(subset, logs, context)
        estimate = blend.estimate(0)
        return estimate.model_copy(
            update={
                "members": {name: round(item.value, 2) if item.value else None for name, item in said.items()},
                "failures": failures,
                "similar": similar,
                "degraded": tuple(dict.fromkeys(item.degraded for item in said.values() if item.degraded)),
            }
        )


@dataclass(frozen=True, slots=True)
class Blend:
    """What a subset's model says of some items, as columns of log price."""

    mean: Floats
    scale: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, subset: SubsetModel, logs: Mapping[str, Floats], context: Mapping[str, Floats]) -> Blend:
        """Blend the members' log values; ``context`` comes from ``read_context``."""
        terms = make_terms(logs, context)
        mean = predict(subset, terms)
        scale = predict_scale(subset, terms, mean)
        low, high = subset.limits(mean, scale, context)
        return cls(mean, scale, low, high)

    def estimate(self, row: int) -> Estimate:
        """One item's estimate, without what the members said."""
        low, value, high = (
            Money.of(max(float(np.exp(column[row])), 0.01)).amount for column in (self.low, self.mean, self.high)
        )
        return Estimate(
            value=value, low=low, high=high, log_mean=float(self.mean[row]), log_scale=float(self.scale[row])
        )


def heard(members: Iterable[str], trusted: bool) -> tuple[str, ...]:
    """The members whose word counts: the retrieving one only where it is trusted, or alone."""
    names = tuple(members)
    others = tuple(name for name in names if name != RETRIEVING)
    return others if others and not trusted else names


def log_value(value: float) -> float:
    """A member's figure in log dollars, cut to what a product can cost."""
    return float(np.clip(np.log(value), LEAST_LOG, GREATEST_LOG))


def read_context(
    texts: Sequence[str], similar: Sequence[Sequence[Similar]], spreads: Mapping[str, Sequence[float | None]]
) -> dict[str, Floats]:
    """What is known of each item besides the members' figures; ``spreads`` are the members' own, in log price.

    ``nearest``: the greatest similarity of a neighbour; ``overlap``: the greatest share of words in common with one;
    ``support``: that of a usual one (a thin catalogue has one near item at best);
    ``disagreement``: of the neighbours, in log price; ``doubt``: the specialist's own;
    ``prose``: 1 where the text is sentences, 0 where it is fields.
    """
    nearest = np.array([max((item.similarity for item in near), default=0.0) for near in similar], float)
    shared = [
        shared_words(text, [item.description for item in near]) for text, near in zip(texts, similar, strict=True)
    ]
    overlaps = np.array([row.max(initial=0.0) for row in shared], float)
    support = np.array([row.mean() if len(row) else 0.0 for row in shared], float)
    prose = np.array([float(len(_FIELD.findall(text)) < 2) for text in texts])
    return {
        "nearest": nearest,
        "overlap": overlaps,
        "support": support,
        "disagreement": _column(spreads.get(RETRIEVING), len(texts)),
        "doubt": _column(spreads.get("specialist"), len(texts)),
        "prose": prose,
    }


def _column(spreads: Sequence[float | None] | None, rows: int) -> Floats:
    said = spreads or [None] * rows
    return np.clip([USUAL_SPREAD if spread is None else spread for spread in said], LEAST_SPREAD, GREATEST_SPREAD)


def trust_in_retrieval(context: Mapping[str, Floats]) -> Floats:
    """From 0 (the neighbours share too few words to count) to 1, by kind of text: fields share words by their form."""
    prose, shared = context["prose"] > 0, (context["overlap"] + context["support"]) / 2
    begin = np.where(prose, _TRUST_BEGINS["prose"], _TRUST_BEGINS["fields"])
    full = np.where(prose, _TRUST_IS_FULL["prose"], _TRUST_IS_FULL["fields"])
    return np.asarray(np.clip((shared - begin) / (full - begin), 0.0, 1.0), np.float64)


RANGE_CLASSES = 4


def range_class(members: Sequence[str], context: Mapping[str, Floats]) -> npt.NDArray[np.int_]:
    """The class whose range rule holds for each item: prose or fields, and whether retrieval deserves trust."""
    near = trust_in_retrieval(context) > 0.5 if RETRIEVING in members else np.zeros(len(context["prose"]), bool)
    return np.asarray(2 * (context["prose"] > 0) + near, np.int_)


def make_terms(logs: Mapping[str, Floats], context: Mapping[str, Floats]) -> dict[str, Floats]:
    """Every column that the regressions may use, by name. ``logs`` holds the log value of each member of the subset.

    Beside other members the retrieving one is first drawn to their mean as far as its neighbours deserve no trust.
    """
    names = sorted(logs)
    others = [logs[name] for name in names if name != RETRIEVING]
    said = dict(logs)
    if RETRIEVING in logs and others:
        base = np.mean(others, axis=0)
        said[RETRIEVING] = base + trust_in_retrieval(context) * (logs[RETRIEVING] - base)
    table, prose = np.stack([said[name] for name in names]), context["prose"]
    terms = {name: said[name] for name in names}
    terms |= {f"{name}, prose": prose * (said[name] - CENTRE) for name in names}
    terms["prose"] = prose
    if "specialist" in logs:
        doubt = np.log(context["doubt"])
        terms["doubt"], terms["doubt, prose"] = doubt, doubt * prose
    terms["spread"] = table.max(axis=0) - table.min(axis=0)
    terms["spread, prose"] = prose * terms["spread"]
    if len(names) > 1:
        terms["least"], terms["greatest"] = table.min(axis=0), table.max(axis=0)
    if RETRIEVING in logs:
        departure = said[RETRIEVING] - (np.mean(others, axis=0) if others else CENTRE)
        terms |= _retrieval_terms(departure, context)
        if "specialist" in logs:
            terms |= _beside_specialist(logs[RETRIEVING] - logs["specialist"], context)
    return terms


def _retrieval_terms(departure: Floats, context: Mapping[str, Floats]) -> dict[str, Floats]:
    """How far retrieval departs from the others, times how much its neighbours deserve to be heard."""
    prose, disagreement = context["prose"], context["disagreement"]
    size = np.log(disagreement)
    terms = {"disagreement": size, "disagreement, prose": size * prose}
    terms["departure, disagreement"] = departure * disagreement
    for measure, knots in KNOTS.items():
        for knot in knots:
            near = np.maximum(0.0, context[measure] - knot)
            terms[f"near {measure} {knot}"], terms[f"near {measure} {knot}, prose"] = near, near * prose
            terms[f"departure, {measure} {knot}"] = departure * near
    return terms


def _beside_specialist(difference: Floats, context: Mapping[str, Floats]) -> dict[str, Floats]:
    """How far retrieval is from the specialist, times which of the two is the surer of itself."""
    trusted = trust_in_retrieval(context) * difference
    less_sure = np.log(context["disagreement"] / context["doubt"])
    return {
        "beside specialist, less sure": trusted * less_sure,
        "beside specialist, far less sure": trusted * np.maximum(0.0, less_sure),
    }


def mean_terms(terms: Mapping[str, Floats]) -> tuple[str, ...]:
    """The columns of the regression of log price."""
    return tuple(name for name in terms if "prose" not in name and not name.startswith(("spread", "near ", "doubt")))


def scale_terms(terms: Mapping[str, Floats]) -> tuple[str, ...]:
    """The columns of the model of the error's size."""
    of_scale = {f"{name}{kind}" for name in ("spread", "disagreement", "doubt") for kind in ("", ", prose")} | {"prose"}
    return tuple(name for name in terms if name in of_scale or name.startswith("near "))


def matrix(terms: Mapping[str, Floats], names: Sequence[str]) -> Floats:
    """The named columns side by side."""
    return np.stack([terms[name] for name in names], axis=1)


def predict(subset: SubsetModel, terms: Mapping[str, Floats]) -> Floats:
    """Log value."""
    return np.asarray(matrix(terms, subset.terms) @ np.asarray(subset.coefficients) + subset.intercept, np.float64)


def scale_matrix(terms: Mapping[str, Floats], names: Sequence[str], mean: Floats) -> Floats:
    """Columns of the scale model: the named terms, and the predicted log value itself."""
    above = mean - CENTRE
    return np.column_stack([matrix(terms, names), above, above**2])


def predict_scale(subset: SubsetModel, terms: Mapping[str, Floats], mean: Floats) -> Floats:
    """The usual size of the error in log value, kept within believable limits."""
    columns = scale_matrix(terms, subset.scale_terms, mean)
    logs = columns @ np.asarray(subset.scale_coefficients) + subset.scale_intercept
    return np.asarray(np.exp(np.clip(logs, np.log(0.03), np.log(1.5))), np.float64)


def subsets_of(members: Sequence[str]) -> list[tuple[str, ...]]:
    """Every non-empty subset, each in alphabetical order."""
    names = sorted(members)
    return [chosen for size in range(1, len(names) + 1) for chosen in combinations(names, size)]
