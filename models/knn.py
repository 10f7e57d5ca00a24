"""The frontier member without a language model: what similar products of the catalogue cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from framework.deals import MemberEstimate, Similar
from framework.errors import CatalogueUnavailable, EstimatorUnavailable
from models.catalogue import Neighbour
from models.encoder import Vectors
from models.overlap import CHARACTERS, overlap
from models.text import clean, why_unusable

DEGRADED = "retrieval only, no LLM"
SHOWN = 8  # neighbours travel with an estimate, those of most weight first


@dataclass(frozen=True, slots=True)
class KnnRule:
    """How neighbours are weighted: ``similarity ** power * exp(overlap * words + numbers * numbers in common)``.

    That is then multiplied for kind and age: ``other_kind`` for neighbours that are not of the kind that most of the
    weight is of, and a half for each ``half_life`` years that a price is older than the newest neighbour's. Below
    ``least_similarity`` the nearest item says nothing about a product. Chosen on the dev split (``docs/accuracy.md``).
    """

    k: int = 32
    power: float = 6.0
    overlap: float = 12.0
    numbers: float = 2.0
    other_kind: float = 0.8
    half_life: float = 20.0
    least_similarity: float = 0.3


class Encodes(Protocol):
    """Turns texts into unit vectors (``models.encoder.Encoder``, or vectors computed before)."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One unit vector per text."""
        ...


class Index(Protocol):
    """Finds the nearest priced items (``models.catalogue.Catalogue`` or ``models.exact.ExactIndex``)."""

    def query(self, vectors: Vectors, k: int) -> list[list[Neighbour]]:
        """The ``k`` nearest items of each vector, nearest first; raises ``CatalogueUnavailable``."""
        ...


class RetrievalEstimator:
    """Prices a product as the weighted geometric mean of its neighbours' prices."""

    name = "frontier"

    def __init__(self, catalogue: Index, encoder: Encodes, rule: KnnRule | None = None) -> None:
        self._catalogue = catalogue
        self._encoder = encoder
        self._rule = rule or KnnRule()

    def neighbours(self, descriptions: Sequence[str]) -> list[list[Neighbour]]:
        """The nearest items of the catalogue for each description, nearest first.

        Raises ``EstimatorUnavailable`` when the catalogue does not answer, ``ArtifactError`` without an encoder.
        """
        vectors = self._encoder.encode([clean(text) for text in descriptions])
        try:
            return self._catalogue.query(vectors, self._rule.k)
        except CatalogueUnavailable as error:
            raise EstimatorUnavailable(self.name, str(error)) from error

    def estimate(self, descriptions: Sequence[str]) -> list[MemberEstimate]:
        """One estimate per description; a failure where the text is unusable or nothing is similar."""
        found = self.neighbours(descriptions)
        return [self._one(clean(text), near) for text, near in zip(descriptions, found, strict=True)]

    def _one(self, text: str, near: list[Neighbour]) -> MemberEstimate:
        failure = why_unusable(text) or self._why_no_basis(near)
        if failure is not None:
            return MemberEstimate(member=self.name, failure=failure, degraded=DEGRADED)
        weight = weights(text, near, self._rule)
        logs = np.log([item.price for item in near])
        value = float(np.exp(np.average(logs, weights=weight)))
        heaviest = [near[index] for index in np.argsort(-weight, kind="stable")]
        return MemberEstimate(member=self.name, value=value, similar=shown(heaviest), degraded=DEGRADED)

    def _why_no_basis(self, near: list[Neighbour]) -> str | None:
        if not near:
            return "The catalogue is empty"
        if near[0].similarity < self._rule.least_similarity:
            return "Nothing in the catalogue is similar"
        return None


def weights(text: str, near: Sequence[Neighbour], rule: KnnRule) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The weight of each neighbour of ``text``, the greatest before kind and age being 1."""
    closeness = np.array([affinity(text, item.description, item.similarity, rule) for item in near])
    weight = np.exp(closeness - closeness.max())
    years = np.array([item.as_of or 0 for item in near], float)
    age = np.where(years > 0, years.max() - years, 0.0)
    weight *= 0.5 ** (age / rule.half_life)
    weight *= np.where(_of_main_kind(near, weight), 1.0, rule.other_kind)
    return np.asarray(weight, np.float64)


def affinity(text: str, other: str, similarity: float, rule: KnnRule) -> float:
    """The log of a neighbour's weight, before kind and age."""
    shared, numbers = overlap(text, other)
    return float(rule.power * np.log(max(similarity, 0.01)) + rule.overlap * shared + rule.numbers * numbers)


def _of_main_kind(
    near: Sequence[Neighbour], weight: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether each neighbour is of the kind that holds most of the weight."""
    held: dict[str, float] = {}
    for item, share in zip(near, weight, strict=True):
        held[item.category] = held.get(item.category, 0.0) + float(share)
    main = max(held, key=lambda kind: held[kind])
    return np.array([item.category == main for item in near])


def shown(near: Sequence[Neighbour]) -> tuple[Similar, ...]:
    """The items that carry an estimate as they travel with it: few, and with short texts."""
    return tuple(
        item.as_similar().model_copy(update={"description": item.description[:CHARACTERS]}) for item in near[:SHOWN]
    )
