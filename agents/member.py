"""A member of the ensemble as an agent: an estimator behind a deadline and a circuit breaker.

A remote member can hang for a minute and fail a hundred times in a row; the hunt must not pay for that. The breaker
follows the usual three states (M. Nygard, Release It!): after ``failures`` failed calls in a row it opens and the
member is left out at once for ``pause`` seconds; then one call is let through to try.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from framework.agent import Agent
from framework.deadline import call_within
from framework.deals import MemberEstimate
from framework.errors import EstimatorUnavailable, ModelError
from models.base import Estimator


class CircuitBreaker:
    """Counts failures in a row and says whether a call may be made. Not shared between members."""

    def __init__(self, failures: int = 3, pause: float = 300.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit, self._pause, self._clock = failures, pause, clock
        self._failures = 0
        self._opened_at = 0.0

    def remaining(self) -> float:
        """Seconds until a call may be made again; 0 when it may be made now."""
        if self._failures < self._limit:
            return 0.0
        return max(0.0, self._opened_at + self._pause - self._clock())

    def record(self, *, ok: bool) -> None:
        """Note how a call ended."""
        self._failures = 0 if ok else self._failures + 1
        if self._failures >= self._limit:
            self._opened_at = self._clock()


class MemberAgent(Agent):
    """One estimator of the ensemble. Its ``estimate`` never raises for a member that is down: it says so per item."""

    def __init__(
        self, estimator: Estimator, *, deadline: float | None = None, breaker: CircuitBreaker | None = None
    ) -> None:
        """``deadline`` in seconds bounds one call; ``None`` (local models) runs it in the calling thread."""
        super().__init__()
        self.estimator = estimator
        self._deadline = deadline
        self._breaker = breaker or CircuitBreaker()

    @property
    def is_remote(self) -> bool:
        """Whether calls go elsewhere, and so have a deadline."""
        return self._deadline is not None

    def estimate(self, descriptions: Sequence[str]) -> list[MemberEstimate]:
        """One ``MemberEstimate`` per description; all are failures with the reason when the member is down."""
        if not descriptions:
            return []
        pause = self._breaker.remaining()
        if pause > 0:
            return self._all_failed(descriptions, f"left out for {pause:.0f} s after failing repeatedly")
        started = time.perf_counter()
        try:
            estimates = self._call(descriptions)
        except ModelError as error:
            self._breaker.record(ok=False)
            self.log.warning("cannot estimate", error=str(error), items=len(descriptions))
            return self._all_failed(descriptions, str(error))
        self._breaker.record(ok=True)
        priced = sum(estimate.value is not None for estimate in estimates)
        self.log.info("estimated", items=len(descriptions), priced=priced, ms=_milliseconds_since(started))
        return estimates

    def _call(self, descriptions: Sequence[str]) -> list[MemberEstimate]:
        if self._deadline is None:
            estimates = self.estimator.estimate(descriptions)
        else:
            try:
                estimates = call_within(
                    self._deadline, lambda: self.estimator.estimate(descriptions), f"member-{self.name}"
                )
            except TimeoutError as error:
                raise EstimatorUnavailable(self.name, str(error)) from error
        if len(estimates) != len(descriptions):
            raise EstimatorUnavailable(self.name, f"gave {len(estimates)} estimates for {len(descriptions)} items")
        return estimates

    def _all_failed(self, descriptions: Sequence[str], reason: str) -> list[MemberEstimate]:
        return [MemberEstimate(member=self.name, failure=reason) for _ in descriptions]


def _milliseconds_since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)
