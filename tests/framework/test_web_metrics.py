"""The figures for Prometheus: what is counted, that counters never fall, and that they read as its own tools want."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from framework.log import LogBuffer
from framework.memory.records import NotificationState
from framework.memory.store import Store
from framework.settings import Settings
from framework.web.app import create_app
from framework.web.context import DashboardContext
from framework.web.server import serve
from tests.fakes import board
from tests.fakes.board import Clock

_COUNTS = {
    "feeds_polled": 10, "feeds_failed": 2, "feeds_unchanged": 5, "entries_new": 7, "deals": 4, "skipped": 2,
    "failed": 1,
    "judged": 4, "opportunities": 1, "ms_poll": 1500, "estimates.specialist": 4, "errors.specialist": 0,
    "estimates.frontier": 1, "errors.frontier": 3,
}  # fmt: skip


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'memory.db'}", clock=clock) as opened:
        yield opened


@pytest.fixture
def web(store: Store, clock: Clock) -> Iterator[httpx2.Client]:
    context = DashboardContext(store=store, settings=Settings(), log=LogBuffer(), clock=clock, started=clock())
    handle = serve(create_app(context), "127.0.0.1", 0)
    assert handle.wait_until_started()
    with httpx2.Client(base_url=handle.url, trust_env=False, timeout=20) as client:
        yield client
    handle.stop()


def _figures(web: httpx2.Client) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(web.get("/metrics").text)
    return {(s.name.removeprefix("dealhound_"), *s.labels.values()): s.value for f in families for s in f.samples}


def _fill(store: Store) -> None:
    board.fill(store, 3)
    store.finish_hunt("hunt-1", _COUNTS)
    store.add_usage("model", 1000, 50, 0.25)


def test_polls_entries_deals_members_outbox_and_money_are_counted(web: httpx2.Client, store: Store) -> None:
    _fill(store)
    figures = _figures(web)
    assert figures["up",] == 1
    assert figures["feeds", "failing"] == 1
    assert [figures["polls_total", outcome] for outcome in ("changed", "unchanged", "failed")] == [3, 5, 2]
    assert figures["entries_total", "new"] == 7 + 4  # with those of board.fill
    assert figures["readings_total", "skipped"] == 2
    assert figures["member_estimates_total", "specialist"] == 4
    assert figures["member_errors_total", "frontier"] == 3
    assert figures["stage_seconds_total", "poll"] == 1.5
    assert figures["remembered_entries", "opportunity"] == 3
    assert figures["outbox_messages", "waiting"] == 3
    assert (figures["llm_tokens_total", "in"], figures["llm_calls_total",], figures["llm_usd_total",]) == (
        1000,
        1,
        0.25,
    )
    assert figures["last_hunt_failed",] == 0


def test_no_counter_falls_when_the_memory_forgets(web: httpx2.Client, store: Store, clock: Clock) -> None:
    _fill(store)
    before = _figures(web)
    clock.now += timedelta(days=400)
    assert store.forget()["llm_usage"] == 1
    after = _figures(web)
    counters = [name for name in before if name[0].endswith("_total")]
    assert counters
    assert [name for name in counters if after[name] < before[name]] == []


def test_the_time_from_publication_to_the_phone_is_a_histogram(web: httpx2.Client, store: Store, clock: Clock) -> None:
    minutes = {"console": 1, "pushover": 10, "ntfy": 90}
    board.add_opportunity(store, 1, channels=tuple(minutes))
    first_seen = store.entries(1)[0].first_seen
    for message in store.notifications():
        clock.now = first_seen + timedelta(minutes=minutes[message.channel])
        store.mark(message.id, NotificationState.SENT)
    figures = _figures(web)
    name = "publish_to_push_seconds"
    assert figures[f"{name}_count",] == 2
    assert figures[f"{name}_sum",] == 600 + 5400
    assert [figures[f"{name}_bucket", bound] for bound in ("300", "900", "7200", "+Inf")] == [0, 1, 2, 2]


def test_every_metric_reads_as_prometheus_wants(web: httpx2.Client, store: Store) -> None:
    _fill(store)
    text = web.get("/metrics").text
    seen: set[str] = set()
    for family in text_string_to_metric_families(text):
        assert family.documentation, family.name
        assert family.type in ("gauge", "counter", "histogram"), family.name
        assert re.fullmatch(r"(dealhound|process)_[a-z0-9_]+", family.name)
        assert family.name not in seen, "each family comes once"
        seen.add(family.name)
        keys = [(sample.name, tuple(sorted(sample.labels.items()))) for sample in family.samples]
        assert len(keys) == len(set(keys)), family.name
        assert all(s.name.endswith("_total") == (family.type == "counter") for s in family.samples), family.name
    assert len(seen) > 20


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_promtool_finds_nothing(web: httpx2.Client, store: Store) -> None:
    _fill(store)
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=web.get("/metrics").text, capture_output=True, text=True, timeout=60
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_the_metrics_say_down_when_the_database_is_gone(web: httpx2.Client, store: Store) -> None:
    store.close()
    assert _figures(web)["up",] == 0
