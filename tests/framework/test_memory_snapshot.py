"""memory.json: whole at every moment, current, readable by the reference, and never overwritten unread."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from framework.errors import SnapshotError
from framework.memory import snapshot as module
from framework.memory.snapshot import Snapshot
from framework.memory.store import Store
from tests.framework.memory_examples import START, FixedClock, entry, fresh_url, surface

PLAIN = {
    "deal": {"product_description": "A 55 inch TV. It has HDR.", "price": 199.5, "url": "https://a.example/tv"},
    "estimate": 400.0,
    "discount": 200.5,
}


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    with Store.open(database_url, clock=FixedClock()) as opened:
        yield opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "memory.json"


@pytest.fixture
def snapshot(store: Store, path: Path) -> Snapshot:
    return Snapshot(path, store, clock=FixedClock())


def test_the_file_shows_every_opportunity_newest_last_with_the_references_keys(
    store: Store, snapshot: Snapshot, path: Path
) -> None:
    surface(store, entry(1), product_key="a")
    surface(store, entry(2), "21.00", product_key="b")
    assert snapshot.write()
    first, last = json.loads(path.read_text())
    assert first["deal"]["url"] == "https://deals.example/1"
    assert last["deal"] == {
        "product_description": "Steel kettle, 1.7 litres",
        "price": 21.0,
        "url": "https://deals.example/2",
    }
    assert (last["estimate"], last["discount"]) == (60.0, 40.0)


def test_it_is_rewritten_only_when_something_changed(store: Store, snapshot: Snapshot, path: Path) -> None:
    assert snapshot.write()
    assert json.loads(path.read_text()) == []
    assert not snapshot.write()
    surface(store, entry(1))
    assert snapshot.write()
    assert not snapshot.write()
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_an_empty_database_is_filled_from_the_references_plain_format(
    store: Store, snapshot: Snapshot, path: Path
) -> None:
    path.write_text(json.dumps([PLAIN]))
    assert snapshot.load() == 1
    (record,) = store.opportunities()
    opportunity = record.opportunity
    assert opportunity.deal.title == "A 55 inch TV"
    assert float(opportunity.deal.price.amount) == 199.5
    assert (float(opportunity.valuation.value), opportunity.judgement.discount) == (400.0, 200.5)
    assert snapshot.load() == 0


def test_our_own_file_fills_another_database(tmp_path: Path, store: Store, snapshot: Snapshot, path: Path) -> None:
    opportunity = surface(store, entry(1))
    snapshot.write()
    with Store.open(fresh_url(tmp_path / "other")) as other:
        assert Snapshot(path, other).load() == 1
        assert [record.opportunity for record in other.opportunities()] == [opportunity]
        assert other.notifications() == []


@pytest.mark.parametrize(
    "broken", [b"", b'[{"deal": {"prod', b"\x00" * 100, b'{"not": "a list"}', b"\xff\xfe[", b"[" * 100_000]
)
def test_a_file_that_cannot_be_read_is_set_aside_and_kept(snapshot: Snapshot, path: Path, broken: bytes) -> None:
    path.write_bytes(broken)
    assert snapshot.load() == 0
    (aside,) = path.parent.glob("memory.unreadable-*.json")
    assert aside.read_bytes() == broken
    assert snapshot.write()
    assert json.loads(path.read_text()) == []


def test_odd_items_are_kept_aside_and_the_good_ones_taken_in(store: Store, snapshot: Snapshot, path: Path) -> None:
    free = {**PLAIN, "deal": {**PLAIN["deal"], "price": 0}}
    path.write_text(json.dumps([PLAIN, free, 7, None, {"deal": {}}]))
    assert snapshot.load() == 1
    (aside,) = path.parent.glob("memory.unreadable-*.json")
    assert len(json.loads(aside.read_text())) == 5


def test_what_was_added_to_the_file_by_hand_is_taken_in_before_it_is_rewritten(
    store: Store, snapshot: Snapshot, path: Path
) -> None:
    surface(store, entry(1))
    snapshot.write()
    path.write_text(json.dumps([*json.loads(path.read_text()), PLAIN]))
    surface(store, entry(2), product_key="another")
    assert snapshot.write()
    assert len(json.loads(path.read_text())) == 3


def test_a_crash_while_writing_leaves_the_old_file_whole(
    store: Store, snapshot: Snapshot, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    surface(store, entry(1))
    snapshot.write()
    before = path.read_bytes()
    surface(store, entry(2), product_key="another")

    def no_space(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(SnapshotError, match="No space left"):
        snapshot.write()
    assert path.read_bytes() == before
    assert list(path.parent.glob(".memory-*")) == []
    monkeypatch.undo()
    assert snapshot.write()


def test_what_a_killed_process_left_behind_is_swept_up(snapshot: Snapshot, path: Path) -> None:
    left = path.parent / ".memory-abc.tmp"
    left.write_text("[")
    os.utime(left, (0, 0))
    snapshot.write()
    assert not left.exists()


def test_a_missing_file_is_no_fault(store: Store, snapshot: Snapshot, path: Path) -> None:
    assert snapshot.load() == 0
    with pytest.raises(FileNotFoundError):
        module.read(path, START)


def test_two_files_of_one_memory_do_not_take_each_other_for_edited(
    store: Store, snapshot: Snapshot, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    surface(store, entry(1), product_key="a")
    other = Snapshot(tmp_path / "elsewhere" / "memory.json", store, clock=FixedClock())
    assert snapshot.write()
    surface(store, entry(2), product_key="b")
    assert other.write()
    monkeypatch.setattr(module, "read", lambda *_: pytest.fail("our own file was read again"))
    assert snapshot.write()
    assert not other.write()
    assert path.read_bytes() == (tmp_path / "elsewhere" / "memory.json").read_bytes()
