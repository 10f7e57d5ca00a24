"""A daemon among several: takes jobs from the common queue, in a thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import structlog
from procrastinate.exceptions import ProcrastinateException
from sqlalchemy import make_url

from agents.sharing.schema import ensure_schema
from agents.sharing.shares import PAUSED
from agents.sharing.tasks import QUEUES, Pace, Tasks
from framework.errors import DatabaseUnavailable, DealhoundError

if TYPE_CHECKING:
    from agents.assemble import Hound

GRACE = 7.0  # seconds that a job in hand may take to finish its item
AGAIN = 5.0  # seconds until the queue is tried again after the database failed

_log = structlog.get_logger("dealhound", agent="scheduler")


class SharedDaemon:
    """The counterpart of ``scheduler.Daemon`` on PostgreSQL, with the same controls; they act on all daemons."""

    def __init__(self, hound: Hound, pace: Pace | None = None) -> None:
        """Raises ``DatabaseUnavailable`` when the queue's tables cannot be made."""
        self._hound, self._pace = hound, pace or Pace()
        # Built now, by one thread, because the jobs run in several; it makes the memory's own tables too.
        _ = hound.planner, hound.poller, hound.messenger
        url = make_url(hound.settings.sqlalchemy_url).set(drivername="postgresql")
        conninfo = url.render_as_string(hide_password=False)
        ensure_schema(conninfo)
        self._tasks = Tasks(hound, conninfo, self._pace)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="queue", daemon=True)

    def start(self) -> None:
        """Begin to take jobs."""
        self._thread.start()

    def hunt_now(self) -> bool:
        """Let the next hunt begin at once; False when one was wished for already."""
        if self._loop is None:
            return False
        wish = asyncio.run_coroutine_threadsafe(self._tasks.hunt_now(), self._loop)
        try:
            return wish.result(timeout=AGAIN)
        except (ProcrastinateException, psycopg.Error, TimeoutError) as error:
            raise DatabaseUnavailable("The work queue does not answer: check the database") from error

    def pause(self) -> None:
        """No further hunts, of any daemon, until ``resume``; the running one ends, and the outbox goes on."""
        self._hound.store.set_state(PAUSED, True)

    def resume(self) -> None:
        """Hunt on by the interval."""
        self._hound.store.clear_state(PAUSED)

    def paused(self) -> bool:
        """Whether hunts are paused."""
        return bool(self._hound.store.get_state(PAUSED, False))

    def stop(self) -> bool:
        """Stop within ``GRACE`` seconds; False when a job was still busy then (another daemon takes it over)."""
        self._hound.planner.stop()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(GRACE)
        return not self._thread.is_alive()

    async def _run(self) -> None:
        """Work until told to stop, over failures of the database."""
        self._loop = asyncio.get_running_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(2 * sum(QUEUES.values()), thread_name_prefix="job"))
        snapshots = asyncio.create_task(self._keep_snapshot())
        while not self._stop.is_set():
            try:
                async with self._tasks.app.open_async():
                    await self._work()
            except (ProcrastinateException, psycopg.Error) as error:
                _log.error("the work queue failed; it is tried again", error=type(error).__name__, exc_info=error)
            await self._wait(AGAIN)
        snapshots.cancel()
        await self._write_snapshot()  # what was found since the last one

    async def _work(self) -> None:
        """One worker per queue, until one ends or this daemon is to stop."""
        workers = [asyncio.create_task(self._worker(queue, at_once)) for queue, at_once in QUEUES.items()]
        stop = asyncio.create_task(self._stop.wait())
        await asyncio.wait([*workers, stop], return_when=asyncio.FIRST_COMPLETED)
        for task in (*workers, stop):
            task.cancel()
        for outcome in await asyncio.gather(*workers, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome

    async def _worker(self, queue: str, at_once: int) -> None:
        await self._tasks.app.run_worker_async(
            queues=[queue],
            name=queue,
            concurrency=at_once,
            install_signal_handlers=False,
            delete_jobs="successful",
            update_heartbeat_interval=self._pace.heartbeat,
            stalled_worker_timeout=self._pace.dead_after,
        )

    async def _keep_snapshot(self) -> None:
        """memory.json is this daemon's own copy: whoever finds an opportunity, it is in everybody's."""
        while True:
            await self._write_snapshot()
            await asyncio.sleep(self._pace.snapshot)

    async def _write_snapshot(self) -> None:
        try:
            await asyncio.to_thread(self._hound.snapshot.write)
        except DealhoundError as error:
            _log.error("memory.json not written", error=str(error))

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return
