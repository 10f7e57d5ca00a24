"""The jobs as procrastinate's tasks: what is deferred and retried, and what runs by the clock, once for all daemons."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.jobs import Job, Status

from agents import jobs
from agents.sharing.dead import MOST_TRIES, SHARES, DeadDaemons
from agents.sharing.shares import Busy, due_feeds_of, share_out
from framework.feedstate import FeedState

if TYPE_CHECKING:
    from agents.assemble import Hound
    from agents.workflow import Workflow

QUEUES = {"poll": 4, "items": 1, "steady": 3}  # jobs at once: the network waits, the models take the processor
UPKEEP = timedelta(days=1)
SOON = 3  # seconds, in which a daemon that stops has ended its workers
KEEP_HOURS = 7 * 24  # of failed jobs; those that succeeded are deleted at once

_log = structlog.get_logger("dealhound", agent="scheduler")


@dataclass(frozen=True)
class Pace:
    """Seconds between two looks at what is due, at the outbox, for dead daemons, at memory.json; between heartbeats;
    and without one until a daemon counts as dead.
    """

    look: int = 10
    outbox: int = 20
    take_over: int = 15
    snapshot: int = 60
    heartbeat: float = 10.0
    dead_after: float = 30.0


class Interrupted(Exception):  # a signal to procrastinate, never shown
    """This daemon stops: whoever is free goes on."""


class _Retry(BaseRetryStrategy):
    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Soon, by another daemon, when this one stops; with growing pauses after a failure; then never."""
        if isinstance(exception, Interrupted):
            return RetryDecision(retry_in={"seconds": SOON})
        if job.attempts + 1 >= MOST_TRIES:
            return None
        return RetryDecision(retry_in={"seconds": 10 * 3**job.attempts})


class Tasks:
    """The tasks of one daemon. ``app`` is procrastinate's; open it before anything is deferred."""

    def __init__(self, hound: Hound, conninfo: str, pace: Pace) -> None:
        self._hound = hound
        connector = PsycopgConnector(conninfo=conninfo, min_size=1, max_size=6)
        self.app = App(connector=connector)
        self._dead = DeadDaemons(self.app, connector, hound.store, pace.dead_after)
        for job, queue, priority in ((self.poll, "poll", 0), (self.read, "items", 1), (self.appraise, "items", 0)):
            self.app.task(name=job.__name__, queue=queue, priority=priority, retry=_Retry())(job)
        self._by_the_clock(self.share_out, pace.look)
        self._by_the_clock(self.deliver, pace.outbox)
        self._by_the_clock(self.take_over, pace.take_over, alone=False)
        self._by_the_clock(self.upkeep, None)

    def _by_the_clock(self, job: Callable[..., Any], seconds: int | None, *, alone: bool = True) -> None:
        """Once for all daemons: every so many seconds, or every hour. ``alone``: never two at the same time."""
        name = job.__name__
        task = self.app.task(name=name, queue="steady", queueing_lock=name, lock=name if alone else None)(job)
        self.app.periodic(cron=f"* * * * * */{seconds}" if seconds else "17 * * * *")(task)

    # --- a hunt's shares ----------------------------------------------------------------------------------------------

    async def poll(self, hunt_id: str, host: str) -> None:
        """Poll the feeds of a host that are due."""
        store = self._hound.store
        feeds = await asyncio.to_thread(lambda: due_feeds_of(store, host, datetime.now(UTC)))
        share = await self._work(hunt_id, jobs.poll, feeds=feeds)
        if share.counts.get("entries_new"):
            await self.ask("share_out")

    async def read(self, hunt_id: str, ids: list[str]) -> None:
        """Read entries."""
        share = await self._work(hunt_id, jobs.read, only=ids)
        if share.counts.get("deals"):
            await self.ask("share_out")

    async def appraise(self, hunt_id: str, ids: list[str]) -> None:
        """Value and judge deals."""
        share = await self._work(hunt_id, jobs.appraise, only=ids)
        if share.opportunities:
            await self.ask("deliver")

    async def _work(
        self, hunt_id: str, job: jobs.Job, *, feeds: Sequence[FeedState] = (), only: Sequence[str] = ()
    ) -> Workflow:
        stopping = self._hound.stop_event.is_set
        if stopping():
            raise Interrupted
        share = await asyncio.to_thread(self._hound.planner.share, hunt_id, job, feeds=feeds, only=only)
        if stopping():
            raise Interrupted
        return share

    # --- by the clock -------------------------------------------------------------------------------------------------

    async def share_out(self, timestamp: int = 0, at_once: bool = False) -> None:
        """Give out what is to be done and by nobody yet."""
        busy = Busy.of([job.task_kwargs for job in await self._unfinished()])
        now, interval = datetime.now(UTC), timedelta(seconds=self._hound.settings.interval)
        shares = await asyncio.to_thread(lambda: share_out(self._hound.store, busy, now, interval, at_once=at_once))
        for share in shares:
            await self.app.configure_task(share.job, lock=share.lock).defer_async(**share.arguments)
        if shares:
            _log.info("work shared out", **{job: sum(share.job == job for share in shares) for job in SHARES})

    async def _unfinished(self) -> list[Job]:
        manager = self.app.job_manager
        states = [await manager.list_jobs_async(status=state.value) for state in (Status.TODO, Status.DOING)]
        return [job for jobs_in_state in states for job in jobs_in_state]

    async def deliver(self, timestamp: int = 0) -> None:
        """Send what is due."""
        await asyncio.to_thread(jobs.deliver, self._hound)

    async def upkeep(self, timestamp: int = 0) -> None:
        """Look after the daemons and recent opportunities; once a day forget what is long past, finished jobs too."""
        await asyncio.to_thread(self._upkeep)
        await self.app.job_manager.delete_old_jobs(
            nb_hours=KEEP_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
        )

    def _upkeep(self) -> None:
        jobs.watch(self._hound)
        jobs.recheck(self._hound)
        store, now = self._hound.store, datetime.now(UTC)
        last = store.get_state("upkeep")
        if last is None or now - datetime.fromisoformat(last) >= UPKEEP:
            store.set_state("upkeep", now.isoformat())
            jobs.upkeep(self._hound)

    async def take_over(self, timestamp: int = 0) -> None:
        """See that the jobs of dead daemons are done."""
        await self._dead.take_over()

    async def ask(self, job: str) -> bool:
        """Have a job of the clock run as soon as somebody is free; False when it waits in the queue already."""
        return await self._defer_once(job, waiting_as=job)

    async def hunt_now(self) -> bool:
        """Have the next hunt begin at once; False when somebody wished that and it has not begun."""
        return await self._defer_once("share_out", waiting_as="hunt now", at_once=True)

    async def _defer_once(self, job: str, *, waiting_as: str, **arguments: Any) -> bool:
        try:
            await self.app.configure_task(job, queueing_lock=waiting_as).defer_async(**arguments)
        except AlreadyEnqueued:
            return False
        return True
