"""What is left of a service's allowance lasts until it is renewed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from framework.allowance import Allowance, pace

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
RESET = datetime(2026, 4, 1, 5, 0, tzinfo=UTC)  # 11 days and 17 hours later


def allowance(remaining: int, reset: datetime = RESET) -> Allowance:
    return Allowance(limit=10_000, remaining=remaining, reset=reset)


@pytest.mark.parametrize(
    ("remaining", "sent_today", "held"),
    [
        (1_001, 500, False),  # plenty
        (1_000, 71, False),  # 800 above the reserve and 71 that went out, over 12 days: 72 a day
        (1_000, 72, True),
        (205, 0, False),  # one a day at least
        (205, 1, True),
    ],
)
def test_near_its_end_alerts_are_spread_over_the_days(remaining: int, sent_today: int, held: bool) -> None:
    pause = pace(allowance(remaining), NOW, UTC, sent_today)
    assert (pause is not None) is held
    if pause is not None:
        assert pause.until == datetime(2026, 3, 21, tzinfo=UTC)
        assert f"{remaining} messages are left" in pause.reason


def test_the_reserve_is_kept_until_the_renewal() -> None:
    pause = pace(allowance(200), NOW, UTC, 0)
    assert pause is not None
    assert pause.until == RESET
    assert pace(allowance(200), RESET + timedelta(seconds=1), UTC, 0) is None  # renewed since we last heard
