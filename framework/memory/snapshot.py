"""``memory.json``: every surfaced opportunity in the open, newest last.

The database is the truth, the file its readable copy, written after each hunt that changed something: a temporary
file in the same folder, fsync, rename, fsync of the folder, so that a crash at any moment leaves the old file or the
new one, whole. What stands in the file and is not ours (dropped in, or edited) is taken in before it is overwritten;
what cannot be read is set aside under another name, never overwritten.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import structlog

from framework.deals import Opportunity
from framework.errors import SnapshotError
from framework.memory.base import Clock, utc_now
from framework.memory.snapshot_format import from_json, to_json
from framework.memory.state import OPPORTUNITIES_VERSION
from framework.memory.store import Store

SET_ASIDE = "snapshot.set_aside"  # {"reason": ..., "kept_as": ..., "at": ...}, until its owner was told
_WRITTEN = "snapshot.written"  # of each file: {"version": ..., "sha256": ...} as we left it
_MAX_BYTES = 2 << 30
_STALE_SECONDS = 600

log = structlog.get_logger("dealhound.memory")


class Snapshot:
    """The file at ``path`` beside one store. Use it from one thread."""

    def __init__(self, path: Path, store: Store, *, clock: Clock = utc_now) -> None:
        self._path = path
        self._store = store
        # Several daemons on one database have a file each, on one machine or on several.
        place = f"{socket.gethostname()}:{path.absolute()}"
        self._written = f"{_WRITTEN}.{hashlib.sha256(place.encode()).hexdigest()[:16]}"
        self._clock = clock

    def load(self) -> int:
        """Take in what the file holds and the database does not know; returns how many opportunities that were.

        Meant for the start: an empty database is filled from the file. A corrupt or half-written file is set aside.
        """
        if self._is_ours():
            return 0
        try:
            found, odd = read(self._path, self._clock())
        except FileNotFoundError:
            return 0
        except SnapshotError as error:
            self._set_aside(str(error))
            return 0
        added = self._store.import_opportunities(found)
        if odd:
            self._set_aside(f"memory.json has {odd} items that are no opportunities.")
        if added:
            log.info("memory.json read", path=str(self._path), added=added)
        return added

    def write(self) -> bool:
        """Bring the file up to date; False when it was so already.

        Raises ``SnapshotError`` when it cannot be written; the old file is whole then.
        """
        version = self._store.get_state(OPPORTUNITIES_VERSION, 0)
        written = self._store.get_state(self._written) or {}
        if written.get("version") == version and self._is_ours():
            return False
        self.load()
        version = self._store.get_state(OPPORTUNITIES_VERSION, 0)
        try:
            digest = _replace(self._path, self._store.all_opportunities_json())
        except OSError as error:
            raise SnapshotError(
                str(self._path), f"memory.json cannot be written ({error.strerror}); the old one is whole"
            ) from error
        self._store.set_state(self._written, {"version": version, "sha256": digest})
        return True

    def _is_ours(self) -> bool:
        """Whether the file is, byte by byte, the one last written."""
        written = self._store.get_state(self._written)
        try:
            with self._path.open("rb") as file:
                return written is not None and hashlib.file_digest(file, "sha256").hexdigest() == written["sha256"]
        except OSError:
            return False

    def _set_aside(self, reason: str) -> None:
        stamp = self._clock().strftime("%Y%m%dT%H%M%S%f")
        aside = self._path.with_name(f"{self._path.stem}.unreadable-{stamp}{self._path.suffix}")
        try:
            os.rename(self._path, aside)
        except OSError as error:
            raise SnapshotError(str(self._path), f"{reason} It cannot be moved away: {error.strerror}") from error
        said = {"reason": reason, "kept_as": aside.name, "at": stamp}
        self._store.set_state(SET_ASIDE, said)
        log.warning("memory.json set aside", path=str(self._path), kept_as=str(aside), reason=reason)


def read(path: Path, now: datetime) -> tuple[list[Opportunity], int]:
    """The opportunities in a ``memory.json``, ours or in the reference's plain format, and how many items are neither.

    Raises ``SnapshotError`` when the file is no list in JSON, ``FileNotFoundError`` when there is none.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise SnapshotError(str(path), "memory.json is larger than 2 GiB.")
        items: Any = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise
    except OSError as error:
        raise SnapshotError(str(path), f"memory.json cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise SnapshotError(str(path), "memory.json is damaged or half-written: it is no JSON.") from error
    if not isinstance(items, list):
        raise SnapshotError(str(path), "memory.json is no list of opportunities.")
    found = [opportunity for item in items if (opportunity := from_json(item, now)) is not None]
    return found, len(items) - len(found)


def _replace(path: Path, opportunities: Iterator[dict[str, Any]]) -> str:
    """Write the list to a temporary file and move it into place; returns its SHA-256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path.parent)
    descriptor, name = tempfile.mkstemp(prefix=".memory-", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            digest = _write_list(file, opportunities)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return digest


def _sweep(folder: Path) -> None:
    """Remove temporary files that a killed process left behind."""
    for left in folder.glob(".memory-*.tmp"):
        if time.time() - left.stat().st_mtime > _STALE_SECONDS:
            left.unlink(missing_ok=True)


def _write_list(file: IO[bytes], opportunities: Iterator[dict[str, Any]]) -> str:
    """One opportunity per line, so that the file can be read and compared by people."""
    digest = hashlib.sha256()
    lead = b"[\n"
    for opportunity in opportunities:
        piece = lead + json.dumps(to_json(opportunity), ensure_ascii=False).encode()
        digest.update(piece)
        file.write(piece)
        lead = b",\n"
    ending = b"[]\n" if lead == b"[\n" else b"\n]\n"
    digest.update(ending)
    file.write(ending)
    return digest.hexdigest()
