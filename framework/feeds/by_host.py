"""Many hosts at once, one request per host at a time, in an order that keeps no worker waiting without need.

A host's next item becomes ready ``gap`` seconds after its last one was done, and workers take the host that has been
ready longest. (The HTTP client enforces the gap for every request; here it only decides the order.)
"""

from __future__ import annotations

import heapq
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlsplit

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Done:
    """A worker has ended."""


@dataclass(frozen=True)
class _Raised:
    """A worker has ended with an error that was not foreseen."""

    error: BaseException


def each_in_turn(
    items: Sequence[Item],
    work: Callable[[Item], Result],
    *,
    address: Callable[[Item], str],
    workers: int,
    gap: float,
    stop: Callable[[], bool],
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Result]:
    """Apply ``work`` to every item and yield the results as they come. An exception of ``work`` is raised here."""
    turns = _Turns(items, address, gap, clock)
    results: queue.SimpleQueue[Result | _Raised | _Done] = queue.SimpleQueue()

    def run() -> None:
        try:
            while (taken := turns.take()) is not None:
                host, item = taken
                if stop():
                    turns.close()
                    return
                try:
                    results.put(work(item))
                finally:
                    turns.give_back(host)
        except BaseException as error:  # noqa: BLE001 - the boundary of the thread: raised again by the consumer
            results.put(_Raised(error))
        finally:
            results.put(_Done())

    threads = [
        threading.Thread(target=run, name=f"poll-{number}", daemon=True)
        for number in range(max(1, min(workers, turns.hosts)))
    ]
    for thread in threads:
        thread.start()
    try:
        yield from _collect(results, len(threads))
    finally:
        turns.close()


def _collect(results: queue.SimpleQueue[Result | _Raised | _Done], threads: int) -> Iterator[Result]:
    finished = 0
    while finished < threads:
        result = results.get()
        if isinstance(result, _Done):
            finished += 1
        elif isinstance(result, _Raised):
            raise result.error
        else:
            yield result


class _Turns(Generic[Item]):
    """Which host is next. Thread-safe."""

    def __init__(
        self, items: Sequence[Item], address: Callable[[Item], str], gap: float, clock: Callable[[], float]
    ) -> None:
        self._waiting: dict[str, deque[Item]] = {}
        for item in items:
            self._waiting.setdefault(host_of(address(item)), deque()).append(item)
        self.hosts = len(self._waiting)
        self._ready = [(0.0, number, host) for number, host in enumerate(self._waiting)]
        self._turn = len(self._ready)  # breaks ties in the order of arrival
        self._gap = gap
        self._clock = clock
        self._changed = threading.Condition()

    def take(self) -> tuple[str, Item] | None:
        """The next item and its host, waiting until one is ready; ``None`` when nothing is left to start."""
        with self._changed:
            while self._waiting:
                wait = self._ready[0][0] - self._clock() if self._ready else None
                if wait is not None and wait <= 0:
                    host = heapq.heappop(self._ready)[2]
                    return host, self._waiting[host].popleft()
                self._changed.wait(wait)
            return None

    def give_back(self, host: str) -> None:
        """The item is done: its host rests for the gap, or is finished."""
        with self._changed:
            if self._waiting.get(host):
                heapq.heappush(self._ready, (self._clock() + self._gap, self._turn, host))
                self._turn += 1
            else:
                self._waiting.pop(host, None)
            self._changed.notify_all()

    def close(self) -> None:
        """Start nothing more."""
        with self._changed:
            self._waiting.clear()
            self._ready.clear()
            self._changed.notify_all()


def host_of(url: str) -> str:
    """The host of an address; the address itself when it has none."""
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url
