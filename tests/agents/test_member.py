"""Members of the ensemble: what goes wrong with one stays with it, and costs no more than its deadline."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from agents.member import CircuitBreaker
from agents.specialist import SpecialistAgent
from framework.deals import MemberEstimate
from framework.errors import ArtifactError, EstimatorUnavailable


class FakeEstimator:
    """Prices everything at 10; ``error`` makes it fail, ``hang`` makes it wait for ever."""

    name = "specialist"

    def __init__(self, error: Exception | None = None, hang: bool = False, extra: int = 0) -> None:
        self.error, self.hang, self.extra, self.calls = error, hang, extra, 0
        self.released = threading.Event()

    def estimate(self, descriptions: Sequence[str]) -> list[MemberEstimate]:
        self.calls += 1
        if self.hang:
            self.released.wait(30)
        if self.error:
            raise self.error
        return [MemberEstimate(member=self.name, value=10.0)] * (len(descriptions) + self.extra)


def test_a_working_member_gives_one_estimate_per_item() -> None:
    assert [e.value for e in SpecialistAgent(FakeEstimator()).estimate(["a", "b"])] == [10.0, 10.0]


def test_nothing_to_price_makes_no_call() -> None:
    estimator = FakeEstimator()
    assert SpecialistAgent(estimator).estimate([]) == []
    assert estimator.calls == 0


@pytest.mark.parametrize(
    "error", [EstimatorUnavailable("specialist", "is away"), ArtifactError("specialist.onnx", "The hash is wrong")]
)
def test_a_member_that_is_down_says_why_for_each_item(error: Exception) -> None:
    estimates = SpecialistAgent(FakeEstimator(error)).estimate(["a", "b"])
    assert [(e.value, e.failure) for e in estimates] == [(None, str(error))] * 2


def test_a_bug_is_not_hidden_as_a_member_that_is_down() -> None:
    with pytest.raises(ZeroDivisionError):
        SpecialistAgent(FakeEstimator(ZeroDivisionError())).estimate(["a"])


def test_a_member_with_too_many_answers_is_not_believed() -> None:
    (estimate,) = SpecialistAgent(FakeEstimator(extra=1)).estimate(["a"])
    assert estimate.value is None
    assert "2 estimates for 1 items" in str(estimate.failure)


def test_a_hanging_member_is_left_after_its_deadline() -> None:
    estimator = FakeEstimator(hang=True)
    (estimate,) = SpecialistAgent(estimator, deadline=0.05).estimate(["a"])
    estimator.released.set()
    assert estimate.value is None
    assert "no answer within 0.05 s" in str(estimate.failure)


def test_an_error_inside_the_deadline_comes_through() -> None:
    with pytest.raises(ZeroDivisionError):
        SpecialistAgent(FakeEstimator(ZeroDivisionError()), deadline=5).estimate(["a"])


def test_the_breaker_leaves_a_failing_member_out_and_tries_it_again_later() -> None:
    now = 0.0
    breaker = CircuitBreaker(failures=2, pause=60, clock=lambda: now)
    estimator = FakeEstimator(EstimatorUnavailable("specialist", "is away"))
    agent = SpecialistAgent(estimator, breaker=breaker)
    for _ in range(5):
        agent.estimate(["a"])
    assert estimator.calls == 2
    assert "left out for 60 s" in str(agent.estimate(["a"])[0].failure)
    now = 61.0
    estimator.error = None
    assert agent.estimate(["a"])[0].value == 10.0
    assert agent.estimate(["a"])[0].value == 10.0
