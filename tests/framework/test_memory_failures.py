"""What can go wrong with a disk or another program: one clear sentence, and nothing half stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event

from framework.errors import DatabaseUnavailable
from framework.memory import database as module
from framework.memory.store import Store
from tests.framework.memory_examples import FEED, entry, fresh_url, poll, surface


@pytest.fixture
def url(tmp_path: Path) -> str:
    return fresh_url(tmp_path)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url) as opened:
        yield opened


def file_of(url: str) -> str:
    return url.removeprefix("sqlite:///")


def test_a_full_disk_is_named_and_stores_nothing_by_halves(store: Store, url: str) -> None:
    store.add_feed(FEED)
    with closing(sqlite3.connect(file_of(url))) as raw:
        pages = raw.execute("PRAGMA page_count").fetchone()[0]
    engine = store._database.engine
    engine.dispose()
    event.listen(engine, "connect", lambda raw, _: raw.execute(f"PRAGMA max_page_count={pages}").close())
    entries = [entry(number, content="x" * 10_000) for number in range(20)]
    with pytest.raises(DatabaseUnavailable, match="full: make room"):
        store.record_poll(poll(*entries))
    followed = store.feed(FEED)
    assert followed is not None
    assert (followed.etag, store.count_entries()) == (None, 0)


def test_a_read_only_database_is_named(url: str) -> None:
    with Store.open(f"sqlite:///file:{file_of(url)}?mode=ro&uri=true") as store:
        assert store.feeds() == []
        with pytest.raises(DatabaseUnavailable, match="read-only"):
            store.add_feed(FEED)


def test_a_database_locked_by_another_program_is_named_and_can_still_be_read(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BUSY_SECONDS", 0.1)
    with Store.open(url) as store, closing(sqlite3.connect(file_of(url), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnavailable, match="locked by another program"):
            store.add_feed(FEED)
        assert store.feeds() == []
        other.execute("ROLLBACK")
        assert store.add_feed(FEED).url == FEED


def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path: Path) -> None:
    foreign = tmp_path / "photo.db"
    foreign.write_bytes(b"\x89PNG" * 1_000)
    with pytest.raises(DatabaseUnavailable, match="no SQLite database"):
        Store.open(f"sqlite:///{foreign}")
    assert foreign.read_bytes() == b"\x89PNG" * 1_000


def test_a_damaged_database_is_named(url: str) -> None:
    with Store.open(url) as store:
        for number in range(30):
            surface(store, entry(number, content="x" * 3_000), product_key=str(number))
    path = Path(file_of(url))
    content = bytearray(path.read_bytes())
    content[len(content) // 4 :] = b"\xff" * (len(content) - len(content) // 4)
    path.write_bytes(content)
    with pytest.raises(DatabaseUnavailable, match="damaged"):
        read_everything(url)


def read_everything(url: str) -> None:
    with Store.open(url) as store:
        store.opportunities()
        store.entries()


@pytest.mark.parametrize(
    "url", ["nonsense", "mysql+nodriver://x/y", "sqlite://", "sqlite:///:memory:", "postgresql+nodriver://localhost/x"]
)
def test_a_url_that_names_no_usable_database_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(DatabaseUnavailable, match="sqlite:////folder"):
        Store.open(url)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseUnavailable, match="folder"):
        Store.open(f"sqlite:///{tmp_path}/file/state/dealhound.db")


def test_commits_survive_a_power_cut_and_foreign_keys_hold(store: Store) -> None:
    with store._database.read() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
