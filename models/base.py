"""The contract that every estimator keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from framework.deals import MemberEstimate
from framework.errors import ArtifactError, EstimatorUnavailable


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


class Named:
    """An estimator under another name, for comparisons of two of a kind."""

    def __init__(self, name: str, estimator: Estimator) -> None:
        self.name, self._estimator = name, estimator

    def estimate(self, descriptions: Sequence[str]) -> list[MemberEstimate]:
        """See ``Estimator``. Raises ``EstimatorUnavailable`` for an artifact that cannot be used, too: others can."""
        try:
            said = self._estimator.estimate(descriptions)
        except ArtifactError as error:
            raise EstimatorUnavailable(self.name, str(error)) from error
        return [estimate.model_copy(update={"member": self.name}) for estimate in said]


class StartsSlowly(Protocol):
    """An estimator whose model runs elsewhere and takes a minute to start. Both raise ``EstimatorUnavailable``."""

    def warm_up(self) -> None:
        """Ask for a start without waiting for it."""
        ...

    def keep_warm(self, containers: int) -> None:
        """Keep so many running from now on, called or not; 0 lets them end when idle."""
        ...
