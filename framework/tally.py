"""Counts of events by name, gathered in passing and written down now and then."""

from __future__ import annotations

import threading
from collections import Counter


class Tally:
    """Counters that several threads add to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def add(self, name: str, number: int = 1) -> None:
        """Count ``number`` events of a name."""
        with self._lock:
            self._counts[name] += number

    def drain(self) -> dict[str, int]:
        """What was counted since the last time."""
        with self._lock:
            counted, self._counts = self._counts, Counter()
        return dict(counted)
