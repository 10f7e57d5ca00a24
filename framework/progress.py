"""Where the hunt stands at this moment: written by the hunt, shown by the dashboard and the command line."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from pydantic import Field

from framework.deals import Value

STAGES = ("poll", "scan", "estimate", "judge", "notify")


class HuntProgress(Value):
    """A running hunt: its stage (one of ``STAGES``), and how many of the stage's items are done."""

    hunt_id: str
    started: datetime
    stage: str = STAGES[0]
    done: int = Field(default=0, ge=0)
    total: int | None = Field(default=None, ge=0)


class ProgressBoard:
    """One place for the progress of the one hunt that runs at a time. Safe to use from several threads."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._now: HuntProgress | None = None

    def __call__(self) -> HuntProgress | None:
        """The running hunt, ``None`` between hunts."""
        with self._lock:
            return self._now

    def begin(self, hunt_id: str) -> None:
        """A hunt started."""
        with self._lock:
            self._now = HuntProgress(hunt_id=hunt_id, started=self._clock())

    def stage(self, name: str, total: int | None = None) -> None:
        """The hunt entered a stage that has ``total`` items, where that is known."""
        self._update(stage=name, done=0, total=total)

    def step(self, items: int = 1) -> None:
        """So many more items of the stage are done."""
        with self._lock:
            if self._now is not None:
                self._now = self._now.model_copy(update={"done": self._now.done + items})

    def end(self) -> None:
        """The hunt is over."""
        with self._lock:
            self._now = None

    def _update(self, **changes: object) -> None:
        with self._lock:
            if self._now is not None:
                self._now = self._now.model_copy(update=changes)
