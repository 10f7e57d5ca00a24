"""Polling at scale, and six weeks of a real feed replayed by a controlled clock.

    DEALHOUND_SHARED=... .venv/bin/python -m benchmarks.poll scale [--feeds 2000] [--hosts 200] [--gap 1.0]
    DEALHOUND_SHARED=... .venv/bin/python -m benchmarks.poll replay

``scale``: a loopback web, in a process of its own, serves real documents under many host names; 1% of the feeds are
slow, 2% broken, 5% moved for good. All feeds are polled twice; the second time their servers can answer 304. The
server counts how many requests it had in work for one host at one time: it must never be two.

``replay``: the recorded arrivals of the Slickdeals front page, served over HTTP at the times they were recorded, with
errors, cut answers, edited titles and a restart in between. Every entry must be new exactly once.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import resource
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import structlog

from framework.feeds import Poller, Schedule
from framework.feedstate import FeedState
from framework.http import HttpClient
from framework.memory.store import Store
from tests.fakes.web import LoopbackWeb, Reply

_SLOW_SECONDS = 3.0
_BROKEN = (
    Reply(b"oops", 500),
    Reply(b"gone fishing", 404),
    Reply(b"<html><body>Are you human?</body></html>", 200),
    Reply(b"", 503, {"Retry-After": "3600"}),
)


def main() -> int:
    """Run one of the two; exit status 1 when a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["scale", "replay"])
    parser.add_argument("--feeds", type=int, default=2000)
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--workers", type=int, default=32)
    parser.add_argument("--gap", type=float, default=1.0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    folder = Path(os.environ["DEALHOUND_SHARED"]) / "corpus" / "feeds"
    return replay(folder / "slickdeals-stream") if options.what == "replay" else scale(folder, options)


def scale(folder: Path, options: argparse.Namespace) -> int:
    """Poll all feeds twice and print what it took."""
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(
        target=serve, args=(str(folder), options.feeds, options.hosts, there), daemon=True
    )
    server.start()
    port = here.recv()
    hosts = [f"host{number}.test" for number in range(options.hosts)]
    now = datetime.now(UTC)
    states = [
        FeedState(url=f"http://{hosts[number % options.hosts]}:{port}/feed/{number}", added=now)
        for number in range(options.feeds)
    ]
    with HttpClient(allow_hosts=hosts, gap=options.gap, resolver=lambda host, port: ["127.0.0.1"]) as http:
        poller = Poller(http, gap=options.gap)
        for title in ("first poll", "second poll"):
            states = poll_once(title, poller, states, now, options.workers)
            now += timedelta(days=2)
    here.send("stop")
    at_once: dict[str, int] = here.recv()
    moved = sum(state.moved_to is not None for state in states)
    print(f"most requests to one host at one time: {max(at_once.values())}; moved feeds remembered: {moved}")
    return int(max(at_once.values()) > 1)


def poll_once(title: str, poller: Poller, states: list[FeedState], now: datetime, workers: int) -> list[FeedState]:
    """Poll all feeds and print figures; returns the new states."""
    wall, processor = time.monotonic(), time.process_time()
    after, outcomes, entries, size = [], Counter[str](), 0, 0
    for result in poller.poll_all(states, now, workers=workers):
        after.append(result.feed)
        outcomes[result.outcome.value] += 1
        entries += len(result.entries)
        size += result.bytes
    wall, processor = time.monotonic() - wall, time.process_time() - processor
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{title}: {len(states)} feeds in {wall:.1f} s ({processor:.1f} s of processor time), {dict(outcomes)}, "
        f"{entries} entries, {size / 1e6:.1f} MB, peak memory {peak:.0f} MB",
        flush=True,
    )
    return after


def serve(folder: str, feeds: int, hosts: int, pipe: Connection) -> None:
    """The loopback web of ``scale``, until told to stop; then answers with its counts."""
    documents = [file.read_bytes() for file in sorted(Path(folder).glob("*.xml")) if "tracker" not in file.name]
    dice = random.Random(1)
    with LoopbackWeb() as web:
        for number in range(feeds):
            host, body, etag = f"host{number % hosts}.test", documents[number % len(documents)], f'"{number}"'
            kind = dice.random()
            if kind < 0.01:
                web.add(f"/feed/{number}", _slow(body), host=host)
            elif kind < 0.03:
                web.add(f"/feed/{number}", dice.choice(_BROKEN), host=host)
            elif kind < 0.08:
                new_home = web.url(f"/new/{number}", host=f"host{(number + 1) % hosts}.test")
                web.add(f"/feed/{number}", Reply(b"", 301, {"Location": new_home}), host=host)
                web.add(f"/new/{number}", body, etag=etag, host=f"host{(number + 1) % hosts}.test")
            else:
                web.add(f"/feed/{number}", body, etag=etag, host=host)
        pipe.send(web.port)
        pipe.recv()
        pipe.send(dict(web.most_at_once))


