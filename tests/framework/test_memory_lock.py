"""One daemon per state folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from framework.errors import AlreadyRunning, DatabaseUnavailable
from framework.memory.lock import LOCK_NAME, HomeLock

HOLD = """
import sys
from pathlib import Path
from framework.memory.lock import HomeLock
with HomeLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_daemon_is_told_which_process_holds_the_state(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(AlreadyRunning) as caught:
            HomeLock(tmp_path).acquire()
        assert caught.value.pid == holder.pid
        assert str(tmp_path) in str(caught.value)
        holder.kill()
    with HomeLock(tmp_path):
        assert (tmp_path / LOCK_NAME).read_text().strip() == str(os.getpid())


def test_it_can_be_taken_again_after_it_was_given_back(tmp_path: Path) -> None:
    lock = HomeLock(tmp_path)
    for _ in range(2):
        with lock, pytest.raises(AlreadyRunning):
            HomeLock(tmp_path).acquire()
    lock.release()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseUnavailable, match="file"):
        HomeLock(tmp_path / "file" / "state").acquire()
