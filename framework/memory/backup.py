"""Back up and restore the whole state, while the daemon runs.

A backup is one ``.tar.gz``: a consistent copy of the SQLite database (``VACUUM INTO``), ``memory.json``, the settings
(``dealhound.toml`` without what may be secret), the state folder's other files such as the catalogue, and
``MANIFEST.json`` with the SHA-256 of each. Keys, logs, locks and hidden files stay out. A restore verifies everything
in a new folder before it replaces anything (see ``archive.py``), and keeps what was there under another name.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from framework.errors import DatabaseUnavailable
from framework.memory.archive import DATABASE, FORMAT, MANIFEST, BackupError, require_sound, unpack
from framework.memory.store import Store

_LEFT_OUT = re.compile(r"(^|/)(logs|tmp|pictures)/|(^|/)\.|\.(lock|tmp|log|db|key)$|-(wal|shm|journal)$")
_SECRET_NAME = re.compile(r"key|token|password|secret|user|url|proxy", re.IGNORECASE)
_PUBLIC_NAMES = {"pushover_url", "llm_base_url", "chroma_url"}


def save(store: Store, home: Path, target: Path) -> dict[str, Any]:
    """Write the whole state to ``target`` while it is in use; returns the manifest.

    A PostgreSQL database is not in the backup: it has its own tool, ``pg_dump`` (the manifest says so). Raises
    ``BackupError`` when the file cannot be written; an older one is whole then.
    """
    target = target.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=target.parent) as folder:
            draft = Path(folder) / "backup.tar.gz"
            manifest = _pack(store, home, Path(folder), draft, target)
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            os.replace(draft, target)
    except OSError as error:
        raise BackupError(f"The backup {target} cannot be written: {error.strerror}") from error
    return manifest


def load(archive: Path, home: Path) -> Path | None:
    """Replace the state by a backup; returns where the old state was put (``None``: there was none).

    The daemon must not run (the caller holds ``HomeLock``), and no store be open on this state. Nothing is touched
    before the whole backup is unpacked and verified. Raises ``BackupError``.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=home) as folder:
            fresh = Path(folder) / "fresh"
            unpack(archive, fresh)
            return _exchange(fresh, home)
    except OSError as error:
        raise BackupError(f"The state in {home} cannot be replaced: {error.strerror}") from error


def _pack(store: Store, home: Path, folder: Path, draft: Path, target: Path) -> dict[str, Any]:
    copy = folder / DATABASE
    try:
        included = store.copy_to(copy)
    except DatabaseUnavailable as error:
        raise BackupError(f"The backup cannot be written: {error}") from error
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "created": datetime.now(UTC).isoformat(),
        "database": "included" if included else "not included: it is no SQLite file, use its own tool (pg_dump)",
        "files": {},
    }
    with tarfile.open(draft, "w:gz", compresslevel=6) as archive:
        if included:
            require_sound(copy)
            _add(archive, manifest, f"state/{DATABASE}", copy)
        for name, path in _state_files(home, target):
            _add(archive, manifest, name, _steady(path, folder))
        settings = home / "dealhound.toml"
        if settings.is_file():
            cleaned = folder / "dealhound.toml"
            cleaned.write_text(_without_secrets(settings.read_text(encoding="utf-8")), encoding="utf-8")
            _add(archive, manifest, "dealhound.toml", cleaned)
        content = json.dumps(manifest, indent=1).encode()
        head = tarfile.TarInfo(MANIFEST)
        head.size = len(content)
        archive.addfile(head, io.BytesIO(content))
    return manifest


def _steady(path: Path, folder: Path) -> Path:
    """A copy that nobody writes to; an SQLite file of another program (the catalogue's) is copied consistently."""
    copy = folder / "steady"
    copy.unlink(missing_ok=True)
    if path.suffix != ".sqlite3":
        return Path(shutil.copyfile(path, copy))
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
    except sqlite3.Error as error:
        raise BackupError(f"{path} cannot be copied: {error}") from error
    return copy


def _state_files(home: Path, target: Path) -> Iterator[tuple[str, Path]]:
    """The files to save by their name in the archive. Those of SQLite last: an index that is a little older than its
    database is brought up to date from it, the other way round it could not.
    """
    found = [home / "memory.json", *(home / "state").rglob("*")]
    plain = [path for path in found if path.is_file() and not path.is_symlink() and path.resolve() != target]
    for path in sorted(plain, key=lambda path: (path.suffix == ".sqlite3", path)):
        name = path.relative_to(home).as_posix()
        if not _LEFT_OUT.search(name):
            yield name, path


def _without_secrets(toml: str) -> str:
    """The settings without any line that may hold a secret (also a value that goes on over several lines)."""
    kept = tomllib.loads(toml)
    names = [
        name
        for name, value in kept.items()
        if not _SECRET_NAME.search(name) or (name in _PUBLIC_NAMES and "@" not in str(value))
    ]
    lines, keep = [], True
    for line in toml.splitlines(keepends=True):
        starts = re.match(r"\s*\"?(\w+)\"?\s*=", line)
        if starts and starts[1] in kept:
            keep = starts[1] in names
        if keep:
            lines.append(line)
        elif starts:
            lines.append(f"# {starts[1]} was left out of the backup: it may hold a secret\n")
    return "".join(lines)


def _add(archive: tarfile.TarFile, manifest: dict[str, Any], name: str, path: Path) -> None:
    with path.open("rb") as file:
        manifest["files"][name] = hashlib.file_digest(file, "sha256").hexdigest()
    archive.add(path, name, recursive=False, filter=_anonymous)


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o644
    return entry


def _exchange(fresh: Path, home: Path) -> Path | None:
    """Put the unpacked files in place by renaming, the old ones into one folder beside them."""
    old = home / f"state.before-{datetime.now(UTC).strftime('%Y%m%dT%H%M%S%f')}"
    for name in ("state", "memory.json"):
        if (fresh / name).exists():
            if (home / name).exists():
                old.mkdir(exist_ok=True)
                os.replace(home / name, old / name)
            os.replace(fresh / name, home / name)
    settings = home / "dealhound.toml"
    if (fresh / "dealhound.toml").exists() and not settings.exists():  # the one in use has the secrets
        os.replace(fresh / "dealhound.toml", settings)
    return old if old.exists() else None
