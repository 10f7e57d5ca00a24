"""Pauses and retries, without waiting."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from framework.errors import ConnectionFailed, HTTPStatusError
from framework.retry import Backoff, call_with_retries, parse_retry_after

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Mon, 23 Nov 2026 12:02:00 GMT", 120.0),
        ("Monday, 23-Nov-26 12:02:00 GMT", 120.0),
        ("Mon, 23 Nov 2026 14:02:00 +0200", 120.0),
        ("Mon, 23 Nov 2020 12:02:00 GMT", 0.0),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("later", None),
        ("", None),
        (None, None),
        ("Mon, 99 Nov 2026 99:99:99 GMT", None),
        ("9" * 400, 10 * 365 * 86400.0),
    ],
)
def test_retry_after_is_read_in_both_forms_or_not_at_all(header: str | None, seconds: float | None) -> None:
    assert parse_retry_after(header, NOW) == seconds


def test_pauses_double_up_to_the_longest_and_jitter_only_shortens() -> None:
    steady = Backoff(first=1, longest=10, jitter=0)
    assert [steady.pause(failures, random.Random(1)) for failures in (1, 2, 3, 4, 5, 5000)] == [1, 2, 4, 8, 10, 10]
    jittery = [Backoff(first=8, longest=8, jitter=0.25).pause(1, random.Random(seed)) for seed in range(100)]
    assert 6 <= min(jittery) < max(jittery) <= 8


def run(outcomes: list[Exception | str], **settings: object) -> tuple[str | Exception, list[float]]:
    pauses: list[float] = []

    def call() -> str:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    backoff = Backoff(first=1, jitter=0)
    try:
        result: str | Exception = call_with_retries(
            call,
            retry_on=(ConnectionFailed, HTTPStatusError),
            backoff=backoff,
            sleep=pauses.append,
            **settings,  # type: ignore[arg-type]
        )
    except (ConnectionFailed, HTTPStatusError, KeyError) as error:
        result = error
    return result, pauses


def test_a_call_is_repeated_until_it_succeeds() -> None:
    down = ConnectionFailed("u", "down")
    assert run([down, down, "fine"]) == ("fine", [1, 2])


def test_the_last_error_is_raised_when_the_attempts_are_used_up() -> None:
    errors = [ConnectionFailed("u", str(number)) for number in range(3)]
    result, pauses = run(list(errors))
    assert (result, pauses) == (errors[2], [1, 2])


def test_the_servers_wish_is_honoured_and_a_long_one_ends_the_attempts() -> None:
    assert run([HTTPStatusError("u", 429, retry_after=30.0), "fine"]) == ("fine", [30.0])
    wish = HTTPStatusError("u", 429, retry_after=3000.0)
    assert run([wish, "fine"]) == (wish, [])


def test_another_error_is_not_retried() -> None:
    result, pauses = run([KeyError("bug"), "fine"])
    assert isinstance(result, KeyError)
    assert pauses == []
