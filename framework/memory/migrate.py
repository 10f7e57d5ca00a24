"""Bring a database to the newest schema, quietly, when it is opened (Alembic does the work).

Alembic is imported only when there is something to do: opening an up-to-date database stays fast.
"""

from __future__ import annotations

import logging
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from framework.errors import DatabaseUnavailable
from framework.memory.database import Database

HEAD = "0007"  # the newest revision in migrations/versions
_SCRIPTS = Path(__file__).parent / "migrations"
_POSTGRES_LOCK = 0x6465616C  # "deal": several daemons that start at once migrate one after the other


def migrate(database: Database, *, to: str = HEAD) -> str | None:
    """Upgrade to revision ``to`` in one transaction; return the revision found before (``None``: empty database).

    Raises ``DatabaseUnavailable`` when the database was written by a newer Dealhound.
    """
    with database.read() as connection:
        found = current_revision(connection)
    if found == to:
        return found
    with database.write() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _POSTGRES_LOCK})
        found = current_revision(connection)  # another process may have been quicker
        if found != to:
            _upgrade(connection, found, to)
    return found


def current_revision(connection: Connection) -> str | None:
    """The revision that the database is at, ``None`` when it has no schema yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return str(revision) if revision is not None else None


def _upgrade(connection: Connection, found: str | None, to: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise DatabaseUnavailable(
            f"The database has schema {found}, which this Dealhound does not know: it was written by a newer one; "
            "update Dealhound, or restore a backup"
        )
    command.upgrade(config, to)
