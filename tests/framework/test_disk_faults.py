"""A disk that is full or read-only, for real: a small one in memory, mounted by the test (which needs root)."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.messaging.pushover import PushoverNotifier
from agents.messaging.sender import Sender
from framework.errors import DatabaseUnavailable, SnapshotError
from framework.memory.backup import save
from framework.memory.snapshot import Snapshot
from framework.memory.store import Store
from tests.fakes.pushover import TOKEN, USER, FakePushover
from tests.framework.memory_examples import FixedClock, entry, fresh_url, poll, surface


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Six megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = os.geteuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", folder], capture_output=True, check=False
    )
    if not made or made.returncode:
        pytest.skip("no disk can be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def fill_up(disk: Path) -> Path:
    """Use up every byte."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 10, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return filler


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", disk], check=True)


def test_on_a_full_disk_nothing_is_half_stored_and_all_goes_on_once_there_is_room(disk: Path) -> None:
    with Store.open(fresh_url(disk)) as store:
        surface(store, entry(1))
        filler = fill_up(disk)
        more = [entry(number, content="x" * 10_000) for number in range(2, 60)]
        with pytest.raises(DatabaseUnavailable, match="full: make room"):
            store.record_poll(poll(*more, etag='"v2"'))
        assert store.count_entries() == 1
        feed = store.feed(poll().feed.url)
        assert feed is None or feed.etag != '"v2"'
        filler.unlink()
        assert len(store.record_poll(poll(*more, etag='"v2"'))) == 58


def test_a_message_is_sent_once_though_the_disk_was_full(disk: Path) -> None:
    clock = FixedClock()
    with FakePushover() as service, Store.open(fresh_url(disk), clock=clock) as store:
        sender = Sender(store, [PushoverNotifier(USER, TOKEN, base_url=service.url)], clock=clock)
        for number in range(5):
            surface(store, entry(number), channels=sender.channels, product_key=str(number))
        filler = fill_up(disk)
        for _ in range(3):
            try:
                sender.drain()
            except DatabaseUnavailable as error:
                assert "full" in str(error)  # noqa: PT017 - whether the log's old pages suffice is SQLite's affair
        filler.unlink()
        for _ in range(3):
            clock.forward(minutes=2)
            sender.drain()
    assert sorted(message["title"] for message in service.accepted) == [f"Kettle {n} for $20" for n in range(5)]


def test_a_snapshot_and_a_backup_on_a_full_disk_leave_the_old_ones_whole(tmp_path: Path, disk: Path) -> None:
    with Store.open(fresh_url(tmp_path)) as store:
        surface(store, entry(1))
        snapshot = Snapshot(disk / "memory.json", store)
        assert snapshot.write()
        save(store, tmp_path, disk / "backup.tar.gz")
        old = (disk / "backup.tar.gz").read_bytes()
        filler = fill_up(disk)
        for number in range(2, 40):
            surface(store, entry(number), product_key=str(number))
        with pytest.raises(SnapshotError, match="the old one is whole"):
            snapshot.write()
        assert len(json.loads((disk / "memory.json").read_bytes())) == 1
        with pytest.raises(Exception, match="cannot be written"):
            save(store, tmp_path, disk / "backup.tar.gz")
        assert (disk / "backup.tar.gz").read_bytes() == old
        filler.unlink()
        assert snapshot.write()
        assert len(json.loads((disk / "memory.json").read_bytes())) == 39


def test_a_read_only_folder_is_named_and_nothing_is_lost(disk: Path) -> None:
    url = fresh_url(disk)
    with Store.open(url) as store:
        surface(store, entry(1))
        Snapshot(disk / "memory.json", store).write()
    remount(disk, "ro")
    with pytest.raises(DatabaseUnavailable, match=r"read-only|written by this user"), Store.open(url) as store:
        surface(store, entry(2))
    remount(disk, "rw")
    with Store.open(url) as store:
        assert store.count_opportunities() == 1
        surface(store, entry(3), product_key="3")
        assert Snapshot(disk / "memory.json", store).write()


def test_a_disk_that_turns_read_only_under_an_open_database(disk: Path) -> None:
    with Store.open(fresh_url(disk)) as store:
        surface(store, entry(1))
        store._database.engine.dispose()  # no open file keeps the disk writable
        remount(disk, "ro")
        with pytest.raises(DatabaseUnavailable):
            surface(store, entry(2), product_key="2")
        remount(disk, "rw")
        assert surface(store, entry(2), product_key="2") is not None
