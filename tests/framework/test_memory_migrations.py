"""Schemas: every earlier one is brought to the newest with its data, and the newest is what the code expects."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from framework.errors import DatabaseUnavailable
from framework.memory import migrate as module
from framework.memory.database import Database
from framework.memory.migrate import HEAD, migrate
from framework.memory.store import Store
from framework.memory.tables import metadata
from tests.framework.memory_examples import START, FixedClock, entry, surface

_SCRIPTS = Path(module.__file__).parent / "migrations"


def revisions() -> Sequence[str]:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/dealhound.db"


def at_revision(url: str, revision: str) -> None:
    """A database with data, as the Dealhound of that schema left it."""
    database = Database.open(url)
    migrate(database, to=revision)
    database.close()
    moment = "'2026-02-01 10:00:00.000000'"
    with sqlite3.connect(url.removeprefix("sqlite:///")) as raw:
        raw.execute(
            "INSERT INTO entries (id, feed_url, title, first_seen, sample, state, verdict, reason, attempts, data) "
            f"""VALUES ('old', 'f', 'Old kettle', {moment}, 0, 'done', 'opportunity', '', 0,
            '{{"id": "old", "feed_url": "f", "title": "Old kettle"}}')"""
        )
        raw.execute(
            "INSERT INTO outbox (key, channel, kind, message, state, attempts, created, next_try) VALUES "
            f"""('k', 'console', 'notice', '{{"title": "t", "text": "t"}}', 'waiting', 0, {moment}, {moment})"""
        )


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
def test_each_earlier_schema_is_upgraded_with_its_data(url: str, revision: str) -> None:
    at_revision(url, revision)
    with Store.open(url, clock=FixedClock()) as store:
        record = store.entry("old")
        assert record is not None
        assert record.entry.title == "Old kettle"
        (waiting,) = store.due_notifications(START)
        assert (waiting.channel, waiting.repeated) == ("console", False)
        assert surface(store, entry(1)) is not None
    assert rows(url, "SELECT version_num FROM alembic_version") == [(HEAD,)]


def test_a_failed_migration_leaves_the_old_schema_whole(url: str) -> None:
    at_revision(url, "0001")
    with sqlite3.connect(url.removeprefix("sqlite:///")) as raw:
        raw.execute("CREATE TABLE feedback (in_the_way TEXT)")  # makes the second revision fail halfway
    with pytest.raises(DatabaseUnavailable):
        Store.open(url)
    assert rows(url, "SELECT version_num FROM alembic_version") == [("0001",)]
    columns = [row[1] for row in rows(url, "PRAGMA table_info(outbox)")]
    assert "repeated" not in columns


def test_a_database_of_a_newer_dealhound_is_refused(url: str) -> None:
    Store.open(url).close()
    with sqlite3.connect(url.removeprefix("sqlite:///")) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
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
