"""Keeps a remote specialist running in the hours in which its owner wants quick answers, and only then."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, time, tzinfo

from agents.specialist import SpecialistAgent
from framework.outbox import within

RELEASE_SECONDS = 3.0  # that the end of the daemon waits for


class KeepWarm:
    """Arranges one container within ``hours`` (of ``zone``) and none outside them; asks only when that changes."""

    def __init__(
        self,
        agent: SpecialistAgent,
        hours: tuple[time, time],
        zone: tzinfo,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._agent, self._hours, self._zone, self._clock = agent, hours, zone, clock
        self._arranged: int | None = None

    def look(self) -> None:
        """Look at the clock. What could not be arranged is tried again at the next look."""
        wanted = int(within(self._clock().astimezone(self._zone).time(), *self._hours))
        if wanted != self._arranged and self._agent.keep_warm(wanted):
            self._arranged = wanted

    def release(self) -> None:
        """Let go of the container: a daemon that ends shall not leave one running up a bill. Waits a moment only."""
        if self._arranged:
            ending = threading.Thread(target=self._agent.keep_warm, args=(0,), name="release", daemon=True)
            ending.start()
            ending.join(RELEASE_SECONDS)
            self._arranged = None
