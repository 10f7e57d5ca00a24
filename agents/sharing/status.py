"""How the queue stands, for the doctor: read from procrastinate's tables, which have no call for it."""

from __future__ import annotations

from datetime import timedelta

import psycopg
from sqlalchemy import make_url

from agents.sharing.tasks import QUEUES, Pace
from framework.deals import Value
from framework.errors import DatabaseUnavailable

_MISSING = "SELECT to_regclass('procrastinate_jobs') IS NULL"
_QUERY = """
SELECT (SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - %(alive)s::interval),
       count(*) FILTER (WHERE status = 'todo'),
       count(*) FILTER (WHERE status = 'doing'),
       count(*) FILTER (WHERE status = 'failed'),
       (SELECT extract(epoch FROM now() - min(at)) FROM procrastinate_events
         JOIN procrastinate_jobs waiting ON waiting.id = job_id
        WHERE waiting.status = 'todo' AND type = 'deferred'
          AND (waiting.scheduled_at IS NULL OR waiting.scheduled_at <= now()))
  FROM procrastinate_jobs
"""


class QueueStatus(Value):
    """Daemons at work, jobs by state (failed ones of the last week), and for how long the oldest waits, in seconds."""

    daemons: int
    waiting: int
    running: int
    failed: int
    oldest: float | None = None

    @property
    def sentence(self) -> str:
        """As its owner reads it."""
        oldest = "" if self.oldest is None else f" (the oldest for {timedelta(seconds=round(self.oldest))})"
        failed = f", {self.failed} failed" if self.failed else ""
        daemons = "1 daemon" if self.daemons == 1 else f"{self.daemons} daemons"
        return f"{daemons} at work; {self.waiting} jobs wait{oldest}, {self.running} run{failed}"


def queue_status(sqlalchemy_url: str) -> QueueStatus | None:
    """How the queue of a database stands; ``None`` where no daemon has ever run on it.

    Raises ``DatabaseUnavailable``.
    """
    conninfo = make_url(sqlalchemy_url).set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        with psycopg.connect(conninfo) as connection:
            missing = connection.execute(_MISSING).fetchone()
            if missing is None or missing[0]:
                return None
            row = connection.execute(_QUERY, {"alive": timedelta(seconds=Pace().dead_after)}).fetchone()
    except psycopg.Error as error:
        raise DatabaseUnavailable(
            f"The work queue cannot be read ({type(error).__name__}): check that the database answers"
        ) from error
    if row is None:
        return None
    workers, waiting, running, failed, oldest = row
    return QueueStatus(
        daemons=workers // len(QUEUES),
        waiting=waiting,
        running=running,
        failed=failed,
        oldest=None if oldest is None else float(oldest),
    )
