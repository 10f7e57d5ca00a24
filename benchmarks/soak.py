"""Does it run for years? A simulated day of the scheduler, and hours of the real daemon under open pages.

    DEALHOUND_SHARED=... .venv/bin/python -m benchmarks.soak day [--hours 24]
    DEALHOUND_SHARED=... .venv/bin/python -m benchmarks.soak tabs [--minutes 60] [--tabs 5] [--alone 10]

``day``: the daemon's own scheduler, hound and server in this process, under a clock that is moved on by a minute at a
time (time-machine), over the replayed polls of a recorded feed; every hour its health is asked for. ``tabs``: the real
daemon, hunting every minute, first with no page open, then with the dashboard open in that many tabs of a headless
Chromium. Both print resident memory at intervals and judge: hunts by the schedule, never two at once, none failed, no
entry lost, memory flat. Exit status 1 when one of these does not hold.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.daemon import ROOT, Stream, resident_mb
from framework.memory.records import HuntRecord
from framework.memory.store import Store
from tests.fakes.web import LoopbackWeb

GROWTH = 0.05  # of resident memory, from its second quarter to its last: more is no longer flat


# --- a day under a moved clock ------------------------------------------------------------------------------------


def simulated_day(hours: int) -> bool:
    """Move the clock minute by minute; True when all held."""
    import time_machine

    from agents.assemble import Hound
    from framework.log import configure_logging
    from framework.settings import load_settings
    from scheduler import Daemon, dashboard_context, serve_dashboard

    with replay(step=4, interval=900) as (home, stream), time_machine.travel(datetime.now(UTC), tick=True) as clock:
        configure_logging("error", home / "state" / "logs", console=False)
        with Hound(load_settings(home, environ={})) as hound:
            daemon, memory = Daemon(hound), []
            work = Work(daemon)
            server = serve_dashboard(dashboard_context(hound, daemon))
            server.wait_until_started(120)
            daemon.start()
            for minute in range(hours * 60):
                work.wait()
                if minute % 60 == 0:
                    health = urllib.request.urlopen(f"{server.url}healthz", timeout=30).status
                    memory.append(resident_mb(os.getpid()))
                    print(f"hour {minute // 60}: {memory[-1]:.0f} MB, health {health}", flush=True)
                clock.shift(60)
                daemon.wake()
            work.wait()
            daemon.stop()
            server.stop()
        return judge(home, stream, memory, interval=900, expected=hours * 4)


class Work:
    """Knows from the scheduler's own events whether a job is at work."""

    def __init__(self, daemon: Any) -> None:
        from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, EVENT_JOB_SUBMITTED

        self._daemon, self._open = daemon, 0
        self._lock = threading.Lock()
        daemon.listen(lambda _: self._count(1), EVENT_JOB_SUBMITTED)
        daemon.listen(lambda _: self._count(-1), EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)

    def _count(self, step: int) -> None:
        with self._lock:
            self._open += step

    def wait(self) -> None:
        """Until nothing that is due is left undone."""
        end = time.monotonic() + 120
        while self._open or (self._daemon.next_hunt or datetime.now(UTC)) <= datetime.now(UTC):
            if time.monotonic() > end:
                raise TimeoutError("a hunt has been at work for two minutes")
            time.sleep(0.01)


# --- the real daemon under open pages -----------------------------------------------------------------------------


def open_tabs(minutes: float, tabs: int, alone: float, interval: int) -> bool:
    """The daemon for some minutes alone, then under open tabs; True when all held."""
    with replay(step=20, interval=interval) as (home, stream):
        with started(home) as process, chromium() as driver:
            url = address(home)
            before = watch(process, alone, lambda: "no page open")
            pages = Tabs(driver, url, tabs)
            moment = datetime.now(UTC)
            memory = watch(process, minutes, pages.state)
            alive = pages.live()
            process.send_signal(signal.SIGTERM)
            print(f"exit status {process.wait(30)}")
        with Store.open(f"sqlite:///{home / 'state' / 'dealhound.db'}") as store:
            hunts = store.hunts(100_000)
        for name, chosen in (
            ("alone", [hunt for hunt in hunts if hunt.started < moment]),
            (f"under {tabs} tabs", [hunt for hunt in hunts if hunt.started >= moment]),
        ):
            print(f"{name}: {len(chosen)} hunts, median {statistics.median(map(seconds, chosen)):.2f} s")
        expected = round((minutes + alone) * 60 / interval)
        print(f"alone: {before[0]:.0f} to {before[-1]:.0f} MB")
        return judge(home, stream, memory, interval=interval, expected=expected) and alive


def watch(process: subprocess.Popen[bytes], minutes: float, state: Any) -> list[float]:
    """Note the daemon's memory once a minute."""
    memory, end = [], time.monotonic() + minutes * 60
    while time.monotonic() < end:
        time.sleep(min(60.0, max(1.0, end - time.monotonic())))
        if process.poll() is not None:
            raise RuntimeError(f"the daemon ended with status {process.returncode}")
        memory.append(resident_mb(process.pid))
        print(f"{len(memory)} min: {memory[-1]:.0f} MB, {state()}", flush=True)
    return memory


