"""/healthz and /readyz: is the daemon doing its work, judged by what it has really done."""

from __future__ import annotations

import threading
from datetime import timedelta

from framework.errors import DatabaseUnavailable
from framework.health import Check, CheckStatus
from framework.web.context import DashboardContext

_KEPT = timedelta(seconds=10)  # so that nobody can make the database busy by asking
_SLACK = timedelta(minutes=15)  # a hunt may take this long beyond the interval


class Health:
    """Looks at the database and at the last hunt, at most every few seconds."""

    def __init__(self, context: DashboardContext) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._database: Check | None = None
        self._looked = context.started

    def alive(self) -> list[Check]:
        """The database takes writes, and hunts are not overdue."""
        database = self.database()
        if database.status is not CheckStatus.OK:
            return [database]
        return [database, self.hunts()]

    def database(self) -> Check:
        """Whether the database can be written."""
        with self._lock:
            now = self._context.clock()
            if self._database is None or now - self._looked >= _KEPT:
                self._looked, self._database = now, self._write()
            return self._database

    def hunts(self) -> Check:
        """Whether hunts run as often as they should."""
        context = self._context
        if context.controls is None or context.controls.paused():
            return Check(name="hunts", status=CheckStatus.OK, detail="no hunts are scheduled now")
        last = context.store.hunts(1)
        seen = max(last[0].finished or last[0].started, context.started) if last else context.started
        late = context.clock() - seen - timedelta(seconds=context.settings.interval) - _SLACK
        if late > timedelta(0):
            minutes = int((context.clock() - seen).total_seconds() // 60)
            return Check(
                name="hunts",
                status=CheckStatus.FAILED,
                detail=f"no hunt for {minutes} minutes",
                fix="look at the log for the last hunt's error, then restart the daemon",
            )
        return Check(name="hunts", status=CheckStatus.OK, detail=f"last activity {seen.isoformat(timespec='seconds')}")

    def _write(self) -> Check:
        try:
            self._context.store.beat("web")
        except DatabaseUnavailable as error:
            return Check(name="database", status=CheckStatus.FAILED, detail=str(error), fix="make it writable again")
        return Check(name="database", status=CheckStatus.OK, detail="writable")
