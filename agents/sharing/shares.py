"""What of a hunt is to be done now and by nobody yet, cut into shares. Knows nothing of the queue that carries them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from framework.feeds.by_host import host_of
from framework.feedstate import FeedState
from framework.memory.records import EntryState, OpenEntry
from framework.memory.store import Store

READ_BATCH = 100  # entries of one host; recorded 25 at a time, so that a killed daemon loses little
APPRAISE_BATCH = 32  # deals: enough for the models' batches, few enough to keep several daemons busy
PAUSED = "hunts.paused"


@dataclass(frozen=True)
class Share:
    """A job (``poll``, ``read``, ``appraise``), its arguments, and what no two jobs may do at the same time."""

    job: str
    arguments: Mapping[str, Any]
    lock: str | None = None


@dataclass(frozen=True)
class Busy:
    """What waits in the queue or is being done."""

    hosts: frozenset[str]
    ids: frozenset[str]

    @classmethod
    def of(cls, arguments: Iterable[Mapping[str, Any]]) -> Busy:
        """From the arguments of all jobs that are not finished."""
        jobs = list(arguments)
        ids = frozenset(entry_id for job in jobs for entry_id in job.get("ids", ()))
        return cls(frozenset(job["host"] for job in jobs if "host" in job), ids)


def share_out(store: Store, busy: Busy, now: datetime, interval: timedelta, *, at_once: bool = False) -> list[Share]:
    """The shares to give out now: a new hunt's where one is due (or wished ``at_once``), and what waits from others.

    One caller at a time. A feed's and a page's host is asked by one job at a time: that is what the lock is for.
    """
    new_hunt = _begin_hunt(store, now, interval, at_once)
    waiting = [entry for entry in store.open_entries(failed=new_hunt is not None) if entry.id not in busy.ids]
    shares = list(_polls(store, busy, now, new_hunt)) if new_hunt else []
    fallback = new_hunt or next((hunt.id for hunt in store.hunts(1)), "")
    for hunt_id, entries in _by_hunt(waiting, fallback).items():
        shares += _reads(hunt_id, entries)
        shares += _appraisals(hunt_id, entries)
    return shares


def due_feeds_of(store: Store, host: str, now: datetime) -> list[FeedState]:
    """The feeds of a host that are to be polled now."""
    return [feed for feed in store.due_feeds(now) if host_of(feed.moved_to or feed.url) == host]


def _begin_hunt(store: Store, now: datetime, interval: timedelta, at_once: bool) -> str | None:
    last = next(iter(store.hunts(1)), None)
    due = last is None or not now - interval < last.started <= now  # a start in the future: the clock was set back
    if not at_once and (not due or store.get_state(PAUSED, False)):
        return None
    hunt_id = store.start_hunt()
    store.add_to_hunt(hunt_id, {})
    return hunt_id


def _polls(store: Store, busy: Busy, now: datetime, hunt_id: str) -> Iterator[Share]:
    hosts = dict.fromkeys(host_of(feed.moved_to or feed.url) for feed in store.due_feeds(now))
    for host in hosts:
        if host not in busy.hosts:
            yield Share("poll", {"hunt_id": hunt_id, "host": host}, _lock(host))


def _by_hunt(entries: Sequence[OpenEntry], fallback: str) -> dict[str, list[OpenEntry]]:
    """Entries under the hunt that found them; those tried in vain under the new one."""
    hunts: dict[str, list[OpenEntry]] = defaultdict(list)
    for entry in entries:
        hunts[fallback if entry.attempts or not entry.hunt_id else entry.hunt_id].append(entry)
    return hunts


def _reads(hunt_id: str, entries: Sequence[OpenEntry]) -> Iterator[Share]:
    by_host: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        if entry.state is EntryState.PENDING:
            by_host[host_of(entry.url or "")].append(entry.id)
    for host, ids in by_host.items():
        for batch in _batches(ids, READ_BATCH):
            yield Share("read", {"hunt_id": hunt_id, "ids": batch}, _lock(host))


def _appraisals(hunt_id: str, entries: Sequence[OpenEntry]) -> Iterator[Share]:
    ids = [entry.id for entry in entries if entry.state is EntryState.READ]
    for batch in _batches(ids, APPRAISE_BATCH):
        yield Share("appraise", {"hunt_id": hunt_id, "ids": batch})


def _batches(ids: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def _lock(host: str) -> str:
    return f"host {host}"
