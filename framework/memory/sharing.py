"""What daemons that share one hunt ask of the memory: which entries wait, and how much was found."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select

from framework.memory.base import Repository
from framework.memory.records import EntryState, OpenEntry
from framework.memory.tables import entries, opportunities

_SKEW = timedelta(days=1)  # far more than the clocks of two machines differ


class Sharing(Repository):
    """A hunt in shares."""

    def open_entries(self, limit: int = 1000, *, failed: bool = False) -> list[OpenEntry]:
        """The entries that wait to be read or judged, oldest first; those tried in vain only with ``failed``."""
        columns = (entries.c.id, entries.c.url, entries.c.state, entries.c.hunt_id, entries.c.attempts)
        query = select(*columns).where(entries.c.state != EntryState.DONE.value)
        if not failed:
            query = query.where(entries.c.attempts == 0)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(entries.c.seq).limit(limit)).mappings()
            return [OpenEntry(**row) for row in rows]

    def count_surfaced(self, hunt_id: str, started: datetime) -> int:
        """How many new opportunities a hunt, begun at that moment, has surfaced so far."""
        query = (
            select(func.count())
            .select_from(opportunities)
            .join(entries, entries.c.id == opportunities.c.entry_id)
            .where(opportunities.c.created >= started - _SKEW, entries.c.hunt_id == hunt_id)
        )
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())
