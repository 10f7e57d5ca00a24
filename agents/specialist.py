"""The specialist agent: the model fine-tuned to say what a product is worth."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from agents.member import CircuitBreaker, MemberAgent
from framework.deals import MemberEstimate
from framework.errors import EstimatorUnavailable
from models.base import Estimator, StartsSlowly


class SpecialistAgent(MemberAgent):
    """Asks the specialist model that the settings choose: bundled, on Modal, or a GGUF file."""

    name = "specialist"

    def __init__(
        self,
        estimator: Estimator,
        *,
        deadline: float | None = None,
        breaker: CircuitBreaker | None = None,
        slow_start: StartsSlowly | None = None,
    ) -> None:
        """``slow_start`` is the estimator's own side where it takes long to start: see ``warm_up``."""
        super().__init__(estimator, deadline=deadline, breaker=breaker)
        self._slow_start = slow_start

    def _call(self, descriptions: Sequence[str]) -> list[MemberEstimate]:
        try:
            return super()._call(descriptions)
        except EstimatorUnavailable as error:
            if self._slow_start is None or not isinstance(error.__cause__, TimeoutError):
                raise
            hint = "it is probably starting, and the next hunt finds it ready (see modal_deadline, modal_keep_warm)"
            raise EstimatorUnavailable(self.name, f"{error.__cause__}: {hint}") from error

    def warm_up(self) -> None:
        """Let a model that starts slowly begin to, beside what the hunt does first. Returns at once."""
        if self._slow_start is not None:
            threading.Thread(target=self._wake, args=(self._slow_start,), name="warm-up", daemon=True).start()

    def _wake(self, model: StartsSlowly) -> None:
        try:
            model.warm_up()
        except EstimatorUnavailable as error:
            self.log.warning("cannot warm up", error=str(error))

    def keep_warm(self, containers: int) -> bool:
        """Keep so many of a slow model's containers running; False where that could not be arranged."""
        if self._slow_start is None:
            return True
        try:
            self._slow_start.keep_warm(containers)
        except EstimatorUnavailable as error:
            self.log.warning("cannot keep warm", error=str(error), containers=containers)
            return False
        return True
