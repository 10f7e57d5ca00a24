"""Forget what is long past, so that the database stays small: opportunities, votes and prices are kept for ever."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, Connection, Table, delete, select

from framework.memory.base import Repository
from framework.memory.records import EntryState, NotificationState
from framework.memory.tables import deliveries, entries, hunts, llm_cache, llm_usage, opportunities, outbox, sources

KEEP_ENTRIES = timedelta(days=180)
_PIECE = 5_000  # rows per transaction: a hunt never waits long for its turn


class Retention(Repository):
    """Deletion by age, in small transactions."""

    def forget(self, keep: timedelta = KEEP_ENTRIES) -> dict[str, int]:
        """Delete handled entries (with their deals and valuations), hunts, delivery lines, LLM usage and cached
        replies older than ``keep``; returns how many rows of each. Entries of opportunities stay.
        """
        before = self._clock() - keep
        waiting = (NotificationState.WAITING.value, NotificationState.SENDING.value)
        old_notices = outbox.c.opportunity_id.is_(None) & outbox.c.state.not_in(waiting)
        return {
            "entries": self._delete(entries, entries.c.seq, _forgettable(before)),
            "deliveries": self._delete(deliveries, deliveries.c.id, deliveries.c.at < before),
            "outbox": self._delete(outbox, outbox.c.id, old_notices & (outbox.c.created < before)),
            "hunts": self._delete(hunts, hunts.c.id, hunts.c.started < before),
            "llm_usage": self._delete(llm_usage, llm_usage.c.id, llm_usage.c.at < before),
            "llm_cache": self._delete(llm_cache, llm_cache.c.key, llm_cache.c.created < before),
        }

    def compact(self) -> None:
        """Give the space of deleted rows back to the disk (SQLite only; writers wait meanwhile)."""
        self._database.compact()

    def _delete(self, table: Table, key: Column[Any], condition: Any) -> int:
        deleted = 0
        while True:
            with self._database.write() as connection:
                piece = _delete_piece(connection, table, key, condition)
            deleted += piece
            if piece < _PIECE:
                return deleted


def _delete_piece(connection: Connection, table: Table, key: Column[Any], condition: Any) -> int:
    chosen = select(key).where(condition).limit(_PIECE)
    return int(connection.execute(delete(table).where(key.in_(chosen))).rowcount)


def _forgettable(before: datetime) -> Any:
    done = (entries.c.state == EntryState.DONE.value) & (entries.c.handled < before)
    surfaced = select(opportunities.c.entry_id).where(opportunities.c.entry_id == entries.c.id)
    met = select(sources.c.entry_id).where(sources.c.entry_id == entries.c.id)
    return done & ~surfaced.exists() & ~met.exists()
