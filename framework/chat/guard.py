"""Retries and a circuit breaker for calls to a language model.

A call is tried again when the server is unreachable, slow, overloaded or broken, after the pause that the server asks
for (Retry-After), else after growing pauses with jitter. A pause longer than ``patience`` is not slept: a hunt has
better things to do. After ``limit`` failures in a row the circuit opens: calls fail at once for a cool-off time, then
one is let through as a trial (M. Nygard, *Release It!*, 2007, ch. 5).
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import structlog

from framework.errors import ChatError, ChatUnavailable

T = TypeVar("T")
log = structlog.get_logger("dealhound.chat")


class Guard:
    """Guards one model. ``clock`` and ``sleep`` can be replaced in tests."""

    def __init__(
        self,
        model: str,
        *,
        attempts: int = 3,
        patience: float = 30.0,
        limit: int = 3,
        cool_off: float = 120.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._model = model
        self._attempts, self._patience = attempts, patience
        self._limit, self._cool_off = limit, cool_off
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._failures = 0
        self._closed_until = 0.0

    def call(self, action: Callable[[], T]) -> T:
        """The value of ``action``, tried up to ``attempts`` times.

        Raises ``ChatUnavailable`` when the last try failed or the circuit is open, and whatever else ``action``
        raises, at once. An answer of any kind, even a refusal, shows that the server is there.
        """
        for attempt in range(1, self._attempts + 1):
            self._require_closed()
            try:
                value = action()
            except ChatUnavailable as error:
                pause = self._after_failure(error, attempt)
                log.warning("call failed", model=self._model, attempt=attempt, reason=str(error), pause=pause)
                if pause is None:
                    raise
                self._sleep(pause)
            except ChatError:
                self._answered()
                raise
            else:
                self._answered()
                return value
        raise AssertionError("the last attempt returns or raises")  # pragma: no cover

    @property
    def open(self) -> bool:
        """Whether calls fail at once now."""
        return self._clock() < self._closed_until

    def _require_closed(self) -> None:
        wait = self._closed_until - self._clock()
        if wait > 0:
            raise ChatUnavailable(
                self._model,
                f"The last {self._failures} calls failed; the next is tried in {wait:.0f} s",
                retry_after=wait,
            )

    def _after_failure(self, error: ChatUnavailable, attempt: int) -> float | None:
        """Count a failure; return the pause before the next try, or ``None`` to give up."""
        with self._lock:
            self._failures += 1
            asked = error.retry_after
            if asked is not None and asked > self._patience:
                self._closed_until = self._clock() + asked
                return None
            if self._failures >= self._limit:
                self._closed_until = self._clock() + max(self._cool_off, asked or 0.0)
                return None
        if attempt == self._attempts:
            return None
        return asked if asked is not None else min(2.0 ** (attempt - 1) * random.uniform(0.5, 1.0), self._patience)  # noqa: S311

    def _answered(self) -> None:
        with self._lock:
            self._failures = 0
            self._closed_until = 0.0
