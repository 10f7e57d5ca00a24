"""procrastinate's tables in our database: made when missing, upgraded when the installed procrastinate is newer.

procrastinate ships its whole schema, and one SQL file per change since; which of them a database has is for the
application to remember (https://procrastinate.readthedocs.io, "Migrations"): we do so among our own key values.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING, LiteralString

from framework.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from psycopg import Connection

_KEY = "procrastinate.version"  # whose schema the database has
_READ = "SELECT value FROM state WHERE key = %s"
_WRITE = """INSERT INTO state (key, value, updated) VALUES (%s, %s, now())
            ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value, updated = EXCLUDED.updated"""


def ensure_schema(conninfo: str) -> None:
    """Bring procrastinate's schema to the installed version, in a database that has the memory's tables.

    One daemon at a time, all or nothing.

    Raises ``DatabaseUnavailable`` when the database cannot be reached or refuses.
    """
    import psycopg

    installed = version("procrastinate")
    try:
        with psycopg.connect(conninfo) as connection:
            connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [_KEY])
            found = connection.execute(_READ, [_KEY]).fetchone()
            for script in _scripts(connection, found[0] if found else None):
                connection.execute(script)
            connection.execute(_WRITE, [_KEY, json.dumps(installed)])
    except psycopg.Error as error:
        raise DatabaseUnavailable(
            f"The tables of the work queue cannot be made ({type(error).__name__}): check that the database answers "
            "and that its user may create tables, types and functions"
        ) from error


def _scripts(connection: Connection, applied: str | None) -> Iterator[LiteralString]:
    from procrastinate.schema import SchemaManager, migrations_path

    row = connection.execute("SELECT to_regclass('procrastinate_jobs')").fetchone()
    if row is None or row[0] is None:
        yield SchemaManager.get_schema()
    elif applied is not None:
        for path in sorted(migrations_path.glob("*.sql")):
            if _number(path.name.partition("_")[0]) > _number(applied):
                yield path.read_text(encoding="utf-8")


def _number(text: str) -> tuple[int, ...]:
    """``03.04.00`` and ``3.4.0`` alike."""
    return tuple(int(part) for part in text.split(".")[:3])
