"""The frontier member without a language model: what similar products of the catalogue cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from framework.deals import MemberEstimate, Similar
from framework.errors import CatalogueUnavailable, EstimatorUnavailable
from models.attention import CHARACTERS, Attention
from models.catalogue import Neighbour
from models.encoder import Vectors
from models.text import clean, why_unusable

DEGRADED = "retrieval only, no LLM"
LEAST_SPREAD = 0.01  # of log price: neighbours of one price agree, but prove nothing beyond it
SHOWN = 8  # neighbours travel with an estimate, those of most weight first


@dataclass(frozen=True, slots=True)
class KnnRule:
    """How many neighbours are asked for, and below which similarity the nearest one says nothing about a product."""

    k: int = 32
    least_similarity: float = 0.25


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
    """Prices a product as the weighted geometric mean of its neighbours' prices (``models.attention``)."""

    name = "frontier"

    def __init__(
        self, catalogue: Index, encoder: Encodes, attention: Attention | None = None, rule: KnnRule | None = None
    ) -> None:
        self._catalogue = catalogue
        self._encoder = encoder
        self._attention = attention or Attention()
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
        weight = self._attention.weights(text, near)
        logs = np.log([item.price for item in near])
        mean = float(weight @ logs)
        spread = float(np.sqrt(weight @ (logs - mean) ** 2))
        heaviest = [near[index] for index in np.argsort(-weight, kind="stable")]
        return MemberEstimate(
            member=self.name,
            value=float(np.exp(mean)),
            spread=max(spread, LEAST_SPREAD),
            similar=shown(heaviest),
            degraded=DEGRADED,
        )

    def _why_no_basis(self, near: list[Neighbour]) -> str | None:
        if not near:
            return "The catalogue is empty"
        if near[0].similarity < self._rule.least_similarity:
            return "Nothing in the catalogue is similar"
        return None


def shown(near: Sequence[Neighbour]) -> tuple[Similar, ...]:
    """The items that carry an estimate as they travel with it: few, and with short texts."""
    return tuple(
        item.as_similar().model_copy(update={"description": item.description[:CHARACTERS]}) for item in near[:SHOWN]
    )