class Tabs:
    """The dashboard in several tabs, each with another part in front.

    Each tab is in a window of its own: Chromium stills a tab that is not in front, and these are all to ask.
    """

    PARTS = ("Deals", "Live", "Feeds", "Accuracy", "Settings")
    _READY = "return document.querySelectorAll('button[role=tab]').length > 4"
    _CLICK = "[...document.querySelectorAll('button[role=tab]')].find(b => b.innerText.trim() === arguments[0]).click()"
    _STATE = "return [document.querySelector('#dh-header')?.innerText || '', performance.memory.usedJSHeapSize / 1e6]"

    def __init__(self, driver: Any, url: str, number: int) -> None:
        from selenium.webdriver.support.ui import WebDriverWait

        self._driver = driver
        for index, part in enumerate(itertools.islice(itertools.cycle(self.PARTS), number)):
            if index:
                driver.switch_to.new_window("window")
            driver.get(url)
            WebDriverWait(driver, 120).until(lambda _: driver.execute_script(self._READY))
            driver.execute_script(self._CLICK, part)
        self._first = self._counts()

    def state(self) -> str:
        """The script heap of each page in MB."""
        heaps = []
        for handle in self._driver.window_handles:
            self._driver.switch_to.window(handle)
            heaps.append(f"{self._driver.execute_script(self._STATE)[1]:.0f}")
        return f"pages' heaps {', '.join(heaps)} MB"

    def live(self) -> bool:
        """Whether every page has moved on since it was opened, and all show the same."""
        last = self._counts()
        moved = len(set(last)) == 1 and last[0] != self._first[0]
        print(f"opportunities in the pages' heads: {self._first} became {last}; all live: {'yes' if moved else 'NO'}")
        return moved

    def _counts(self) -> list[str]:
        counts = []
        for handle in self._driver.window_handles:
            self._driver.switch_to.window(handle)
            found = re.search(r"([\d,]+) opportunit", self._driver.execute_script(self._STATE)[0])
            counts.append(found[1] if found else "none")
        return counts


@contextmanager
def chromium() -> Iterator[Any]:
    """A headless Chromium."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--no-first-run",
    ):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


@contextmanager
def started(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The daemon as a process of its own."""
    with (home / "daemon.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, ROOT / "cli.py", "run"],
            env={**os.environ, "DEALHOUND_HOME": str(home)},
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def address(home: Path, wait: float = 120) -> str:
    """The dashboard's address, from the daemon's log."""
    end = time.monotonic() + wait
    while time.monotonic() < end:
        if found := re.search(r"dashboard=(\S+)", (home / "daemon.log").read_text()):
            return found[1]
        time.sleep(0.2)
    raise TimeoutError((home / "daemon.log").read_text()[-2_000:])


# --- both ---------------------------------------------------------------------------------------------------------


@contextmanager
def replay(*, step: int, interval: int) -> Iterator[tuple[Path, Stream]]:
    """A home whose one feed plays the recorded polls of a front page, ``step`` of them per request."""
    stream = Stream(Path(os.environ["DEALHOUND_SHARED"]) / "corpus/feeds/slickdeals-stream", step)
    with tempfile.TemporaryDirectory() as folder, LoopbackWeb() as web:
        web.add("/feed", stream)
        home = Path(folder)
        (home / "dealhound.toml").write_text(
            f'feeds = ["{web.url("/feed")}"]\nallow_hosts = ["127.0.0.1:{web.port}"]\n'
            f"interval = {interval}\nmax_pages = 0\nport = 0\n"
        )
        yield home, stream


def seconds(hunt: HuntRecord) -> float:
    """How long a hunt took."""
    return ((hunt.finished or hunt.started) - hunt.started).total_seconds()


def judge(home: Path, stream: Stream, memory: Sequence[float], *, interval: int, expected: int) -> bool:
    """Print what was found, and whether all of it is as it should be."""
    with Store.open(f"sqlite:///{home / 'state' / 'dealhound.db'}") as store:
        hunts = sorted(store.hunts(100_000), key=lambda hunt: hunt.started)
        known, verdicts = store.count_entries(), store.count_by_verdict()
    gaps = [(after.started - before.started).total_seconds() for before, after in itertools.pairwise(hunts)]
    overlaps = sum((a.finished or b.started + timedelta(1)) > b.started for a, b in itertools.pairwise(hunts))
    quarter = max(1, len(memory) // 4)
    early, late = statistics.median(memory[quarter : 2 * quarter] or memory), statistics.median(memory[-quarter:])
    served = len(set(stream.shown))
    print(
        f"{len(hunts)} hunts ({expected} expected), {sum(hunt.error is not None for hunt in hunts)} failed, "
        f"{overlaps} overlapping; {min(gaps):.0f} to {max(gaps):.0f} s from one to the next (interval {interval} s)"
    )
    print(f"entries served {served}, known {known}, verdicts {verdicts}")
    print(
        f"resident MB: first {memory[0]:.0f}, most {max(memory):.0f}, last {memory[-1]:.0f}; "
        f"second quarter {early:.0f}, last quarter {late:.0f} ({100 * (late / early - 1):+.1f}%)"
    )
    held = {
        "hunts by the schedule": abs(len(hunts) - expected) <= max(2, expected * 0.05) and min(gaps) > interval * 0.7,
        "never two at once": overlaps == 0,
        "none failed": all(hunt.error is None for hunt in hunts),
        "no entry lost": served == known,
        "memory flat": late <= early * (1 + GROWTH),
    }
    print(", ".join(f"{name}: {'yes' if is_so else 'NO'}" for name, is_so in held.items()))
    return all(held.values())


def main() -> int:
    """Run one of the two."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True)
    day = kinds.add_parser("day")
    day.add_argument("--hours", type=int, default=24)
    under = kinds.add_parser("tabs")
    under.add_argument("--minutes", type=float, default=60)
    under.add_argument("--tabs", type=int, default=5)
    under.add_argument("--alone", type=float, default=10)
    under.add_argument("--interval", type=int, default=60)
    options = parser.parse_args()
    if options.kind == "day":
        return 0 if simulated_day(options.hours) else 1
    return 0 if open_tabs(options.minutes, options.tabs, options.alone, options.interval) else 1


if __name__ == "__main__":
    sys.exit(main())
