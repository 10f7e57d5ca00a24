"""Reads that all open tabs share: each is done once for some seconds, by one reader, however many tabs ask."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

_Result = TypeVar("_Result")


class _Kept:
    """One answer with the lock that lets one reader at a time look for a fresh one."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.until = float("-inf")
        self.value: Any = None


class SharedReads:
    """The last answers by question, at most ``most`` of them, the longest unused given up first."""

    def __init__(self, *, most: int = 200, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()

    def get(self, question: Hashable, seconds: float, read: Callable[[], _Result]) -> _Result:
        """What ``read`` answers, or answered less than ``seconds`` ago. What it raises is kept for nobody."""
        kept = self._entry(question)
        with kept.lock:
            if self._clock() >= kept.until:
                kept.value = read()
                kept.until = self._clock() + seconds
            answer: _Result = kept.value
            return answer

    def forget(self) -> None:
        """Something was changed: every question is read again when next asked."""
        with self._lock:
            self._kept.clear()

    def _entry(self, question: Hashable) -> _Kept:
        with self._lock:
            kept = self._kept.setdefault(question, _Kept())
            self._kept.move_to_end(question)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
            return kept
