"""The daemon: hunts by interval, drains the outbox, serves the dashboard, and stops cleanly when told to.

APScheduler's faults of old are settled here once: one instance of a hunt at a time, missed runs coalesced into one and
never dropped for being late, and every missed or failed run logged. State is safe at any moment (each step is one
transaction), so that stopping means: finish the item in hand, at most ``GRACE`` seconds, and go.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import structlog

from agents import jobs
from framework.errors import DatabaseUnavailable, DealhoundError, SettingsError
from framework.health import CheckStatus

if TYPE_CHECKING:
    from agents.assemble import Hound
    from agents.sharing.daemon import SharedDaemon
    from framework.systemd import ServiceManager
    from framework.web.context import DashboardContext
    from framework.web.health import Health
    from framework.web.server import ServerHandle

GRACE = 7.0  # seconds that a hunt in progress may take to finish its item
LAST_SECOND = 9.5  # after a signal the process ends here in any case: the promise is to be gone in 10
OUTBOX_SECONDS = 20
MANY_FEEDS = 100
WATCH_SECONDS = 300
RECHECK_SECONDS = 3600
KEEP_WARM_SECONDS = 300
UPKEEP_SECONDS = 24 * 3600
JITTER_SHARE = 0.1  # of the interval: daemons all over the world must not poll in step

_log = structlog.get_logger("dealhound", agent="scheduler")


class Daemon:
    """The jobs of a running hound. ``hound`` brings what they do; this class only says when."""

    def __init__(self, hound: Hound) -> None:
        from apscheduler.executors.pool import ThreadPoolExecutor
        from apscheduler.schedulers.background import BackgroundScheduler

        self._hound = hound
        self._stopping = threading.Event()
        interval = hound.settings.interval
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={name: ThreadPoolExecutor(1) for name in ("default", "outbox", "aside")},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._add("hunt", self._hunt, interval, jitter=round(interval * JITTER_SHARE))
        self._add("outbox", lambda: jobs.deliver(hound), OUTBOX_SECONDS, executor="outbox")
        self._add("watch", lambda: jobs.watch(hound), WATCH_SECONDS, first=120, executor="outbox")
        self._add("recheck", lambda: jobs.recheck(hound), RECHECK_SECONDS, first=1800)
        if hound.keep_warm is not None:
            self._add("keep-warm", hound.keep_warm.look, KEEP_WARM_SECONDS, executor="aside")
        self._add("upkeep", lambda: jobs.upkeep(hound), UPKEEP_SECONDS, first=3600)
        self._report_failures()

    def _add(self, name: str, call: Callable[[], Any], seconds: int, **options: Any) -> None:
        executor = options.pop("executor", "default")
        start = datetime.now(UTC) + timedelta(seconds=options.pop("first", 1))
        self._scheduler.add_job(
            call, "interval", seconds=seconds, id=name, next_run_time=start, executor=executor, **options
        )

    def _report_failures(self) -> None:
        from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED

        def report(event: Any) -> None:
            error = getattr(event, "exception", None)
            if error is not None:
                _log.error("run failed", job=event.job_id, error=str(error), exc_info=error)
            else:
                _log.warning("run missed, the one before is still at work", job=event.job_id)

        self.listen(report, EVENT_JOB_ERROR | EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)

    def _hunt(self) -> None:
        """One scheduled hunt. A failure that we know is logged and the next run tries again; a bug is reported too."""
        try:
            self._hound.planner.hunt()
        except DealhoundError as error:
            _log.error("hunt failed", error=str(error))

    def listen(self, callback: Callable[[Any], None], events: int) -> None:
        """Tell ``callback`` of APScheduler's events (``apscheduler.events``)."""
        self._scheduler.add_listener(callback, events)

    def start(self) -> None:
        """Begin to hunt."""
        self._scheduler.start()

    def wake(self) -> None:
        """Look at the clock again at once: it was moved."""
        self._scheduler.wakeup()

    def hunt_now(self) -> bool:
        """Let the next hunt begin at once; False when one is at work already."""
        if self._hound.progress() is not None:
            return False
        self._scheduler.modify_job("hunt", next_run_time=datetime.now(UTC))
        return True

    def pause(self) -> None:
        """No further hunts until ``resume``; the running one ends, and the outbox goes on."""
        self._scheduler.pause_job("hunt")

    def resume(self) -> None:
        """Hunt on by the interval."""
        self._scheduler.resume_job("hunt")

    def paused(self) -> bool:
        """Whether hunts are paused."""
        return self.next_hunt is None

    @property
    def next_hunt(self) -> datetime | None:
        """When the next hunt begins, ``None`` while paused."""
        job = self._scheduler.get_job("hunt")
        when = job.next_run_time if job else None
        return when if isinstance(when, datetime) else None

    def stop(self) -> bool:
        """Stop within ``GRACE`` seconds; False when a hunt was still busy then (it goes on where it stopped)."""
        self._hound.planner.stop()
        self._scheduler.pause()
        if self._hound.keep_warm is not None:
            self._hound.keep_warm.release()
        done = threading.Event()

        def wait() -> None:
            self._scheduler.shutdown(wait=True)
            done.set()

        threading.Thread(target=wait, name="shutdown", daemon=True).start()
        return done.wait(GRACE)


