"""Schemas: every earlier one is brought to the newest with its data, and the newest is what the code expects."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from framework.errors import DatabaseUnavailable
from framework.memory import migrate as module
from framework.memory.database import Database
from framework.memory.migrate import HEAD, current_revision, migrate
from framework.memory.store import Store
from framework.memory.tables import metadata
from tests.fakes.postgres import Postgres
from tests.framework.memory_examples import START, FixedClock, entry, surface
from tests.framework.old_schemas import OLD, OPPORTUNITY, at_revision, rows

_SCRIPTS = Path(module.__file__).parent / "migrations"


def revisions() -> Sequence[str]:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/dealhound.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database()


def execute(url: str, statement: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def revision_of(url: str) -> str | None:
    database = Database.open(url)
    with database.read() as connection:
        found = current_revision(connection)
    database.close()
    return found


def test_the_head_that_the_code_names_is_the_newest_script() -> None:
    assert revisions()[0] == HEAD


def test_the_migrations_end_in_the_schema_of_the_tables(url: str) -> None:
    database = Database.open(url)
    migrate(database)
    with database.read() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    database.close()
    assert differences == []


@pytest.mark.parametrize("revision", sorted(revisions()))
def test_each_earlier_schema_is_upgraded_with_a_row_in_every_table(url: str, revision: str) -> None:
    before = at_revision(url, revision)
    Store.open(url).close()
    after = rows(url)
    assert set(before) <= set(after)
    for table, row in before.items():
        kept = {name: value for name, value in after[table].items() if name in row}
        assert kept == row, f"{table} is not what it was"
    assert revision_of(url) == HEAD


@pytest.mark.parametrize("revision", sorted(revisions()))
def test_what_an_earlier_dealhound_left_is_worked_with(url: str, revision: str) -> None:
    at_revision(url, revision)
    with Store.open(url, clock=FixedClock()) as store:
        record = store.opportunity(OPPORTUNITY)
        assert record is not None
        assert (record.opportunity.deal.title, len(record.sources)) == (OLD.title, 1)
        (waiting,) = store.due_notifications(START)
        assert (waiting.channel, waiting.repeated, waiting.opportunity) == ("console", False, record.opportunity)
        assert store.claim(waiting.id)
        assert [feed.url for feed in store.feeds()] == [OLD.feed_url]
        assert store.valuation(OLD.id) is not None
        assert surface(store, entry(1)) is not None
        assert store.count_opportunities() == 2


def test_a_failed_migration_leaves_the_old_schema_whole(url: str) -> None:
    before = at_revision(url, "0001")
    execute(url, "CREATE TABLE feedback (in_the_way TEXT)")  # makes the second revision fail halfway
    execute(url, "INSERT INTO feedback VALUES ('x')")
    with pytest.raises(DatabaseUnavailable):
        Store.open(url)
    assert revision_of(url) == "0001"
    assert {table: row for table, row in rows(url).items() if table != "feedback"} == before


def test_a_database_of_a_newer_dealhound_is_refused(url: str) -> None:
    Store.open(url).close()
    execute(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseUnavailable, match="newer"):
        Store.open(url)


def test_several_that_open_an_empty_database_at_once_all_succeed(url: str) -> None:
    failures: list[BaseException] = []

    def open_it() -> None:
        try:
            Store.open(url).close()
        except DatabaseUnavailable as error:
            failures.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_migrating_says_nothing_on_the_console(
    url: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    Store.open(url).close()
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")
    assert [record for record in caplog.records if record.name.startswith("alembic")] == []
