"""Kill the hunter with SIGKILL at random moments, many times, and see whether anything is lost or sent twice.

    python -m benchmarks.crash --kills 200             # the memory and the sender, minutes
    python -m benchmarks.crash --kills 200 --daemon    # the whole daemon, as ./dealhound run has it

A feed on loopback publishes each entry once per etag (an etag stored without its entries would lose them). A
Pushover-compatible server on loopback enforces the published limits and fails now and then: 500, 429, answers dropped
before or after accepting, hangs, late acceptance, garbage. After each kill the database must pass its integrity check
and ``memory.json`` must be whole. In the end every opportunity must have been accepted once. Prints one JSON object;
exit status 1 when something was lost, or sent twice although its answer was not lost.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.fakes.pushover import TOKEN, USER, FakePushover, Fault

ROOT = Path(__file__).resolve().parent.parent
FAULT_SHARE = 0.3  # of all message requests
SOON = 0.2  # of all kills: counted from the start, so that they fall into it


class UnreliablePushover(FakePushover):
    """Fails by chance while ``unreliable``."""

    def __init__(self) -> None:
        super().__init__(hang=0.8, allowance=100_000)
        self.unreliable = True
        self.retry_after = "1"
        self.faults: Counter[str] = Counter()

    def take_fault(self) -> Fault | None:
        if not self.unreliable or random.random() > FAULT_SHARE:
            return None
        fault = random.choice(list(Fault))
        self.faults[fault.name] += 1
        return fault


class Feed:
    """Publishes one more product every ``pause`` seconds; answers only what is newer than the etag it is asked with."""

    def __init__(self, pause: float, products: list[tuple[str, float]]) -> None:
        self.products, self.pause, self.published, self.open = products, pause, 0, True
        feed = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                tag = self.headers.get("If-None-Match", "").strip('"')
                start, end = int(tag) if tag.isdecimal() else 0, feed.published
                numbers = range(start, end)
                body = feed.rss(numbers) if self.path.endswith(".xml") else json.dumps(list(numbers)).encode()
                try:
                    self.send_response(200 if numbers or not self.path.endswith(".xml") else 304)
                    self.send_header("ETag", f'"{end}"')
                    self.send_header("Content-Type", "application/rss+xml")
                    self.send_header("Content-Length", str(len(body) if numbers or self.path.endswith(".json") else 0))
                    self.end_headers()
                    self.wfile.write(body if numbers or self.path.endswith(".json") else b"")
                except OSError:  # the hunter was killed meanwhile
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        for work in (self.server.serve_forever, self._publish):
            threading.Thread(target=work, daemon=True).start()

    def _publish(self) -> None:
        while self.open and (not self.products or self.published < len(self.products)):
            time.sleep(self.pause)
            self.published += 1

    def rss(self, numbers: range) -> bytes:
        """The entries as RSS."""
        items = "".join(
            f"<item><guid isPermaLink='false'>entry-{n}</guid><link>https://deals.example/{n}</link>"
            f"<title>{escape(self.products[n][0])} for ${self.products[n][1]:.2f}</title></item>"
            for n in numbers
        )
        return f"<rss version='2.0'><channel><title>Crash</title>{items}</channel></rss>".encode()

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/{name}"


def command(daemon: bool, home: Path, feed: Feed, pushover: FakePushover) -> tuple[list[str], dict[str, str]]:
    """How to start the process that is to be killed."""
    quiet = {name: value for name, value in os.environ.items() if not name.startswith(("DEALHOUND_", "PUSHOVER_"))}
    if not daemon:
        arguments = [str(home), feed.url("feed.json"), pushover.url, USER, TOKEN]
        return [sys.executable, "-m", "benchmarks.crash_worker", *arguments], quiet
    settings = {
        "DEALHOUND_HOME": str(home),
        "DEALHOUND_PORT": "0",
        "DEALHOUND_INTERVAL": "10",
        "DEALHOUND_FEEDS": feed.url("feed.xml"),
        "DEALHOUND_ALLOW_HOSTS": "127.0.0.1",
        "DEALHOUND_MAX_ALERTS": "100",
        "DEALHOUND_LLM": "none",
        "DEALHOUND_PUSHOVER_URL": pushover.url,
        "PUSHOVER_USER": USER,
        "PUSHOVER_TOKEN": TOKEN,
    }
    return [sys.executable, "-m", "benchmarks.crash_daemon"], quiet | settings


def damage(home: Path) -> list[str]:
    """What is broken on disk right after a kill; empty when all is whole."""
    broken = []
    database = home / "state" / "dealhound.db"
    if database.exists():
        with closing(sqlite3.connect(database, timeout=30)) as connection:
            answer = connection.execute("PRAGMA integrity_check").fetchone()[0]
            broken += [] if answer == "ok" else [f"database: {answer}"]
            stray = connection.execute("PRAGMA foreign_key_check").fetchall()
            broken += [f"foreign keys: {stray[:3]}"] if stray else []
    memory = home / "memory.json"
    if memory.exists():
        try:
            ids = [item["id"] for item in json.loads(memory.read_bytes())]
            broken += [] if len(ids) == len(set(ids)) else ["memory.json: an opportunity stands in it twice"]
        except (ValueError, KeyError, TypeError) as error:
            broken.append(f"memory.json: {error!r}")
    broken += [f"set aside: {path.name}" for path in home.glob("memory.unreadable*")]
    return broken


def open_work(home: Path, published: int) -> str | None:
    """What is not done yet, in words; ``None`` when all is settled."""
    if not (home / "state" / "dealhound.db").exists():
        return "nothing was begun"
    with closing(sqlite3.connect(home / "state" / "dealhound.db", timeout=30)) as connection:
        known, unfinished = connection.execute("SELECT count(*), sum(state != 'done') FROM entries").fetchone()
        query = "SELECT count(*) FROM outbox WHERE state IN ('waiting', 'sending') AND channel = 'pushover'"
        waiting = connection.execute(query).fetchone()[0]
    missing = published - known
    return f"{missing=} {unfinished=} {waiting=}" if missing or unfinished or waiting else None


class Victims:
    """Lets a mother process fork one process after the other that is to be killed."""

    def __init__(self, arguments: list[str], environment: dict[str, str]) -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        options = {"env": environment, "cwd": ROOT, "stderr": subprocess.DEVNULL}
        self._mother = subprocess.Popen(arguments, **options, **pipes)

    def start(self) -> int:
        """Its pid. The one before must be dead."""
        assert self._mother.stdin is not None
        assert self._mother.stdout is not None
        self._mother.stdin.write("fork\n")
        self._mother.stdin.flush()
        return int(self._mother.stdout.readline())

    def end(self, pid: int, how: signal.Signals) -> bool:
        """Send the signal; False when the process was gone already."""
        try:
            os.kill(pid, how)
        except ProcessLookupError:
            return False
        return True

    def close(self) -> None:
        """End the mother process."""
        if self._mother.stdin:
            self._mother.stdin.close()
        self._mother.wait(60)


def run(kills: int, daemon: bool, home: Path, feed: Feed, pushover: UnreliablePushover, longest: float) -> dict:
    """Start and kill; then let it finish in peace."""
    victims = Victims(*command(daemon, home, feed, pushover))
    broken: list[str] = []
    found_sending = 0
    for number in range(kills):
        pid = victims.start()
        if random.random() < SOON:
            time.sleep(random.uniform(0.0, longest))
        else:
            wait_for_a_hunt(home)
            time.sleep(random.uniform(0.0, longest))
        if not victims.end(pid, signal.SIGKILL):
            broken.append(f"start {number + 1}: the process ended by itself")
        broken += [f"kill {number + 1}: {what}" for what in damage(home)]
        found_sending += in_hand(home)
    feed.open, pushover.unreliable = False, False
    pid = victims.start()
    patience = time.monotonic() + (1200 if daemon else 300)
    while (left := open_work(home, feed.published)) and time.monotonic() < patience:
        time.sleep(0.5)
    time.sleep(15 if daemon else 3)  # a last snapshot, and a last chance to send something twice
    victims.end(pid, signal.SIGTERM)
    victims.close()
    return summary(home, feed, pushover) | {
        "kills": kills,
        "kills_in_the_middle_of_a_send": found_sending,
        "left_over": left,
        "damage": broken + damage(home),
    }


def wait_for_a_hunt(home: Path) -> None:
    """Until another hunt has begun (or a minute is over), so that a kill falls into the work, not into the start."""
    before, ends = hunts(home), time.monotonic() + 60
    while hunts(home) == before and time.monotonic() < ends:
        time.sleep(0.05)


def hunts(home: Path) -> int:
    """How many hunts were begun."""
    try:
        with closing(sqlite3.connect(home / "state" / "dealhound.db", timeout=30)) as connection:
            return int(connection.execute("SELECT count(*) FROM hunts").fetchone()[0])
    except sqlite3.OperationalError:  # there is no folder or no schema yet
        return 0


def in_hand(home: Path) -> int:
    """Notifications that were claimed when the process was killed."""
    try:
        with closing(sqlite3.connect(home / "state" / "dealhound.db", timeout=30)) as connection:
            return int(connection.execute("SELECT count(*) FROM outbox WHERE state = 'sending'").fetchone()[0])
    except sqlite3.OperationalError:  # killed before there was a schema
        return 0


def summary(home: Path, feed: Feed, pushover: UnreliablePushover) -> dict:
    """Compare what was published, remembered and accepted."""
    with closing(sqlite3.connect(home / "state" / "dealhound.db")) as connection:
        surfaced = [row[0] for row in connection.execute("SELECT url FROM opportunities")]
        query = "SELECT o.url, x.state FROM outbox x JOIN opportunities o ON o.id = x.opportunity_id WHERE channel = ?"
        outbox = connection.execute(query, ("pushover",)).fetchall()
        entries = connection.execute("SELECT count(*) FROM entries").fetchone()[0]
    accepted = Counter(message["url"] for message in pushover.accepted)
    lost_answer = {message["url"] for message in pushover.lost_answers}
    twice = [url for url, count in accepted.items() if count > 1]
    written = json.loads((home / "memory.json").read_bytes())
    return {
        "published": feed.published,
        "entries": entries,
        "opportunities": len(surfaced),
        "to_be_pushed": len(outbox),
        "outbox": Counter(state for _, state in outbox),
        "accepted": len(pushover.accepted),
        "never_accepted": sum(accepted[url] == 0 for url, _ in outbox),
        "accepted_twice": len(twice),
        "accepted_twice_though_the_answer_was_not_lost": sum(url not in lost_answer for url in twice),
        "answers_lost": len(pushover.lost_answers),
        "memory_json": len(written),
        "memory_json_is_the_database": sorted(i["deal"]["url"] for i in written) == sorted(surfaced),
        "refused_by_limits": len(pushover.refused),
        "most_requests_at_once": pushover.most_at_once,
        "faults": dict(pushover.faults),
    }


def products() -> list[tuple[str, float]]:
    """Catalogue items at under a third of their price: real opportunities for the whole daemon."""
    lines = (ROOT / "models" / "artifacts" / "catalogue.jsonl").read_text(encoding="utf-8").splitlines()
    items = [json.loads(line) for line in lines]
    random.shuffle(items)
    return [(str(item["description"])[:90], float(item["price"]) * 0.3) for item in items if float(item["price"]) > 100]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--daemon", action="store_true", help="kill the whole daemon instead of the memory's part")
    parser.add_argument("--longest", type=float, help="longest life in seconds (default 8)", default=8.0)
    parser.add_argument("--pause", type=float, help="seconds between two entries of the feed (default 2)", default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    random.seed(options.seed)
    feed = Feed(options.pause, products() if options.daemon else [])
    started = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="dealhound-crash-") as folder,
        UnreliablePushover() as pushover,
    ):
        result = run(options.kills, options.daemon, Path(folder), feed, pushover, options.longest)
    result["seconds"] = round(time.monotonic() - started)
    print(json.dumps(result, indent=1))
    sound = not result["damage"] and not result["left_over"] and result["memory_json_is_the_database"]
    kept = not result["never_accepted"] and not result["accepted_twice_though_the_answer_was_not_lost"]
    return 0 if sound and kept else 1


if __name__ == "__main__":
    sys.exit(main())
