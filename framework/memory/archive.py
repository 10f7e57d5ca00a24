"""Read a backup without trusting it: bounded in size, plain files only, every byte checked against its manifest."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import Any

from framework.errors import MemoryStoreError

MANIFEST = "MANIFEST.json"
DATABASE = "dealhound.db"
FORMAT = 1
_MAX_FILES = 10_000
_MAX_BYTES = 64 << 30
_MAX_MANIFEST = 16 << 20
_MAX_RATIO = 200  # unpacked to packed: our own backups stay below 20


class BackupError(MemoryStoreError):
    """A backup cannot be written, or a file is no sound backup; nothing was changed."""


def verify(archive: Path) -> dict[str, Any]:
    """Check a backup without restoring it; returns its manifest. Raises ``BackupError``."""
    with tempfile.TemporaryDirectory(prefix="dealhound-verify-") as folder:
        return unpack(archive, Path(folder))


def unpack(archive: Path, folder: Path) -> dict[str, Any]:
    """Unpack into an empty folder and check every file against the manifest, which is returned.

    Raises ``BackupError``; the folder may hold a part then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive, "r:gz") as packed:
            budget = min(_MAX_BYTES, archive.stat().st_size * _MAX_RATIO + _MAX_MANIFEST)
            for count, entry in enumerate(packed):
                budget -= entry.size
                if count >= _MAX_FILES or budget < 0:
                    raise BackupError(f"{archive} unpacks to more than a backup can hold; it is not used")
                _extract(packed, entry, folder)
    except FileNotFoundError as error:
        raise BackupError(f"There is no file {archive}") from error
    except (tarfile.TarError, EOFError, ValueError, OSError) as error:
        raise BackupError(f"{archive} is no whole .tar.gz file; nothing was changed") from error
    manifest = _manifest(archive, folder)
    _compare(archive, folder, manifest["files"])
    if f"state/{DATABASE}" in manifest["files"]:
        require_sound(folder / "state" / DATABASE)
    return manifest


def _extract(packed: tarfile.TarFile, entry: tarfile.TarInfo, folder: Path) -> None:
    """Write one plain file below ``folder``: no links, devices, absolute paths or ways out."""
    name = PurePosixPath(entry.name)
    if not entry.isreg() or name.is_absolute() or ".." in name.parts or "\\" in entry.name or not name.parts:
        raise BackupError(f"The backup holds {entry.name!r}, which no backup of Dealhound holds; it is not used")
    source = packed.extractfile(entry)
    target = folder.joinpath(*name.parts)
    if source is None or target.exists():
        raise BackupError(f"The backup holds {entry.name!r} twice; it is not used")
    target.parent.mkdir(parents=True, exist_ok=True)
    with source, target.open("xb") as file:
        shutil.copyfileobj(source, file)


def _manifest(archive: Path, folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError) as error:
        raise BackupError(f"{archive} is no backup of Dealhound: it has no {MANIFEST}") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise BackupError(f"{archive} is no backup of Dealhound: its {MANIFEST} is odd")
    if manifest.get("format") != FORMAT:
        raise BackupError(f"{archive} was made by another version of Dealhound (format {manifest.get('format')})")
    return manifest


def _compare(archive: Path, folder: Path, expected: dict[str, str]) -> None:
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} - {MANIFEST}
    if found != set(expected):
        raise BackupError(f"{archive} does not hold the files that its {MANIFEST} names; it is not used")
    for name, digest in expected.items():
        with (folder / name).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                raise BackupError(f"{name} in {archive} is damaged; nothing was changed")


def require_sound(database: Path) -> None:
    """Raise ``BackupError`` unless the file is a whole SQLite database with a schema of ours."""
    try:
        with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            answer = connection.execute("PRAGMA integrity_check").fetchone()
            revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise BackupError(f"The database in the backup is damaged: {error}") from error
    if answer != ("ok",) or revision is None:
        raise BackupError("The database in the backup is damaged or none of Dealhound's")
