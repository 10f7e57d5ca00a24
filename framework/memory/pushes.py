"""How long it takes from a deal's publication to its owner's phone, as the running buckets of a histogram."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from framework.memory.base import Repository
from framework.memory.state import add_up
from framework.memory.tables import entries, opportunities, outbox, state
from framework.outbox import LOCAL_CHANNELS

BUCKETS = (60, 300, 900, 1_800, 3_600, 7_200, 21_600, 86_400)  # upper bounds in seconds
_KEY = "pushes.seconds"


class Pushes(Repository):
    """Reads what ``note_push`` counted."""

    def push_delays(self) -> dict[str, int]:
        """Pushed opportunities in all under "count", their seconds in all under "sum", and under each bound of
        ``BUCKETS``, as text, how many took no longer.
        """
        with self._database.read() as connection:
            return dict(connection.execute(select(state.c.value).where(state.c.key == _KEY)).scalar() or {})


def note_push(connection: Connection, notification_id: int, now: datetime) -> None:
    """Count a sent notification of an opportunity, inside the caller's transaction; others are left out.

    Where an entry says no time of publication, it counts from when it was first seen.
    """
    published = (
        select(func.coalesce(entries.c.published, entries.c.first_seen, type_=entries.c.first_seen.type))
        .join(opportunities, opportunities.c.entry_id == entries.c.id)
        .join(outbox, outbox.c.opportunity_id == opportunities.c.id)
        .where(outbox.c.id == notification_id, outbox.c.kind == "opportunity")
        .where(outbox.c.channel.not_in(LOCAL_CHANNELS))
    )
    since = connection.execute(published).scalar()
    if since is None:
        return
    seconds = max(0, round((now - since).total_seconds()))
    reached = {str(bound): 1 for bound in BUCKETS if seconds <= bound}
    add_up(connection, _KEY, {"count": 1, "sum": seconds, **reached}, now)
