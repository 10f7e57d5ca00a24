"""Small things by key: heartbeats, versions, when something was last done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select

from framework.memory.base import Repository, insert_new, put
from framework.memory.tables import state

HUNT_TOTALS = "hunts.totals"  # the figures of all hunts ever, added up
OPPORTUNITIES_VERSION = "opportunities.version"  # grows with every change that memory.json has to show

FEEDBACK_VERSION = "feedback.version"  # grows with every vote


class KeyValues(Repository):
    """JSON values by key."""

    def get_state(self, key: str, default: Any = None) -> Any:
        """The value last set, else ``default``."""
        with self._database.read() as connection:
            row = connection.execute(select(state.c.value).where(state.c.key == key)).first()
            return default if row is None else row.value

    def set_state(self, key: str, value: Any) -> None:
        """Store any JSON value."""
        with self._database.write() as connection:
            set_value(connection, key, value, self._clock())

    def count_up(self, key: str) -> None:
        """Add one to a number."""
        with self._database.write() as connection:
            bump(connection, key, self._clock())

    def clear_state(self, key: str) -> None:
        """Forget a key."""
        with self._database.write() as connection:
            connection.execute(delete(state).where(state.c.key == key))

    def beat(self, name: str) -> None:
        """Note that a job is alive now."""
        self.set_state(f"heartbeat.{name}", None)

    def last_beat(self, name: str) -> datetime | None:
        """When the job was last alive, ``None`` when never."""
        with self._database.read() as connection:
            query = select(state.c.updated).where(state.c.key == f"heartbeat.{name}")
            return connection.execute(query).scalar()


def bump(connection: Connection, key: str, now: datetime) -> None:
    """Count up by one, inside the caller's transaction."""
    set_value(connection, key, (_locked_value(connection, key, now) or 0) + 1, now)


def set_value(connection: Connection, key: str, value: Any, now: datetime) -> None:
    """Store a value inside the caller's transaction."""
    put(connection, state, "key", {"key": key, "value": value, "updated": now})


def add_up(connection: Connection, key: str, counts: Mapping[str, int], now: datetime) -> None:
    """Add figures by name to those under a key, inside the caller's transaction."""
    totals = dict(_locked_value(connection, key, now) or {})
    for name, number in counts.items():
        totals[name] = totals.get(name, 0) + number
    set_value(connection, key, totals, now)


def _locked_value(connection: Connection, key: str, now: datetime) -> Any:
    """The value under a key, which nobody else changes until the caller's transaction ends."""
    insert_new(connection, state, [{"key": key, "value": None, "updated": now}])
    return connection.execute(select(state.c.value).where(state.c.key == key).with_for_update()).scalar()
