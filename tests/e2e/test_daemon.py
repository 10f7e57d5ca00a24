"""The daemon: hunts on its own, one per state folder, and stops within seconds when told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from framework.memory.store import Store
from tests.e2e.conftest import ROOT
from tests.e2e.feeds import BARGAIN, BARGAIN_TITLE, ORDINARY, rss
from tests.fakes.pushover import TOKEN, USER, FakePushover
from tests.fakes.web import LoopbackWeb, Reply, chunks

Starter = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(home: Path, tmp_path: Path) -> Iterator[Starter]:
    """Start a daemon; every one is killed at the end of the test."""
    started: list[subprocess.Popen[str]] = []

    def run(**environ: str) -> subprocess.Popen[str]:
        log = (tmp_path / f"daemon{len(started)}.log").open("w")
        process = subprocess.Popen(
            [sys.executable, ROOT / "cli.py", "run"],
            env={**os.environ, "DEALHOUND_HOME": str(home), "DEALHOUND_PORT": "0", **environ},
            stdout=log,
            stderr=log,
            text=True,
        )
        log.close()
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    """Poll until the condition holds; fail when it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.2)


def log_of(tmp_path: Path, number: int = 0) -> str:
    return (tmp_path / f"daemon{number}.log").read_text()


def opportunities(home: Path) -> list[str]:
    path = home / "state" / "dealhound.db"
    if not path.exists():
        return []
    with Store.open(f"sqlite:///{path}") as store:
        return [record.opportunity.deal.title for record in store.opportunities()]


def test_the_daemon_hunts_serves_and_stops_on_sigterm(start: Starter, home: Path, tmp_path: Path) -> None:
    with LoopbackWeb() as web, FakePushover() as pushover:
        web.add("/feed.xml", rss([BARGAIN, ORDINARY]), content_type="application/rss+xml")
        (home / "dealhound.toml").write_text(f'feeds = ["{web.url("/feed.xml")}"]\n')
        process = start(
            DEALHOUND_ALLOW_HOSTS=",".join(web.hosts),
            PUSHOVER_USER=USER,
            PUSHOVER_TOKEN=TOKEN,
            DEALHOUND_PUSHOVER_URL=pushover.url,
        )
        wait_for(lambda: "hunt ends" in log_of(tmp_path), 100)
        assert opportunities(home) == [BARGAIN_TITLE]
        wait_for(lambda: len(pushover.accepted) == 1)
        address = next(word for word in log_of(tmp_path).split() if word.startswith("dashboard=http"))
        with urllib.request.urlopen(address.removeprefix("dashboard=") + "healthz", timeout=10) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=12) == 0
        assert "stopped" in log_of(tmp_path)


def test_a_second_daemon_on_the_same_state_names_the_first(start: Starter, home: Path, tmp_path: Path) -> None:
    (home / "dealhound.toml").write_text('feeds = ["http://127.0.0.1:9/"]\n')
    first = start()
    wait_for(lambda: "running" in log_of(tmp_path), 100)
    second = start()
    assert second.wait(timeout=60) == 1
    assert f"process {first.pid}" in log_of(tmp_path, 1)
    assert first.poll() is None


def test_a_stop_in_the_middle_of_a_slow_request_takes_seconds(start: Starter, home: Path, tmp_path: Path) -> None:
    with LoopbackWeb() as web:
        web.add("/slow", lambda request: Reply(chunks(b"x" * 1_000, pause=0.5)))
        (home / "dealhound.toml").write_text(f'feeds = ["{web.url("/slow")}"]\n')
        process = start(DEALHOUND_ALLOW_HOSTS=",".join(web.hosts))
        wait_for(lambda: web.requests, 100)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=12) == 0


def test_a_daemon_killed_in_the_middle_goes_on_where_it_stopped(start: Starter, home: Path, tmp_path: Path) -> None:
    with LoopbackWeb() as web, FakePushover() as pushover:
        web.add("/feed.xml", rss([BARGAIN, ORDINARY]), content_type="application/rss+xml")
        (home / "dealhound.toml").write_text(f'feeds = ["{web.url("/feed.xml")}"]\n')
        setting = {
            "DEALHOUND_ALLOW_HOSTS": ",".join(web.hosts),
            "PUSHOVER_USER": USER,
            "PUSHOVER_TOKEN": TOKEN,
            "DEALHOUND_PUSHOVER_URL": pushover.url,
        }
        process = start(**setting)
        wait_for(lambda: "feed polled" in log_of(tmp_path), 100)
        process.kill()
        process.wait()
        start(**setting)
        wait_for(lambda: len(pushover.accepted) == 1, 100)
        assert opportunities(home) == [BARGAIN_TITLE]
        assert len(pushover.accepted) == 1
