"""The jobs of daemons that died: procrastinate tells them by the heartbeat of their workers, and we say what next.

The shares of a hunt go back into the queue, to be done by who is free: what was recorded stays done. Jobs that run by
the clock are dropped, and with them their locks; the clock brings them again within seconds.
"""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
from procrastinate import App, PsycopgConnector
from procrastinate.jobs import Job, Status

from framework.memory.store import Store

SHARES = ("poll", "read", "appraise")
MOST_TRIES = 3
_LOCK = "dealhound take over"

_log = structlog.get_logger("dealhound", agent="scheduler")


class DeadDaemons:
    """What is left of them. ``dead_after``: seconds without a heartbeat."""

    def __init__(self, app: App, connector: PsycopgConnector, store: Store, dead_after: float) -> None:
        self._app, self._connector, self._store, self._dead_after = app, connector, store, dead_after

    async def take_over(self) -> None:
        """Settle every job whose daemon is dead. One at a time over all daemons, others return at once.

        The lock is one of the database, not of the queue, because this is what frees the queue's locks.
        """
        async with self._connector.pool.connection() as connection:
            lock = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))"
            row = await (await connection.execute(lock, [_LOCK])).fetchone()
            if row is None or not row[0]:
                return
            for job in await self._app.job_manager.get_stalled_jobs(seconds_since_heartbeat=self._dead_after):
                _log.warning("a daemon died at its work", job=job.task_name, id=job.id, tries=job.attempts + 1)
                await self._settle(job)

    async def _settle(self, job: Job) -> None:
        manager = self._app.job_manager
        if job.task_name not in SHARES:
            await manager.finish_job(job, status=Status.FAILED, delete_job=True)
        elif job.attempts + 1 < MOST_TRIES:
            await manager.retry_job(job)
        else:
            await self._isolate(job)
            await manager.finish_job(job, status=Status.FAILED, delete_job=False)

    async def _isolate(self, job: Job) -> None:
        """Several daemons died at this job: an entry of it may be what kills them, and alone it kills nobody else's."""
        arguments: dict[str, Any] = dict(job.task_kwargs)
        ids: list[str] = arguments.get("ids", [])
        if len(ids) > 1:
            for entry_id in ids:
                one = {**arguments, "ids": [entry_id]}
                await self._app.configure_task(job.task_name, lock=job.lock).defer_async(**one)
            return
        for entry_id in ids:
            reason = f"{MOST_TRIES} daemons died while they were at it"
            await asyncio.to_thread(self._store.record_failure, entry_id, reason, max_attempts=1)