def _slow(body: bytes) -> Any:
    def answer(_: object) -> Reply:
        time.sleep(_SLOW_SECONDS)
        return Reply(body)

    return answer


class Stream:
    """The recorded stream as a server: what the feed held at each recorded poll, and what goes wrong now and then."""

    def __init__(self, folder: Path) -> None:
        with (folder / "entries.jsonl").open() as lines:
            self.entries = {entry["guid"]: entry for entry in map(json.loads, lines)}
        with (folder / "polls.jsonl").open() as lines:
            polls = [json.loads(line) for line in lines]
        self.polls = [(datetime.fromisoformat(poll["polled"]), poll["new_guids"]) for poll in polls]
        self._window: list[str] = []
        self._number = 0

    def times(self) -> Iterator[datetime]:
        """Each recorded poll's time, with the feed brought up to it: the newest 25, and all of the last ten polls."""
        for number, (time_of_poll, _) in enumerate(self.polls):
            self._number = number
            recent = [guid for _, new in self.polls[max(0, number - 9) : number + 1] for guid in new]
            older = [guid for guid in self._window if guid not in recent]
            self._window = (older + recent)[-max(25, len(recent)) :]
            yield time_of_poll

    def answer(self, etag: str | None) -> Reply:
        """The feed as of now; every 40th poll fails, every 45th is cut off, and titles change their price."""
        if self._number % 40 == 39:
            return Reply(b"", 500)
        body = self.document()
        if self._number % 45 == 44:
            return Reply(body[: len(body) // 2], headers={"Content-Length": str(len(body))})
        tag = f'"{hash(body)}"'
        return Reply(b"", 304, {"ETag": tag}) if etag == tag else Reply(body, headers={"ETag": tag})

    def document(self) -> bytes:
        """The feed's RSS."""
        items = "".join(self._item(self.entries[guid]) for guid in reversed(self._window) if guid in self.entries)
        return f'<rss version="2.0"><channel><title>Front page</title>{items}</channel></rss>'.encode()

    def _item(self, entry: dict[str, Any]) -> str:
        edited = " (EXPIRED)" if self._number % 3 == 0 else ""
        published = format_datetime(datetime.fromisoformat(entry["pubDateIso"]))
        return (
            f"<item><title>{escape(entry['title'] + edited)}</title><link>{escape(entry['link'])}</link>"
            f'<guid isPermaLink="false">{escape(entry["guid"])}</guid><pubDate>{published}</pubDate>'
            f"<description>{escape(entry['description'] or '')}</description></item>"
        )


def replay(folder: Path) -> int:
    """Six weeks of arrivals into the real database; prints how many entries were new once, twice, never."""
    stream = Stream(folder)
    started = time.monotonic()
    seen: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    clock = [stream.polls[0][0]]
    with (
        tempfile.TemporaryDirectory() as home,
        LoopbackWeb() as web,
        HttpClient(allow_hosts=web.hosts, gap=0) as http,
    ):
        web.add("/rss", lambda request: stream.answer(request.headers.get("if-none-match")))
        database = f"sqlite:///{home}/replay.db"
        store = Store.open(database, clock=lambda: clock[0])
        store.add_feed(web.url("/rss"))
        poller = Poller(http, schedule=Schedule(interval=600), rng=random.Random(1))
        for number, clock[0] in enumerate(stream.times()):
            if number % 500 == 499:
                store.close()
                store = Store.open(database, clock=lambda: clock[0])
            due = store.due_feeds(clock[0])
            outcomes["not due"] += not due
            for feed in due:
                result = poller.poll(feed, clock[0])
                outcomes[result.outcome.value] += 1
                seen.update(entry.url or entry.title for entry in store.record_poll(result))
        store.close()
    return report(stream, seen, outcomes, time.monotonic() - started)


def report(stream: Stream, seen: Counter[str], outcomes: Counter[str], seconds: float) -> int:
    """Print what became of the published entries, which are told by their links; 1 when one was lost or doubled."""
    published = Counter(entry["link"] for _, new in stream.polls for entry in map(stream.entries.get, new) if entry)
    lost = sum((published - seen).values())
    twice = sum((seen - published).values())
    print(
        f"replayed {len(stream.polls)} polls in {seconds:.1f} s: {dict(outcomes)}; {published.total()} entries "
        f"published, {seen.total()} new, {lost} lost, {twice} new twice"
    )
    return int(lost > 0 or twice > 0)


if __name__ == "__main__":
    sys.exit(main())
