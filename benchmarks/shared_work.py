"""Three real daemons on one PostgreSQL hunt 2,000 entries of loopback feeds, and one is killed: who did what, and once?

    .venv/bin/python -m benchmarks.shared_work [--daemons 3] [--hosts 20] [--entries 2000] [--kill-at 0.4]

The products are those of the shipped catalogue at prices drawn with a fixed seed, some of them offered on two hosts.
Each daemon is ``cli.py run`` with a home folder of its own and the shipped models; PostgreSQL is Debian's, started
here. When ``--kill-at`` of the entries are done, the first daemon gets SIGKILL. Exit status 1 unless every entry has
one verdict (or was tried once in vain), every host was asked by one daemon at a time and every feed once, and the phone
got each message once.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from framework.memory.records import NotificationState
from framework.memory.store import Store
from models.shipped import load_shipped
from tests.e2e.feeds import rss
from tests.fakes.postgres import Postgres, postgres_folder
from tests.fakes.pushover import TOKEN, USER, FakePushover
from tests.fakes.web import LoopbackWeb

ROOT = Path(__file__).resolve().parent.parent
PER_FEED = 50  # as many as a first poll hunts
SEED = 1
WAIT = 1800.0


def titles(number: int) -> list[str]:
    """Offers: a product's name and a price between a third and a tenth more than its worth."""
    draw = random.Random(SEED)
    products = load_shipped().items
    chosen = [products[index % len(products)] for index in range(number)]
    return [f"{item.description.split(',')[0]} for ${item.price * draw.uniform(0.33, 1.1):.2f}" for item in chosen]


def serve(stack: ExitStack, hosts: int, offers: list[str]) -> list[LoopbackWeb]:
    """The offers in feeds of 50, spread over servers on loopback addresses of their own."""
    webs = [stack.enter_context(LoopbackWeb(address=f"127.0.1.{number + 1}")) for number in range(hosts)]
    for number, start in enumerate(range(0, len(offers), PER_FEED)):
        body = rss(offers[start : start + PER_FEED], start=start)
        webs[number % hosts].add(f"/{number}.xml", body, content_type="application/rss+xml")
    return webs


def feed_urls(webs: list[LoopbackWeb], feeds: int) -> list[str]:
    return [webs[number % len(webs)].url(f"/{number}.xml") for number in range(feeds)]


def start(home: Path, settings: dict[str, str]) -> subprocess.Popen[bytes]:
    home.mkdir()
    with (home / "out.log").open("w") as log:
        return subprocess.Popen(
            [sys.executable, ROOT / "cli.py", "run"],
            env={**os.environ, **settings, "DEALHOUND_HOME": str(home), "DEALHOUND_PORT": "0"},
            stdout=log,
            stderr=log,
        )


def wait_until(store: Store, condition: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"not done within {WAIT:.0f} s: {store.count_by_verdict()}")
        time.sleep(0.5)


def handled(store: Store) -> int:
    """How many entries have a verdict."""
    return sum(count for name, count in store.count_by_verdict().items() if name not in ("pending", "deal"))


def all_done(store: Store, served: int) -> bool:
    """Every entry has its verdict, or failed and waits for the next hunt; and no message waits."""
    states = store.count_notifications()
    unsent = sum(states.get(state, 0) for state in (NotificationState.WAITING, NotificationState.SENDING))
    return store.count_entries() == served and not store.open_entries(1) and not unsent


def lines(home: Path) -> Iterator[dict[str, Any]]:
    for line in (home / "state" / "logs" / "dealhound.log").read_text().splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue  # the line that a killed daemon was writing


