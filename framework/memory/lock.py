"""One daemon per state folder: an advisory lock that the kernel frees when its holder dies, however it dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

from framework.errors import AlreadyRunning, DatabaseUnavailable

LOCK_NAME = "dealhound.lock"


class HomeLock:
    """Held between ``acquire`` and ``release``, or inside a ``with`` block. The file stays and names the last holder.

    The file is never deleted: a process that waits on a deleted file would hold a lock that nobody else can see.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK_NAME
        self._file: int | None = None

    def acquire(self) -> None:
        """Take the lock. Raises ``AlreadyRunning`` (with the holder's pid) when another process, or another
        ``HomeLock`` of this one, has it, and ``DatabaseUnavailable`` when the folder cannot be written.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise DatabaseUnavailable(
                f"The state folder {self._path.parent} cannot be written ({error.strerror}): "
                "give this user the right to, or set DEALHOUND_HOME"
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _pid(os.read(file, 32))
            os.close(file)
            raise AlreadyRunning(holder, str(self._path.parent)) from None
        os.ftruncate(file, 0)
        os.write(file, f"{os.getpid()}\n".encode())
        self._file = file

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __enter__(self) -> HomeLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _pid(text: bytes) -> int | None:
    digits = text.strip()
    return int(digits) if digits.isdigit() else None
