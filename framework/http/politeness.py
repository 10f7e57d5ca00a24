"""Politeness: one request at a time per host, with a gap between two."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_REMEMBERED = 1000


class HostGate:
    """Lets one thread at a time talk to a host, and ``gap`` seconds pass between two turns. Thread-safe."""

    def __init__(self, gap: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._gap = gap
        self._clock = clock
        self._changed = threading.Condition()
        self._busy: set[str] = set()
        self._free_from: dict[str, float] = {}
        self._closed = False

    @contextmanager
    def turn(self, host: str) -> Iterator[bool]:
        """Wait for this host's turn and hold it. Yields False when the gate was closed meanwhile."""
        is_open = self._acquire(host)
        try:
            yield is_open
        finally:
            if is_open:
                self._release(host)

    def _acquire(self, host: str) -> bool:
        with self._changed:
            while not self._closed and (wait := self._wait_for(host)) != 0:
                self._changed.wait(wait)
            if not self._closed:
                self._busy.add(host)
            return not self._closed

    def close(self) -> None:
        """Wake everybody who waits; no more turns are given."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _wait_for(self, host: str) -> float | None:
        """Seconds to wait; 0: go ahead; None: until somebody is done."""
        if host in self._busy:
            return None
        return max(0.0, self._free_from.get(host, 0.0) - self._clock())

    def _release(self, host: str) -> None:
        with self._changed:
            self._busy.discard(host)
            now = self._clock()
            if len(self._free_from) >= _REMEMBERED:
                self._free_from = {name: free for name, free in self._free_from.items() if free > now}
            if self._gap > 0:
                self._free_from[host] = now + self._gap
            self._changed.notify_all()
