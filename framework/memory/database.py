"""One door to the database: connections, transactions, and its errors in our own words.

SQLite runs in WAL mode, so the dashboard reads while a hunt writes. ``synchronous=FULL`` rather than ``NORMAL``: in
WAL mode ``NORMAL`` may roll the last commits back after a power cut (https://sqlite.org/pragma.html#pragma_synchronous),
and a lost "sent" mark would send a notification twice. It costs one fsync per transaction, of which a hunt has few.
Writers begin with ``BEGIN IMMEDIATE``: a transaction that reads first and writes later would otherwise fail at once
with "database is locked" when another process wrote in between.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from framework.errors import DatabaseUnavailable

_BUSY_SECONDS = 15
_WRITE = "dealhound_write"


class Database:
    """Transactions on one database, from any thread. Open it with ``Database.open``."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._closed = False
        self._one_writer = threading.RLock() if engine.dialect.name == "sqlite" else None

    @classmethod
    def open(cls, url: str) -> Database:
        """Connect lazily to the database that a SQLAlchemy URL names; makes the folder of an SQLite file.

        Raises ``DatabaseUnavailable`` when the URL cannot be used.
        """
        try:
            parsed = make_url(url)
            if parsed.get_backend_name() == "sqlite":
                return cls(_sqlite_engine(url, parsed.database))
            return cls(create_engine(url, pool_pre_ping=True))
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
            raise DatabaseUnavailable(
                "DEALHOUND_DATABASE_URL is not usable: give a URL like sqlite:////folder/dealhound.db or "
                "postgresql+psycopg://user@host/dealhound (the latter needs the postgres extra)"
            ) from error
        except OSError as error:
            raise DatabaseUnavailable(f"The database's folder cannot be made: {error.strerror}") from error

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reading: one consistent picture for the length of the block."""
        self._refuse_when_closed()
        with _own_words(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: all of the block is stored, or nothing of it.

        Raises ``DatabaseUnavailable`` when the database is locked for too long, full, read-only or damaged.
        """
        self._refuse_when_closed()
        with self._one_writer or nullcontext(), _own_words(), self.engine.connect() as connection:
            connection = connection.execution_options(**{_WRITE: True})
            with connection.begin():
                yield connection

    def copy_to(self, path: Path) -> bool:
        """Write one consistent picture of an SQLite database, in use or not, to a new file without free pages.

        False where the database is no SQLite file.
        """
        if self.engine.dialect.name != "sqlite":
            return False
        self._outside_transactions("VACUUM INTO ?", str(path))
        return True

    def compact(self) -> None:
        """Give unused space of an SQLite file back to the disk."""
        if self.engine.dialect.name == "sqlite":
            self._outside_transactions("VACUUM")
            self._outside_transactions("PRAGMA wal_checkpoint(TRUNCATE)")

    def _outside_transactions(self, statement: str, *values: str) -> None:
        self._refuse_when_closed()
        with self._one_writer or nullcontext(), _own_words(), self.engine.connect() as connection:
            raw = connection.connection.driver_connection
            try:
                raw.execute(statement, values).close()  # type: ignore[union-attr]
            except sqlite3.Error as error:
                raise DatabaseUnavailable(_explain(str(error))) from error

    def close(self) -> None:
        """Give all connections back; the database cannot be used through this object afterwards."""
        self._closed = True
        self.engine.dispose()

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise DatabaseUnavailable("The database was closed; open it again")


def _sqlite_engine(url: str, path: str | None) -> Engine:
    if not path or path == ":memory:":
        raise DatabaseUnavailable("An SQLite database needs a file: sqlite:////folder/dealhound.db")
    if not path.startswith("file:"):  # an SQLite URI names a file that is there
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself: _begin_sqlite does
    _use_wal(connection)
    for pragma in ("foreign_keys=ON", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}").close()


def _use_wal(connection: Any) -> None:
    """Switch to WAL mode, trying for ``_BUSY_SECONDS``.

    While another connection switches too, as when a command and the daemon open a new database together, SQLite says
    "locked" at once, whatever its own time limit (two that wait for each other would wait for ever).
    """
    give_up = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > give_up:
                raise
            time.sleep(0.02)


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get(_WRITE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


@contextmanager
def _own_words() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise DatabaseUnavailable(_explain(str(error.orig))) from error


def _explain(cause: str) -> str:
    lowered = cause.lower()
    for sign, sentence in _ADVICE.items():
        if sign in lowered:
            return sentence
    return f"The database failed: {cause}"


_ADVICE = {
    "database is locked": f"The database was locked by another program for more than {_BUSY_SECONDS} seconds; "
    "stop that program, the work is tried again",
    "disk is full": "The disk that holds the database is full: make room; nothing stored so far is lost",
    "disk i/o error": "The disk that holds the database gave an error: check it and its free space",
    "readonly database": "The database cannot be written: its file or folder is read-only for this user",
    "unable to open database file": "The database file cannot be opened: check that its folder exists and may be "
    "written by this user",
    "not a database": "The database file is no SQLite database: move it away, or restore a backup",
    "malformed": "The database file is damaged: restore a backup with ./dealhound restore",
}
