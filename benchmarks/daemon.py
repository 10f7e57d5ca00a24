"""The real daemon over the recorded weeks of a real feed, hunting every minute: is its memory flat, is anything lost?

    DEALHOUND_SHARED=... .venv/bin/python -m benchmarks.daemon [--minutes 30] [--interval 60] [--step 20]

A loopback server plays the recorded polls of the Slickdeals front page, ``--step`` of them per request: what appeared
since the last request, and the newest 25 entries in any case. Prints the daemon's resident memory over time, the hunts
it ran, and what its database says of every entry. Exit status 1 when an entry was lost or handled twice.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from framework.memory.store import Store
from tests.fakes.web import LoopbackWeb, Reply, Request

ROOT = Path(__file__).resolve().parent.parent
_FRONT_PAGE = 25


class Stream:
    """The recorded feed as a page that moves on with every request."""

    def __init__(self, folder: Path, step: int) -> None:
        with (folder / "entries.jsonl").open() as lines:
            self._entries = {entry["guid"]: entry for entry in map(json.loads, lines)}
        with (folder / "polls.jsonl").open() as lines:
            self._polls = [json.loads(line)["new_guids"] for line in lines]
        self._step, self._position = step, 0
        self.shown: list[str] = []

    def __call__(self, request: Request) -> Reply:
        """The next page: new entries first, never fewer than the front page holds."""
        polls = self._polls[self._position : self._position + self._step]
        self._position += self._step
        new = [guid for poll in polls for guid in poll if guid in self._entries]
        self.shown += new
        page = self.shown[-max(_FRONT_PAGE, len(new)) :]
        return Reply(self._rss(page), headers={"Content-Type": "application/rss+xml"})

    def _rss(self, guids: list[str]) -> bytes:
        items = "".join(self._item(self._entries[guid]) for guid in reversed(guids))
        return f'<rss version="2.0"><channel><title>Replay</title>{items}</channel></rss>'.encode()

    def _item(self, entry: dict[str, Any]) -> str:
        fields = {"title": "title", "link": "link", "pubDate": "pubDate", "description": "description"}
        inside = "".join(f"<{tag}>{escape(entry.get(name) or '')}</{tag}>" for tag, name in fields.items())
        return f'<item><guid isPermaLink="false">{escape(entry["guid"])}</guid>{inside}</item>'


def resident_mb(pid: int) -> float:
    """Resident memory of a process in MB, from the kernel."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def main() -> int:
    """Run the daemon for the time asked and check what it did."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--interval", type=int, default=60)
    parser.add_argument("--step", type=int, default=20)
    options = parser.parse_args()
    stream = Stream(Path(os.environ["DEALHOUND_SHARED"]) / "corpus/feeds/slickdeals-stream", options.step)
    with tempfile.TemporaryDirectory() as folder, LoopbackWeb() as web:
        home = Path(folder)
        web.add("/feed", stream)
        (home / "dealhound.toml").write_text(
            f'feeds = ["{web.url("/feed")}"]\nallow_hosts = ["127.0.0.1:{web.port}"]\n'
            f"interval = {options.interval}\nmax_pages = 0\nport = 0\n"
        )
        memory = run_daemon(home, options.minutes)
        return report(home, stream, memory)


def run_daemon(home: Path, minutes: float) -> list[float]:
    """Run the daemon, noting its memory once a minute, and stop it with SIGTERM."""
    with (home / "daemon.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, ROOT / "cli.py", "run"],
            env={**os.environ, "DEALHOUND_HOME": str(home)},
            stdout=log,
            stderr=log,
        )
    memory, end = [], time.monotonic() + minutes * 60
    while time.monotonic() < end and process.poll() is None:
        time.sleep(min(60.0, max(1.0, end - time.monotonic())))
        memory.append(resident_mb(process.pid))
        print(f"{len(memory)} min: {memory[-1]:.0f} MB", flush=True)
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    print(f"exit status {process.wait(30)} after {time.monotonic() - started:.1f} s")
    return memory


def report(home: Path, stream: Stream, memory: list[float]) -> int:
    """Print what the database says, and judge it."""
    with Store.open(f"sqlite:///{home / 'state' / 'dealhound.db'}") as store:
        hunts = store.hunts(limit=100_000)
        totals = Counter[str]()
        for hunt in hunts:
            totals.update(hunt.counts)
        known, verdicts = store.count_entries(), store.count_by_verdict()
    served = len(set(stream.shown))
    print(f"resident MB: first {memory[0]:.0f}, last {memory[-1]:.0f}, most {max(memory):.0f}")
    print(f"hunts {len(hunts)} ({sum(h.error is not None for h in hunts)} with an error), {dict(totals)}")
    print(f"entries served {served}, known {known}, verdicts {verdicts}")
    retried = totals["entries_read"] + verdicts.get("pending", 0) - known
    print(f"readings beyond one per entry (retries of unreadable ones): {retried}")
    handled_twice = totals["judged"] > sum(verdicts.get(name, 0) for name in ("opportunity", "pass", "duplicate"))
    return 1 if served != known or handled_twice else 0


if __name__ == "__main__":
    sys.exit(main())
