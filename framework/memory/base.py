"""What every part of the memory shares: the database, the clock, and small helpers for rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, text
from sqlalchemy.dialects import postgresql, sqlite

from framework.memory.database import Database

Clock = Callable[[], datetime]
Item = TypeVar("Item")

_CHUNK = 500  # bound parameters per statement stay far below every database's limit


def utc_now() -> datetime:
    """The present moment, aware and in UTC."""
    return datetime.now(UTC)


class Repository:
    """One aspect of the memory: methods over one database, each call one transaction."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; those whose key is there already are left as they are."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    for chunk in chunks(rows):
        connection.execute(dialect.insert(table).on_conflict_do_nothing(), list(chunk))


def put(connection: Connection, table: Table, key: str, row: Mapping[str, Any]) -> None:
    """Insert one row, or overwrite the one with the same ``key`` column."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    changes = {name: value for name, value in row.items() if name != key}
    connection.execute(dialect.insert(table).values(**row).on_conflict_do_update(index_elements=[key], set_=changes))


def serialize(connection: Connection, what: str) -> None:
    """Let one transaction at a time, over all processes, do ``what``, until it ends.

    On SQLite every writing transaction is alone anyway; PostgreSQL runs them side by side.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))"), {"what": what})


def chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """The items in pieces that fit one statement."""
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]


def matching(text: str) -> str:
    """A LIKE pattern that finds ``text`` anywhere; its own wildcards are taken literally (escape with a backslash)."""
    for special in ("\\", "%", "_"):
        text = text.replace(special, "\\" + special)
    return f"%{text}%"


def unique(items: Iterable[Item]) -> list[Item]:
    """The items in order, each once."""
    return list(dict.fromkeys(items))
