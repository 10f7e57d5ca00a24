"""Backup and restore: the whole state while in use, without secrets, and safe against hostile archives."""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from framework.memory.archive import MANIFEST, BackupError, verify
from framework.memory.backup import load, save
from framework.memory.store import Store
from tests.framework.memory_examples import entry, fresh_url, surface


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    with Store.open(fresh_url(home)) as opened:
        yield opened


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "backup.tar.gz"


def pack(path: Path, files: dict[str, bytes], manifest: object = None, special: tarfile.TarInfo | None = None) -> Path:
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    written = {"format": 1, "files": digests} if manifest is None else manifest
    with tarfile.open(path, "w:gz") as packed:
        for name, content in {**files, MANIFEST: json.dumps(written).encode()}.items():
            item = tarfile.TarInfo(name)
            item.size = len(content)
            packed.addfile(item, io.BytesIO(content))
        if special is not None:
            packed.addfile(special)
    return path


def test_a_backup_restores_everything_elsewhere(tmp_path: Path, home: Path, store: Store, archive: Path) -> None:
    opportunity = surface(store, entry(1))
    (home / "memory.json").write_text("[]")
    (home / "state" / "catalogue").mkdir()
    (home / "state" / "catalogue" / "index.bin").write_bytes(b"\x01\x02")
    with sqlite3.connect(home / "state" / "catalogue" / "chroma.sqlite3") as other:
        other.execute("CREATE TABLE t (x)")
    save(store, home, archive)
    there = tmp_path / "there"
    assert load(archive, there) is None
    with Store.open(f"sqlite:///{there}/state/dealhound.db") as restored:
        assert [record.opportunity for record in restored.opportunities()] == [opportunity]
        assert len(restored.notifications()) == 1
    assert (there / "memory.json").read_text() == "[]"
    assert (there / "state" / "catalogue" / "index.bin").read_bytes() == b"\x01\x02"
    assert (there / "state" / "catalogue" / "chroma.sqlite3").stat().st_size > 0


def test_secrets_logs_and_locks_stay_out(home: Path, store: Store, archive: Path) -> None:
    (home / "dealhound.toml").write_text(
        'interval = 60\npushover_token = "hunter2"\napprise_urls = [\n  "ntfy://hunter2",\n]\ntimezone = "UTC"\n'
        'openai_api_key = """\nhunter2"""\nchroma_url = "http://deal:hunter2@chroma.example:8000"\n'
    )
    (home / ".env").write_text("OPENAI_API_KEY=hunter2")
    (home / "state" / "logs").mkdir()
    (home / "state" / "logs" / "dealhound.log").write_text("hunter2")
    (home / "state" / "dealhound.lock").write_text("1")
    save(store, home, archive)
    with tarfile.open(archive) as packed:
        names = packed.getnames()
        content = b"".join(file.read() for name in names if (file := packed.extractfile(name)))
    assert sorted(names) == [MANIFEST, "dealhound.toml", "state/dealhound.db"]
    assert b"hunter2" not in content
    assert b"interval = 60" in content
    assert b'timezone = "UTC"' in content


def test_a_backup_made_while_a_hunt_writes_is_whole(tmp_path: Path, home: Path, store: Store, archive: Path) -> None:
    done = threading.Event()

    def hunt() -> None:
        for number in range(20):
            surface(store, entry(number), product_key=str(number))
        done.set()

    hunting = threading.Thread(target=hunt)
    hunting.start()
    for _ in range(2):
        save(store, home, archive)
        assert "state/dealhound.db" in verify(archive)["files"]
    hunting.join()
    assert done.is_set()
    load(archive, tmp_path / "there")
    with Store.open(f"sqlite:///{tmp_path}/there/state/dealhound.db") as restored:
        assert restored.count_opportunities() == len(restored.notifications())


def test_restoring_keeps_the_old_state_and_the_settings_with_their_secrets(
    home: Path, store: Store, archive: Path
) -> None:
    surface(store, entry(1))
    save(store, home, archive)
    surface(store, entry(2), product_key="later")
    store.close()
    (home / "dealhound.toml").write_text('pushover_token = "hunter2"\n')
    old = load(archive, home)
    assert old is not None
    with Store.open(f"sqlite:///{old}/state/dealhound.db") as before:
        assert before.count_opportunities() == 2
    with Store.open(f"sqlite:///{home}/state/dealhound.db") as after:
        assert after.count_opportunities() == 1
    assert "hunter2" in (home / "dealhound.toml").read_text()


def test_a_target_inside_the_state_is_not_packed_into_itself(home: Path, store: Store) -> None:
    inside = home / "state" / "backup.tar.gz"
    for _ in range(2):
        assert list(save(store, home, inside)["files"]) == ["state/dealhound.db"]


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "state/../../evil", "a\\..\\evil"])
def test_a_way_out_of_the_folder_is_refused(tmp_path: Path, archive: Path, name: str) -> None:
    with pytest.raises(BackupError, match="evil"):
        load(pack(archive, {name: b"x"}), tmp_path / "deep" / "there")
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE])
def test_anything_but_plain_files_is_refused(tmp_path: Path, archive: Path, kind: bytes) -> None:
    special = tarfile.TarInfo("state/link")
    special.type, special.linkname = kind, "/etc/passwd"
    with pytest.raises(BackupError, match="link"):
        load(pack(archive, {}, special=special), tmp_path / "there")


def test_a_size_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, archive: Path) -> None:
    bomb = pack(archive, {"state/zeros": b"\0" * 30_000_000})
    assert bomb.stat().st_size < 200_000
    with pytest.raises(BackupError, match="more than a backup can hold"):
        load(bomb, tmp_path / "there")
    assert not list(tmp_path.rglob("zeros"))


@pytest.mark.parametrize(
    ("files", "manifest", "complaint"),
    [
        ({"memory.json": b"[]"}, {"format": 1, "files": {"memory.json": "0" * 64}}, "damaged"),
        ({"memory.json": b"[]"}, {"format": 1, "files": {}}, "does not hold"),
        ({}, {"format": 1, "files": {"memory.json": "0" * 64}}, "does not hold"),
        ({}, {"format": 99, "files": {}}, "another version"),
        ({}, [], "no backup"),
        ({"state/dealhound.db": b"no database"}, None, "damaged"),
    ],
)
def test_what_does_not_match_its_manifest_is_refused(
    tmp_path: Path, archive: Path, files: dict[str, bytes], manifest: object, complaint: str
) -> None:
    home = tmp_path / "there"
    home.mkdir()
    (home / "memory.json").write_text("mine")
    with pytest.raises(BackupError, match=complaint):
        load(pack(archive, files, manifest), home)
    assert (home / "memory.json").read_text() == "mine"
    assert [path.name for path in home.iterdir()] == ["memory.json"]


def test_a_missing_a_cut_and_a_foreign_file_are_named(tmp_path: Path, home: Path, store: Store, archive: Path) -> None:
    with pytest.raises(BackupError, match="There is no file"):
        verify(archive)
    save(store, home, archive)
    archive.write_bytes(archive.read_bytes()[:-2_000])
    with pytest.raises(BackupError, match="no whole"):
        verify(archive)
    archive.write_bytes(b"PK\x03\x04 something else")
    with pytest.raises(BackupError, match="no whole"):
        load(archive, tmp_path / "there")


def test_a_folder_that_cannot_be_written_is_named(home: Path, store: Store) -> None:
    (home / "file").write_text("")
    with pytest.raises(BackupError, match="cannot be written"):
        save(store, home, home / "file" / "backup.tar.gz")
