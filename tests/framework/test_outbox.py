"""When to send: backoff, repeats, quiet hours, cap, cooldown, digest, each also on the days when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from framework.outbox import Backoff, Hold, News, Plan, Repeat, day_start, hold, latest_at, news, next_at, priority

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")  # forward on 2026-03-29 at 02:00, back on 2026-10-25 at 03:00
NEW_YORK = ZoneInfo("America/New_York")


def berlin(day: int, month: int, hour: int, minute: int = 0, fold: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN, fold=fold)


def asked(plan: Plan, now: datetime = NOON, **more: object) -> Hold | None:
    values = {"urgent": False, "notice": False, "sent_today": 0, "last_sent": None, **more}
    return hold(plan, now, **values)


def test_pauses_double_up_to_the_cap_and_end() -> None:
    backoff = Backoff(base=timedelta(seconds=10), cap=timedelta(minutes=1), max_attempts=6)
    pauses = [backoff.next_try(attempts, NOON) for attempts in range(1, 7)]
    assert [(when - NOON).total_seconds() for when in pauses if when] == [10, 20, 40, 60, 60]
    assert pauses[-1] is None


@pytest.mark.parametrize(("asked_for", "seconds"), [(None, 10), (3, 10), (90, 90), (1e12, 31 * 86_400)])
def test_a_longer_wait_that_the_service_asks_for_wins(asked_for: float | None, seconds: float) -> None:
    when = Backoff().next_try(1, NOON, asked_for)
    assert when == NOON + timedelta(seconds=seconds)


def test_many_failures_do_not_overflow() -> None:
    assert Backoff(max_attempts=10**9).next_try(10**6, NOON) == NOON + timedelta(hours=1)


@pytest.mark.parametrize(
    ("price", "days", "expected"),
    [
        ("100", 0, News.KNOWN),
        ("85.01", 1, News.KNOWN),
        ("85.00", 1, News.CHEAPER),
        ("120", 1, News.KNOWN),
        ("100", 13.9, News.KNOWN),
        ("100", 14, News.FRESH),
        ("50", 14, News.FRESH),
    ],
)
def test_a_known_product_is_news_again_when_cheaper_or_after_days(price: str, days: float, expected: News) -> None:
    assert news(Decimal(price), Decimal(100), NOON, NOON + timedelta(days=days), Repeat()) is expected


@pytest.mark.parametrize(
    ("probability", "percent", "amount", "expected"),
    [(0.97, 60, 80, 1), (0.97, 60, 30, 0), (0.9, 60, 80, 0), (0.97, 40, 80, 0), (0.69, 60, 80, -1)],
)
def test_only_near_certain_and_large_discounts_are_loud(
    probability: float, percent: float, amount: float, expected: int
) -> None:
    assert priority(probability, percent, amount) == expected


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (berlin(1, 3, 21, 59), None),
        (berlin(1, 3, 22), berlin(2, 3, 7)),
        (berlin(2, 3, 0), berlin(2, 3, 7)),
        (berlin(2, 3, 6, 59), berlin(2, 3, 7)),
        (berlin(2, 3, 7), None),
    ],
)
def test_quiet_hours_over_midnight_hold_until_the_morning(now: datetime, until: datetime | None) -> None:
    held = asked(Plan(zone=BERLIN, quiet=(time(22), time(7))), now)
    assert (held.until if held else None) == until


def test_the_night_when_clocks_go_forward_is_an_hour_shorter() -> None:
    now = berlin(28, 3, 23)
    held = asked(Plan(zone=BERLIN, quiet=(time(22), time(7))), now)
    assert held is not None
    assert held.until - now.astimezone(UTC) == timedelta(hours=7)


def test_the_night_when_clocks_go_back_is_an_hour_longer() -> None:
    now = berlin(24, 10, 23)
    held = asked(Plan(zone=BERLIN, quiet=(time(22), time(7))), now)
    assert held is not None
    assert held.until - now.astimezone(UTC) == timedelta(hours=9)


def test_quiet_hours_that_end_in_the_hour_that_comes_twice_end_both_times() -> None:
    plan = Plan(zone=BERLIN, quiet=(time(22), time(2, 30)))
    first, second = berlin(25, 10, 2, 10), berlin(25, 10, 2, 10, fold=1)
    for now in (first, second):
        held = asked(plan, now)
        assert held is not None
        assert held.until - now.astimezone(UTC) == timedelta(minutes=20)


def test_quiet_hours_that_end_in_the_skipped_hour_end_after_it() -> None:
    held = asked(Plan(zone=BERLIN, quiet=(time(22), time(2, 30))), berlin(29, 3, 1, 45))
    assert held is not None
    assert held.until == berlin(29, 3, 3, 30)
    assert asked(Plan(zone=BERLIN, quiet=(time(22), time(2, 30))), held.until) is None


def test_quiet_hours_may_lie_within_a_day() -> None:
    plan = Plan(quiet=(time(11), time(13)))
    assert asked(plan) == Hold(NOON + timedelta(hours=1), "quiet hours")
    assert asked(plan, NOON + timedelta(hours=1)) is None


def test_urgent_messages_pass_everything() -> None:
    strict = Plan(quiet=(time(0), time(23, 59)), daily_cap=0, cooldown=timedelta(hours=1), digest_at=time(8))
    assert asked(strict, urgent=True, sent_today=99, last_sent=NOON) is None


def test_the_daily_cap_holds_until_the_owners_midnight() -> None:
    held = asked(Plan(zone=NEW_YORK, daily_cap=3), sent_today=3)
    assert held is not None
    assert held.until == datetime(2026, 3, 2, tzinfo=NEW_YORK)
    assert asked(Plan(daily_cap=3), sent_today=2) is None


def test_the_cooldown_holds_for_the_rest_of_it() -> None:
    plan = Plan(cooldown=timedelta(minutes=10))
    last = NOON - timedelta(minutes=4)
    assert asked(plan, last_sent=last) == Hold(NOON + timedelta(minutes=6), "cooldown")
    assert asked(plan, last_sent=NOON - timedelta(minutes=10)) is None
    assert asked(plan, last_sent=NOON + timedelta(hours=1)) is None  # the clock was set back: nothing to wait for


def test_notices_wait_for_quiet_hours_only() -> None:
    assert asked(Plan(daily_cap=0, digest_at=time(8)), notice=True) is None
    assert asked(Plan(quiet=(time(11), time(13))), notice=True) is not None


def test_with_a_digest_everything_else_waits_for_its_hour() -> None:
    held = asked(Plan(zone=BERLIN, digest_at=time(8)))
    assert held is not None
    assert held.until == berlin(2, 3, 8)


def test_the_owners_day_begins_at_the_owners_midnight() -> None:
    assert day_start(datetime(2026, 3, 1, 3, tzinfo=UTC), NEW_YORK) == datetime(2026, 2, 28, tzinfo=NEW_YORK)


@pytest.mark.parametrize("zone", [UTC, BERLIN, NEW_YORK, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Africa/Cairo")])
@pytest.mark.parametrize("at", [time(0), time(2, 30), time(8)])
def test_the_next_and_the_last_time_of_day_enclose_every_moment_of_a_year(zone: ZoneInfo, at: time) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    while now.year == 2026:
        following, last = next_at(now, at, zone), latest_at(now, at, zone)
        assert last <= now < following
        assert following - now <= timedelta(hours=25, minutes=30)
        assert now - last <= timedelta(hours=26)
        now += timedelta(hours=5, minutes=30)
