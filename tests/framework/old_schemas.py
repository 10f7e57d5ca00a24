"""Databases as an earlier Dealhound left them: at any revision, with a row in every table that it has."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Boolean, Column, Connection, DateTime, MetaData, Numeric, Table, create_engine, select

from framework.deals import Opportunity
from framework.memory.database import Database
from framework.memory.migrate import migrate
from tests.framework.memory_examples import deal, entry, judgement, poll, valuation

MOMENT = datetime(2026, 2, 1, 10, tzinfo=UTC)
OLD = entry(77)
OPPORTUNITY = "old-opportunity"
Rows = dict[str, dict[str, Any]]

_SURFACED = Opportunity(id=OPPORTUNITY, deal=deal(OLD), valuation=valuation(), judgement=judgement(), created=MOMENT)
_JUDGED = {"valuation": valuation().model_dump(mode="json"), "judgement": judgement().model_dump(mode="json")}
# What a value of the column's type alone would not be good enough for; "*" is any table.
_VALUES: dict[tuple[str, str], Any] = {
    ("*", "entry_id"): OLD.id,
    ("*", "opportunity_id"): OPPORTUNITY,
    ("*", "currency"): "USD",
    ("*", "verdict"): "opportunity",
    ("entries", "id"): OLD.id,
    ("entries", "title"): OLD.title,
    ("entries", "state"): "done",
    ("entries", "kind"): "product",
    ("entries", "reader"): "extractive",
    ("entries", "data"): OLD.model_dump(mode="json"),
    ("feeds", "url"): OLD.feed_url,
    ("feeds", "status"): "ok",
    ("feeds", "data"): poll().feed.model_dump(mode="json"),
    ("deals", "data"): deal(OLD).model_dump(mode="json"),
    ("valuations", "data"): _JUDGED,
    ("opportunities", "id"): OPPORTUNITY,
    ("opportunities", "product_key"): "old kettle",
    ("opportunities", "hidden"): None,
    ("opportunities", "expired"): None,
    ("opportunities", "data"): _SURFACED.model_dump(mode="json"),
    ("outbox", "channel"): "console",
    ("outbox", "kind"): "opportunity",
    ("outbox", "state"): "waiting",
    ("outbox", "message"): None,
    ("outbox", "finished"): None,
    ("outbox", "claimed"): None,
    ("deliveries", "channel"): "console",
    ("deliveries", "outcome"): "delayed",
    ("feedback", "vote"): "good",
    ("hunts", "counts"): {"deals": 3},
}


def at_revision(url: str, revision: str) -> Rows:
    """Make a database of that schema with data in it; returns the row of each table, by the table's name."""
    database = Database.open(url)
    migrate(database, to=revision)
    database.close()
    engine = create_engine(url)
    with engine.begin() as connection:
        for table in _tables(connection):
            connection.execute(table.insert().values(_row(table)))
    found = rows(url)
    engine.dispose()
    return found


def rows(url: str) -> Rows:
    """The one row of each table that has any, as it stands in the database."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = {
            table.name: connection.execute(select(table)).mappings().one_or_none() for table in _tables(connection)
        }
    engine.dispose()
    return {name: dict(row) for name, row in found.items() if row is not None}


def _tables(connection: Connection) -> list[Table]:
    metadata = MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name != "alembic_version"]


def _row(table: Table) -> dict[str, Any]:
    """Numbers that count up by themselves are left to do so."""
    counted = [column for column in table.primary_key if column.type.python_type is int]
    return {column.name: _value(table, column) for column in table.columns if column not in counted}


def _value(table: Table, column: Column[Any]) -> Any:
    for key in ((table.name, column.name), ("*", column.name)):
        if key in _VALUES:
            return _VALUES[key]
    if isinstance(column.type, DateTime):
        return MOMENT if column.type.timezone else MOMENT.replace(tzinfo=None)
    if isinstance(column.type, Boolean):
        return False
    if isinstance(column.type, Numeric) or column.type.python_type in (int, float):
        return 1
    return {} if column.type.python_type is dict else "x"
