"""The deals' pictures: fetched by the daemon through the guarded client, kept small on disk, served from here.

The page names no foreign address, so a shop learns nothing of who looks at its deals, and when. A page asks for nothing
that is not here yet: missing pictures are fetched in the background, one at a time, and shown with the next refresh.
"""

from __future__ import annotations

import hashlib
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from framework.errors import DealhoundError
from framework.thumbnail import thumbnail

Fetch = Callable[[str], bytes]

_MOST_KEPT = 3_000  # about 30 MB
_MOST_WAITING = 100
_MOST_REFUSED = 2_000
_TRY_AGAIN = 6 * 3600.0  # seconds

log = structlog.get_logger("pictures")


class Pictures:
    """The pictures in one folder. Safe to use from several threads; ``fetch`` raises ``DealhoundError``."""

    def __init__(self, folder: Path, fetch: Fetch | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._fetch, self._clock = folder, fetch, clock
        self._lock = threading.Lock()
        self._waiting: queue.Queue[str] = queue.Queue(_MOST_WAITING)
        self._asked: set[str] = set()
        self._refused: dict[str, float] = {}  # by address, when it may be tried again
        self._worker: threading.Thread | None = None

    def have(self, url: str) -> bool:
        """Whether the picture of this address can be shown now; else it is fetched, unless that failed lately."""
        if self._path(url).exists():
            return True
        if self._fetch is not None:
            self._ask(url)
        return False

    def read(self, url: str) -> bytes | None:
        """The picture as WebP, ``None`` while there is none."""
        try:
            return self._path(url).read_bytes()
        except FileNotFoundError:
            return None

    def wait(self) -> None:
        """Wait until nothing is left to fetch."""
        self._waiting.join()

    def _path(self, url: str) -> Path:
        return self._folder / f"{hashlib.sha256(url.encode()).hexdigest()[:40]}.webp"

    def _ask(self, url: str) -> None:
        with self._lock:
            if url in self._asked or self._refused.get(url, 0.0) > self._clock():
                return
            try:
                self._waiting.put_nowait(url)
            except queue.Full:  # asked for again with the next refresh
                return
            self._asked.add(url)
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="pictures", daemon=True)
                self._worker.start()

    def _work(self) -> None:
        while True:
            url = self._waiting.get()
            try:
                kept = self._bring(url)
                with self._lock:
                    self._asked.discard(url)
                    if not kept:
                        self._refuse(url)
            finally:
                self._waiting.task_done()

    def _bring(self, url: str) -> bool:
        assert self._fetch is not None  # noqa: S101 - nothing is asked for without it
        try:
            small = thumbnail(self._fetch(url))
            if small is None:
                log.info("picture_unusable", url=url)
                return False
            self._keep(self._path(url), small)
        except (DealhoundError, OSError) as error:
            log.info("picture_missing", url=url, error=str(error))
            return False
        return True

    def _keep(self, path: Path, picture: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".tmp")
        draft.write_bytes(picture)
        draft.replace(path)
        kept = sorted(self._folder.glob("*.webp"), key=lambda file: file.stat().st_mtime)
        for oldest in kept[:-_MOST_KEPT]:
            oldest.unlink(missing_ok=True)

    def _refuse(self, url: str) -> None:
        if len(self._refused) >= _MOST_REFUSED:
            self._refused.clear()
        self._refused[url] = self._clock() + _TRY_AGAIN