def main(home: Path | None = None) -> int:
    """Run the daemon until SIGTERM or SIGINT; returns the exit status."""
    from agents.assemble import Hound
    from framework.log import configure_logging
    from framework.memory.lock import HomeLock
    from framework.settings import load_settings
    from framework.systemd import ServiceManager
    from framework.web.health import Health

    settings = load_settings(home)
    buffer = configure_logging(settings.log_level, settings.state / "logs", settings.secrets())
    stop, manager = _stop_on_signals(), ServiceManager.of(os.environ)
    with HomeLock(settings.state), Hound(settings, log_buffer=buffer) as hound:
        daemon = _daemon(hound)
        context = dashboard_context(hound, daemon)
        server = serve_dashboard(context)
        server.wait_until_started()
        daemon.start()
        manager.ready(f"dashboard at {server.url}")
        _log.info("running", dashboard=server.url, interval=settings.interval, home=str(settings.home))
        stay(stop, manager, Health(context))
        manager.stopping()
        _log.info("stopping")
        stopped = daemon.stop()
        server.stop(seconds=1.0)
        if stopped:
            _log.info("stopped")
            return 0
        # A worker is stuck in a slow request, and the interpreter would wait for its thread. Nothing is lost by not
        # doing so: what it was at is recorded as not done.
        _log.warning("stopped in the middle of a hunt; the next start goes on with it")
        os._exit(0)


def _daemon(hound: Hound) -> Daemon | SharedDaemon:
    """On PostgreSQL one among several daemons, on SQLite the only one.

    Raises ``SettingsError`` where the queue's library is missing, ``DatabaseUnavailable`` where its tables are.
    """
    if not hound.settings.shares_work:
        stagger_feeds(hound)
        return Daemon(hound)
    try:
        from agents.sharing.daemon import SharedDaemon
    except ModuleNotFoundError as error:
        raise SettingsError(
            "Daemons on PostgreSQL share their work through procrastinate, which is not installed: "
            "./dealhound setup postgres, or pip install -e '.[postgres]'"
        ) from error
    return SharedDaemon(hound)


def stagger_feeds(hound: Hound) -> None:
    """Spread the feeds that fell due while the daemon was off, where there are so many that it matters."""
    from framework.feeds import staggered

    feeds, now = hound.store.feeds(), datetime.now(UTC)
    if len(feeds) < MANY_FEEDS:
        return
    for before, after in zip(feeds, staggered(feeds, now, hound.settings.interval), strict=True):
        if after is not before:
            hound.store.put_feed(after)


def stay(stop: threading.Event, manager: ServiceManager, health: Health) -> None:
    """Wait for the stop. Meanwhile the service manager gets its signs of life, for as long as hunts are not overdue:
    without them it starts a daemon that hangs anew.
    """
    while not stop.wait(manager.pause):
        try:
            hunts = health.hunts()
        except DatabaseUnavailable as error:  # a new start would not mend that, and the log tells it already
            manager.alive(str(error))
            continue
        if hunts.status is CheckStatus.FAILED:
            _log.error("the watchdog gets no sign of life", reason=hunts.detail)
        else:
            manager.alive(hunts.detail)


def dashboard_context(hound: Hound, daemon: Daemon | SharedDaemon) -> DashboardContext:
    """What the dashboard and the API may see and do."""
    from agents.commands import asking, operating, pricing, training
    from agents.commands.preferences import OwnerPreferences
    from framework.web.context import DashboardContext

    return DashboardContext(
        store=hound.store,
        settings=hound.settings,
        log=hound.log_buffer,
        controls=daemon,
        checks=lambda: operating.checks(hound),
        progress=hound.progress,
        atlas=hound.atlas,
        price=lambda texts: pricing.estimates(hound, texts),
        resend=lambda identity: operating.resend(hound, identity),
        evaluation=lambda: training.last_report(hound),
        ask=asking.conversation(hound),
        usage=lambda: asking.usage(hound),
        vote_links=hound.vote_links,
        test_notification=lambda: operating.channel_checks(hound),
        fetch_picture=hound.fetch_picture,
        preferences=OwnerPreferences(hound),
    )


def serve_dashboard(context: DashboardContext) -> ServerHandle:
    """Dashboard, API and health, on the one port."""
    from dashboard import create_app
    from framework.web.server import serve

    settings = context.settings
    return serve(create_app(context), settings.host, settings.port, settings.trusted_proxies)


def _stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set; the second signal ends the process at once."""
    stop = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()
        last = threading.Timer(LAST_SECOND, os._exit, [0])
        last.daemon = True
        last.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)
    return stop
