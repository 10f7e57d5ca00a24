"""Several daemons on one PostgreSQL: each entry handled once, each opportunity sent once, the dead replaced."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from framework.memory.records import NotificationState
from framework.memory.store import Store
from tests.e2e.feeds import rss
from tests.fakes.postgres import Postgres
from tests.fakes.pushover import TOKEN, USER, FakePushover
from tests.fakes.web import LoopbackWeb

pytestmark = pytest.mark.timeout(400)  # real processes, on a machine that may be busy

ROOT = Path(__file__).resolve().parents[2]
COLOURS = ("Red", "Blue", "Green", "Orange", "White")
THINGS = ("Kettle", "Toaster", "Lamp")
HOSTS = 4
PER_HOST = len(COLOURS) * len(THINGS)
ALL = HOSTS * PER_HOST

Start = Callable[..., subprocess.Popen[str]]


def wait_for(condition: Callable[[], object], seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


@pytest.fixture
def webs() -> Iterator[list[LoopbackWeb]]:
    """Several hosts, each with one feed of deals of its own."""
    with ExitStack() as stack:
        servers = []
        for number in range(HOSTS):
            web = stack.enter_context(LoopbackWeb(address=f"127.0.0.{number + 2}"))
            titles = [f"Acme{number} {c} {t} {c[0]}{t[0]}-{number}00 $20" for c in COLOURS for t in THINGS]
            web.add("/feed.xml", rss(titles, start=number * 100), content_type="application/rss+xml")
            servers.append(web)
        yield servers


@pytest.fixture
def pushover() -> Iterator[FakePushover]:
    with FakePushover() as service:
        yield service


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.new_database()


@pytest.fixture
def start(url: str, webs: list[LoopbackWeb], pushover: FakePushover, tmp_path: Path) -> Iterator[Start]:
    """Start a daemon with a home of its own; those that still run are killed at the end."""
    started: list[subprocess.Popen[str]] = []

    def run(**environ: str) -> subprocess.Popen[str]:
        home = tmp_path / f"home{len(started)}"
        home.mkdir()
        settings = {
            "DEALHOUND_HOME": str(home),
            "DEALHOUND_DATABASE_URL": url,
            "DEALHOUND_FEEDS": " ".join(web.url("/feed.xml") for web in webs),
            "DEALHOUND_ALLOW_HOSTS": ",".join(host for web in webs for host in web.hosts),
            "DEALHOUND_MAX_ALERTS": "100",
            "DEALHOUND_MAX_PAGES": "0",
            "PUSHOVER_USER": USER,
            "PUSHOVER_TOKEN": TOKEN,
            "DEALHOUND_PUSHOVER_URL": pushover.url,
        }
        with (tmp_path / f"daemon{len(started)}.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.agents.sharing_worker"],
                cwd=ROOT,
                env={**os.environ, **settings, **environ},
                stdout=log,
                stderr=log,
                text=True,
            )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()


def log_of(tmp_path: Path, number: int) -> str:
    return (tmp_path / f"daemon{number}.log").read_text()


def test_three_daemons_share_a_hunt_and_one_is_killed_in_the_middle(
    start: Start, url: str, webs: list[LoopbackWeb], pushover: FakePushover, tmp_path: Path
) -> None:
    doomed = start(HANG_AFTER="1")
    wait_for(lambda: "HANGS" in log_of(tmp_path, 0))
    others = [start(), start()]
    wait_for(lambda: all("STARTED" in log_of(tmp_path, number) for number in (1, 2)))
    doomed.send_signal(signal.SIGKILL)
    doomed.wait()
    with Store.open(url) as store:
        wait_for(lambda: store.count_by_verdict() == {"opportunity": ALL})
        wait_for(lambda: store.count_notifications() == {NotificationState.SENT.value: 2 * ALL})  # console, pushover
        (hunt,) = store.hunts()
        assert (hunt.counts["entries_new"], hunt.counts["judged"], hunt.counts["opportunities"]) == (ALL, ALL, ALL)
        assert store.count_opportunities() == ALL
    titles = Counter(message["title"] for message in pushover.accepted)
    assert (len(titles), set(titles.values())) == (ALL, {1})
    assert [web.paths() for web in webs] == [["/feed.xml"]] * HOSTS
    assert any("a daemon died at its work" in log_of(tmp_path, number) for number in (1, 2))
    for process in others:
        process.send_signal(signal.SIGTERM)
    assert [process.wait(timeout=30) for process in others] == [0, 0]
    for number in (1, 2):
        assert len(json.loads((tmp_path / f"home{number}" / "memory.json").read_text())) == ALL


def test_a_daemon_goes_on_when_the_database_is_back(
    start: Start, url: str, postgres: Postgres, webs: list[LoopbackWeb], tmp_path: Path
) -> None:
    daemon = start(DEALHOUND_INTERVAL="10")
    with Store.open(url) as store:
        wait_for(lambda: store.count_by_verdict() == {"opportunity": ALL})
    postgres.stop()
    try:
        wait_for(lambda: "memory.json not written" in log_of(tmp_path, 0))
    finally:
        postgres.start()
    webs[0].add("/feed.xml", rss(["Acme9 Purple Teapot PT-900 $20"], start=999), content_type="application/rss+xml")
    with Store.open(url) as store:
        wait_for(lambda: store.count_by_verdict() == {"opportunity": ALL + 1})
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(timeout=30) == 0
