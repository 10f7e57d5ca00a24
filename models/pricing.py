"""The ensemble put together from its parts, for evaluation, benchmarks, scripts: prices without agents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from framework.currency import Rates
from framework.deals import Estimate, MemberEstimate, Valuation
from framework.errors import ArtifactError, EstimatorUnavailable
from models.artifact import SHIPPED
from models.attention import Attention
from models.base import Estimator
from models.blender import Blender, Unpriced
from models.catalogue import Catalogue
from models.encoder import Encoder
from models.knn import RetrievalEstimator
from models.random_forest import RandomForest
from models.shipped import load_shipped
from models.specialist import Specialist
from models.valuation import DealFacts, NoValuation, Valuer

log = structlog.get_logger("pricing")


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Members that share one encoder, the blender that joins them, and the catalogue one of them retrieves from."""

    encoder: Encoder
    catalogue: Catalogue
    members: tuple[Estimator, ...]
    blender: Blender

    def ask(self, descriptions: Sequence[str]) -> dict[str, list[MemberEstimate]]:
        """What each member says; a member that is down is left out, and logged."""
        said: dict[str, list[MemberEstimate]] = {}
        for member in self.members:
            try:
                said[member.name] = member.estimate(descriptions)
            except (EstimatorUnavailable, ArtifactError) as error:
                log.warning("member_unavailable", member=member.name, reason=str(error))
        return said

    def estimate(self, descriptions: Sequence[str]) -> list[Estimate | Unpriced]:
        """One estimate per description, or why there is none.

        Raises ``ArtifactError`` when the blender's coefficients cannot be read.
        """
        return self.blender.combine(descriptions, self.ask(descriptions))

    def value(self, offers: Sequence[DealFacts], rates: Rates | None = None) -> list[Valuation | NoValuation]:
        """What each offer is worth, the estimate joined with its other evidence."""
        valuer = Valuer(self.blender.shape)
        estimates = self.estimate([offer.description for offer in offers])
        return [
            valuer.value_deal(offer, estimate if isinstance(estimate, Estimate) else None, rates)
            for offer, estimate in zip(offers, estimates, strict=True)
        ]


def build_ensemble(
    *,
    catalogue_path: Path | None = None,
    catalogue_url: str | None = None,
    specialist: bool = True,
    artifacts: Path = SHIPPED,
    with_shipped: bool = True,
) -> Ensemble:
    """The real members on the artifacts of a folder. Nothing is loaded or opened before the first call."""
    encoder = Encoder(artifacts)
    shipped = (lambda: load_shipped(artifacts)) if with_shipped else None
    catalogue = Catalogue(encoder, path=catalogue_path, url=catalogue_url, shipped=shipped)
    # The specialist first: it encodes the texts for its own layers and leaves their vectors for the others. The forest
    # before the catalogue: loading it takes 230 MiB for a moment.
    members: list[Estimator] = [Specialist(encoder, artifacts)] if specialist else []
    members += [RandomForest(encoder, artifacts), RetrievalEstimator(catalogue, encoder, Attention(artifacts))]
    return Ensemble(encoder, catalogue, tuple(members), Blender(artifacts))