def share_of(home: Path) -> Counter[str]:
    """What a daemon says it did."""
    did: Counter[str] = Counter()
    for line in lines(home):
        match line.get("event"), line.get("agent"):
            case "feed polled", _:
                did["feeds polled"] += 1
            case "entries read", _:
                did["entries read"] += line["entries"]
            case "estimated", "specialist":
                did["deals estimated"] += line["items"]
            case "notification", _ if line.get("outcome") == "sent" and line.get("channel") == "pushover":
                did["sent to the phone"] += 1
            case "a daemon died at its work", _:
                did["jobs taken over"] += 1
    return did


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--daemons", type=int, default=3)
    parser.add_argument("--hosts", type=int, default=20)
    parser.add_argument("--entries", type=int, default=2000)
    parser.add_argument("--kill-at", type=float, default=0.4, help="share of the entries done; 0 kills nobody")
    options = parser.parse_args()
    programs = postgres_folder()
    if programs is None:
        print("PostgreSQL and the postgres extra are needed")
        return 2
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(Postgres(programs)).new_database()
        phone = stack.enter_context(FakePushover(allowance=100_000))
        offers = titles(options.entries)
        webs = serve(stack, options.hosts, offers)
        settings = {
            "DEALHOUND_DATABASE_URL": url,
            "DEALHOUND_FEEDS": " ".join(feed_urls(webs, -(-len(offers) // PER_FEED))),
            "DEALHOUND_ALLOW_HOSTS": ",".join(host for web in webs for host in web.hosts),
            "DEALHOUND_MAX_PAGES": "0",
            "DEALHOUND_MAX_ALERTS": "100",
            "DEALHOUND_INTERVAL": "86400",
            "PUSHOVER_USER": USER,
            "PUSHOVER_TOKEN": TOKEN,
            "DEALHOUND_PUSHOVER_URL": phone.url,
        }
        homes = [folder / f"daemon{number}" for number in range(options.daemons)]
        began = time.monotonic()
        store = stack.enter_context(Store.open(url))
        processes = [start(home, settings) for home in homes]
        try:
            if options.kill_at:
                wait_until(store, lambda: handled(store) >= options.kill_at * len(offers))
                processes[0].send_signal(signal.SIGKILL)
                print(f"daemon 0 killed after {time.monotonic() - began:.0f} s", flush=True)
            wait_until(store, lambda: all_done(store, len(offers)))
            print(f"all done after {time.monotonic() - began:.0f} s")
        finally:
            for process in processes:
                process.send_signal(signal.SIGTERM)
            statuses = [process.wait(180) for process in processes]
        print(f"exit statuses {statuses}")
        return report(store, homes, webs, phone, len(offers))


def report(store: Store, homes: list[Path], webs: list[LoopbackWeb], phone: FakePushover, served: int) -> int:
    """Print what each did and what the database, the feeds and the phone say of it."""
    for number, home in enumerate(homes):
        print(f"daemon {number}: {dict(share_of(home))}")
    verdicts, hunts = store.count_by_verdict(), store.hunts()
    print(f"entries served {served}, known {store.count_entries()}, verdicts {verdicts}; hunts {len(hunts)}")
    polls = Counter(request.target + request.host for web in webs for request in web.requests)
    at_once = max(most for web in webs for most in web.most_at_once.values())
    print(f"feeds {len(polls)}, most polls of one {max(polls.values())}, most requests to one host at once {at_once}")
    sent = Counter(message["title"] for message in phone.accepted)
    outbox = Counter(n.state.value for n in store.notifications(100_000) if n.channel == "pushover")
    print(
        f"phone: {dict(outbox)} in the outbox, {len(phone.accepted)} accepted, {sum(sent.values()) - len(sent)} twice"
    )
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"processor time of all daemons {children.ru_utime + children.ru_stime:.0f} s")
    failed = store.open_entries(served, failed=True)
    print(f"read or valued in vain, to be tried in the next hunt: {len(failed)}")
    sound = [
        handled(store) + len(failed) == store.count_entries() == served,
        all(entry.attempts == 1 for entry in failed),
        set(outbox) == {NotificationState.SENT.value},
        len(phone.accepted) == outbox[NotificationState.SENT.value] == len(sent),
        max(polls.values()) == len(hunts) == at_once == 1,
    ]
    print("every entry handled once" if all(sound) else f"NOT SOUND: {sound}")
    return 0 if all(sound) else 1


if __name__ == "__main__":
    sys.exit(main())
