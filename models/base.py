"""The contract that every estimator keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from framework.deals import MemberEstimate


class Estimator(Protocol):
    """A model that says what products are worth.

    ``estimate`` is batch-first: one call prices all deals of a hunt. It returns exactly one ``MemberEstimate`` per
    description, in order. What goes wrong with one item (empty text, no neighbour, a reply without a price) is that
    item's ``failure``; what goes wrong with the whole member (artifact missing, service down, deadline passed) raises
    ``EstimatorUnavailable`` or ``ArtifactError``, and the ensemble goes on without it. Values are US dollars of
    today. Implementations load their model lazily at the first call and may be called from several threads.
    """

    name: str

    def estimate(self, descriptions: Sequence[str]) -> list[MemberEstimate]:
        """Price each description on its own."""
        ...
