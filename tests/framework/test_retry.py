"""Pauses and retries, without waiting."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from framework.retry import Backoff, parse_retry_after

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
