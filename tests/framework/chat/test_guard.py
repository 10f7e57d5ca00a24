"""The circuit opens after failures in a row and closes by a successful trial."""

from __future__ import annotations

import pytest

from framework.chat.guard import Guard
from framework.errors import ChatRefused, ChatUnavailable


class Model:
    """Fails while ``down``; counts its calls."""

    def __init__(self) -> None:
        self.down, self.calls, self.now = True, 0, 0.0
        self.error: Exception = ChatUnavailable("m", "down")

    def __call__(self) -> str:
        self.calls += 1
        if self.down:
            raise self.error
        return "up"


def guard(model: Model, **settings: float) -> Guard:
    return Guard("m", clock=lambda: model.now, sleep=lambda _: None, attempts=1, **settings)  # type: ignore[arg-type]


def test_an_open_circuit_lets_no_call_through_until_the_cool_off_ends() -> None:
    model = Model()
    guarded = guard(model, limit=2, cool_off=60)
    for _ in range(5):
        with pytest.raises(ChatUnavailable):
            guarded.call(model)
    assert model.calls == 2
    assert guarded.open
    model.now, model.down = 61.0, False
    assert guarded.call(model) == "up"
    assert not guarded.open


def test_a_failed_trial_opens_the_circuit_again() -> None:
    model = Model()
    guarded = guard(model, limit=2, cool_off=60)
    for now in (0, 0, 61, 61):
        model.now = now
        with pytest.raises(ChatUnavailable):
            guarded.call(model)
    assert model.calls == 3


def test_a_refusal_shows_that_the_server_is_there() -> None:
    model = Model()
    guarded = guard(model, limit=2)
    for error in (ChatUnavailable("m", "down"), ChatRefused("m", "no"), ChatUnavailable("m", "down")):
        model.error = error
        with pytest.raises(type(error)):
            guarded.call(model)
    assert not guarded.open


def test_a_bug_is_not_taken_for_an_outage() -> None:
    model = Model()
    model.error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        guard(model).call(model)
