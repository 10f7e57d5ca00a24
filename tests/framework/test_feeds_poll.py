"""Polling manners against a real server: what is sent, what is remembered, when the next check comes."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from framework.feeds import Poller, Schedule, is_due, notice, staggered, with_new_entries
from framework.feeds.by_host import each_in_turn
from framework.feeds.health import is_silent
from framework.feeds.schedule import max_age
from framework.feedstate import FeedState, FeedStatus, PollOutcome, PollResult
from framework.http import HttpClient
from tests.fakes.web import LoopbackWeb, Reply

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
FEED = (
    b"<rss version='2.0'><channel><title>Deals</title>"
    b"<item><title>Kettle $20</title><guid>1</guid></item></channel></rss>"
)
STEADY = Schedule(interval=900, longest=86_400, jitter=0.0)


@pytest.fixture
def web() -> Iterator[LoopbackWeb]:
    with LoopbackWeb() as server:
        yield server


@pytest.fixture
def poller(web: LoopbackWeb) -> Iterator[Poller]:
    with HttpClient(allow_hosts=web.hosts, gap=0, total_timeout=5, max_redirects=3) as http:
        yield Poller(http, schedule=STEADY, rng=random.Random(1), gap=0)


def feed(url: str, **changes: object) -> FeedState:
    return FeedState(url=url, added=NOW, **changes)  # type: ignore[arg-type]


def pause(result: PollResult) -> float:
    assert result.feed.next_check is not None
    return (result.feed.next_check - NOW).total_seconds()


def test_a_first_poll_reads_the_entries_and_remembers_the_validators(web: LoopbackWeb, poller: Poller) -> None:
    web.add("/rss", FEED, etag='"1"', last_modified="Mon, 23 Nov 2026 11:00:00 GMT")
    result = poller.poll(feed(web.url("/rss")), NOW)
    assert (result.outcome, [entry.title for entry in result.entries]) == (PollOutcome.UPDATED, ["Kettle $20"])
    state = result.feed
    assert (state.etag, state.last_modified, state.title) == ('"1"', "Mon, 23 Nov 2026 11:00:00 GMT", "Deals")
    assert (state.status, state.last_check, state.last_success) == (FeedStatus.OK, NOW, NOW)
    assert (result.bytes, pause(result)) == (len(FEED), 900)


def test_a_second_poll_is_conditional_and_304_is_a_success(web: LoopbackWeb, poller: Poller) -> None:
    web.add("/rss", FEED, etag='"1"', last_modified="Mon, 23 Nov 2026 11:00:00 GMT")
    first = poller.poll(feed(web.url("/rss")), NOW).feed.model_copy(update={"errors": 3, "last_error": "x"})
    second = poller.poll(first, NOW)
    assert (second.outcome, second.entries, second.bytes) == (PollOutcome.UNCHANGED, (), 0)
    assert (second.feed.errors, second.feed.last_error, second.feed.etag) == (0, None, '"1"')
    sent = web.requests[1].headers
    assert (sent["if-none-match"], sent["if-modified-since"]) == ('"1"', "Mon, 23 Nov 2026 11:00:00 GMT")


def test_the_same_bytes_without_validators_are_unchanged(web: LoopbackWeb, poller: Poller) -> None:
    web.add("/rss", FEED)
    first = poller.poll(feed(web.url("/rss")), NOW)
    assert poller.poll(first.feed, NOW).outcome is PollOutcome.UNCHANGED
    web.add("/rss", FEED.replace(b"20", b"19"))
    assert poller.poll(first.feed, NOW).outcome is PollOutcome.UPDATED


@pytest.mark.parametrize(
    ("headers", "channel", "seconds"),
    [
        ({}, b"", 900),
        ({"Cache-Control": "public, max-age=3600"}, b"", 3600),
        ({"Cache-Control": "max-age=3600", "Age": "3000"}, b"", 900),
        ({"Cache-Control": "max-age=60"}, b"", 900),
        ({"Cache-Control": "max-age=31536000"}, b"", 86_400),
        ({"Cache-Control": "no-store"}, b"<ttl>120</ttl>", 7200),
        ({"Cache-Control": "max-age=10800"}, b"<ttl>120</ttl>", 10_800),
        ({}, b"<ttl>999999</ttl>", 86_400),
    ],
)
def test_the_next_check_waits_as_long_as_anyone_asks(
    web: LoopbackWeb, poller: Poller, headers: dict[str, str], channel: bytes, seconds: float
) -> None:
    web.add("/rss", FEED.replace(b"<channel>", b"<channel>" + channel), headers=headers)
    first = poller.poll(feed(web.url("/rss")), NOW)
    assert pause(first) == seconds
    assert pause(poller.poll(first.feed, NOW)) == seconds  # an unchanged answer keeps the feed's own pace


@pytest.mark.parametrize(
    ("status", "wish", "seconds"),
    [
        (429, "7200", 7200),
        (503, "Mon, 23 Nov 2099 13:00:00 GMT", 86_400),
        (503, "Mon, 23 Nov 2009 13:00:00 GMT", 900),
        (503, "soon", 900),
        (500, "60", 900),
    ],
)
def test_a_busy_server_is_left_alone_as_long_as_it_asks(
    web: LoopbackWeb, poller: Poller, status: int, wish: str, seconds: float
) -> None:
    web.add("/rss", Reply(b"", status, {"Retry-After": wish}))
    result = poller.poll(feed(web.url("/rss")), NOW)
    assert (result.outcome, result.feed.errors, pause(result)) == (PollOutcome.FAILED, 1, seconds)


def test_pauses_double_up_to_the_cap_and_never_end(web: LoopbackWeb, poller: Poller) -> None:
    state = feed(web.url("/missing"))
    pauses = []
    for _ in range(12):
        result = poller.poll(state, NOW)
        state = result.feed
        pauses.append(pause(result))
    assert pauses == [900, 1800, 3600, 7200, 14_400, 28_800, 57_600] + [86_400] * 5
    assert state.status is FeedStatus.FAILING
    assert "404" in (state.last_error or "")


@pytest.mark.parametrize("path", ["/page", "/empty", "/broken", "/loop", "/dead"])
def test_every_kind_of_failure_is_a_result_with_its_sentence(web: LoopbackWeb, poller: Poller, path: str) -> None:
    web.add("/page", b"<html><body>Robot or human?</body></html>", content_type="text/html")
    web.add("/empty", b"")
    web.add("/broken", Reply(FEED, headers={"Content-Encoding": "gzip"}))
    web.add("/loop", Reply(b"", 302, {"Location": "/loop"}))
    url = "http://127.0.0.1:1/x" if path == "/dead" else web.url(path)
    result = poller.poll(feed(url, etag='"kept"', title="Kept"), NOW)
    assert (result.outcome, result.entries, result.feed.status) == (PollOutcome.FAILED, (), FeedStatus.FAILING)
    assert result.error
    assert result.error == result.feed.last_error
    assert (result.feed.etag, result.feed.title) == ('"kept"', "Kept")


def test_a_bug_is_not_taken_for_a_broken_feed(web: LoopbackWeb) -> None:
    class Broken:
        def get(self, *_: object, **__: object) -> None:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Poller(Broken()).poll(feed(web.url("/rss")), NOW)  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError):
        list(Poller(Broken()).poll_all([feed(web.url("/rss"))], NOW))  # type: ignore[arg-type]


def test_a_feed_that_moved_for_good_is_asked_at_its_new_place(web: LoopbackWeb, poller: Poller) -> None:
    web.add("/old", Reply(b"", 301, {"Location": "/new"}))
    web.add("/new", FEED, etag='"1"')
    first = poller.poll(feed(web.url("/old")), NOW)
    assert (first.feed.url, first.feed.moved_to) == (web.url("/old"), web.url("/new"))
    second = poller.poll(first.feed, NOW)
    assert second.outcome is PollOutcome.UNCHANGED
    assert second.feed.moved_to == web.url("/new")
    assert web.paths() == ["/old", "/new", "/new"]


def test_a_move_changes_no_entry_and_a_lost_place_is_forgotten(web: LoopbackWeb, poller: Poller) -> None:
    web.add("/old", FEED)
    before = poller.poll(feed(web.url("/old")), NOW)
    web.add("/old", Reply(b"", 308, {"Location": "/new"}))
    web.add("/new", FEED.replace(b"20", b"19"))
    moved = poller.poll(before.feed, NOW)
    assert moved.entries[0].id == before.entries[0].id
    web.add("/new", Reply(b"", 410))
    lost = poller.poll(moved.feed, NOW)
    assert (lost.feed.status, lost.feed.moved_to) == (FeedStatus.FAILING, None)


def test_a_redirect_to_something_else_is_not_remembered(web: LoopbackWeb, poller: Poller) -> None:
    web.add("/rss", Reply(b"", 301, {"Location": "/login"}))
    web.add("/login", b"<html>Please log in</html>")
    assert poller.poll(feed(web.url("/rss")), NOW).feed.moved_to is None


def test_a_gone_feed_rests_until_the_owner_asks(web: LoopbackWeb, poller: Poller) -> None:
    web.add("/rss", Reply(b"", 410))
    before = feed(web.url("/rss"))
    after = poller.poll(before, NOW).feed
    assert after.status is FeedStatus.GONE
    assert not is_due(after, NOW + timedelta(days=999))
    assert "gone" in (notice(before, after) or "")
    web.add("/rss", FEED)
    assert poller.poll(after, NOW).feed.status is FeedStatus.OK


def test_one_bad_feed_among_many_stops_nobody(web: LoopbackWeb, poller: Poller) -> None:
    web.add("/good*", FEED)
    web.add("/bad", Reply(b"", 500))
    feeds = [feed(web.url(f"/good{number}")) for number in range(5)] + [feed(web.url("/bad")), feed("nonsense")]
    results = {result.feed.url: result.outcome.value for result in poller.poll_all(feeds, NOW, workers=4)}
    assert len(results) == 7
    assert sorted(results.values()) == ["failed"] * 2 + ["updated"] * 5
    assert web.most_at_once["127.0.0.1"] == 1


def test_jitter_only_shortens_our_own_pace_and_lengthens_the_servers() -> None:
    schedule, rng = Schedule(interval=1000, jitter=0.1), random.Random(7)
    own = [(schedule.after_success(NOW, headers={}, ttl=None, rng=rng) - NOW).total_seconds() for _ in range(200)]
    theirs = [(schedule.after_success(NOW, headers={}, ttl=5000.0, rng=rng) - NOW).total_seconds() for _ in range(200)]
    assert 900 <= min(own) < 920 < 980 < max(own) <= 1000
    assert 5000 <= min(theirs) < 5100 < 5400 < max(theirs) <= 5500


@pytest.mark.parametrize(
    ("header", "age"),
    [
        ("max-age=60", 60),
        ("private, MAX-AGE = 60", 60),
        ('max-age="60"', 60),
        ("s-maxage=60", 0),
        ("", 0),
        ("max-age=x", 0),
    ],
)
def test_max_age_is_read_from_cache_control(header: str, age: float) -> None:
    assert max_age({"cache-control": header}) == age


def test_after_a_restart_overdue_feeds_are_spread_and_keep_their_places() -> None:
    overdue = [
        feed(f"https://a{number}.test/", last_check=NOW - timedelta(days=1), next_check=NOW - timedelta(hours=1))
        for number in range(200)
    ]
    new, waiting = feed("https://new.test/"), feed("https://b.test/", last_check=NOW, next_check=NOW + timedelta(1))
    spread = staggered([*overdue, new, waiting], NOW, 600)
    times = [state.next_check for state in spread[:200] if state.next_check]
    assert all(NOW <= time <= NOW + timedelta(seconds=600) for time in times)
    assert sum(time < NOW + timedelta(seconds=300) for time in times) in range(70, 131)
    assert spread == staggered([*overdue, new, waiting], NOW, 600)
    assert spread[200:] == [new, waiting]


def test_the_owner_hears_once_that_a_feed_is_down_and_once_that_it_is_back() -> None:
    states = [feed("https://a.test/", errors=errors, last_error="HTTP 500") for errors in (3, 4, 5, 6, 7, 0, 0)]
    notices = [notice(before, after) for before, after in itertools.pairwise(states)]
    assert [bool(text) for text in notices] == [False, True, False, False, True, False]
    assert "5 checks" in str(notices[1])
    assert "back" in str(notices[4])


def test_the_owner_hears_once_that_a_feed_fell_silent_and_once_that_it_speaks() -> None:
    state = feed("https://a.test/", status=FeedStatus.OK, last_check=NOW)
    for hour in range(10):
        state = with_new_entries(state, NOW + timedelta(hours=hour))
    assert state.usual_gap == 3600
    heard = []
    for day in range(1, 6):
        after = state.model_copy(update={"last_check": NOW + timedelta(days=day)})
        heard.append(notice(state, after))
        state = after
    assert [bool(text) for text in heard] == [False, False, True, False, False]
    assert is_silent(state, state.last_check)
    speaking = with_new_entries(state, NOW + timedelta(days=6)).model_copy(
        update={"last_check": NOW + timedelta(days=6)}
    )
    assert "again" in str(notice(state, speaking))


def test_workers_take_hosts_in_turn_and_never_one_host_twice() -> None:
    active: set[str] = set()
    lock = threading.Lock()

    def work(address: str) -> str:
        host = address.split("/")[2]
        with lock:
            assert host not in active
            active.add(host)
        with lock:
            active.discard(host)
        return address

    items = [f"http://host{number % 7}.test/{number}" for number in range(300)]
    done = list(each_in_turn(items, work, address=str, workers=8, gap=0, stop=lambda: False))
    assert sorted(done) == sorted(items)


def test_when_stopped_no_further_item_is_started() -> None:
    started: list[str] = []
    items = [f"http://a.test/{number}" for number in range(50)]
    results = each_in_turn(items, started.append, address=str, workers=4, gap=0, stop=lambda: len(started) >= 3)
    assert len(list(results)) == len(started) == 3
