"""The service manager hears how the daemon is, over a real socket; and no sign of life once hunts are overdue."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from framework.errors import DatabaseUnavailable
from framework.health import Check, CheckStatus
from framework.systemd import ServiceManager
from scheduler import stay


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as opened:
        opened.bind(str(tmp_path / "notify"))
        opened.settimeout(30)
        yield opened


def _heard(listener: socket.socket) -> list[str]:
    return listener.recv(4096).decode().split("\n")


def _quiet(listener: socket.socket) -> bool:
    listener.setblocking(False)
    try:
        return not listener.recv(4096)
    except BlockingIOError:
        return True


class Hunts:
    """A health that says what it is told, and stops the wait after so many questions."""

    def __init__(self, answers: list[Check | Exception], stop: threading.Event) -> None:
        self._answers, self._stop = answers, stop

    def hunts(self) -> Check:
        answer = self._answers.pop(0)
        if not self._answers:
            self._stop.set()
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_readiness_life_and_the_end_are_told(listener: socket.socket) -> None:
    manager = ServiceManager.of({"NOTIFY_SOCKET": listener.getsockname()})
    manager.ready("dashboard at http://127.0.0.1:7860/")
    manager.alive("two\nlines")
    manager.stopping()
    assert _heard(listener) == ["READY=1", "STATUS=dashboard at http://127.0.0.1:7860/"]
    assert _heard(listener) == ["WATCHDOG=1", "STATUS=two lines"]
    assert _heard(listener) == ["STOPPING=1"]


@pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux's")
def test_an_abstract_socket_is_reached_too(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as opened:
        opened.bind(f"\0dealhound-{os.getpid()}")
        opened.settimeout(30)
        ServiceManager.of({"NOTIFY_SOCKET": f"@dealhound-{os.getpid()}"}).stopping()
        assert _heard(opened) == ["STOPPING=1"]


def test_signs_of_life_are_wanted_twice_per_period_and_of_this_process_only() -> None:
    assert ServiceManager.of({"WATCHDOG_USEC": "120000000"}).pause == 60
    assert ServiceManager.of({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": str(os.getpid())}).pause == 60
    for none in ({}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "x"}, {"WATCHDOG_USEC": "9", "WATCHDOG_PID": "1"}):
        assert ServiceManager.of(none).pause is None


def test_a_manager_that_does_not_listen_ends_nothing(tmp_path: Path) -> None:
    ServiceManager(str(tmp_path / "nobody")).ready("here")
    ServiceManager(None).ready("here")


def test_a_daemon_whose_hunts_are_overdue_gives_no_sign_of_life(listener: socket.socket) -> None:
    stop = threading.Event()
    fine = Check(name="hunts", status=CheckStatus.OK, detail="last activity just now")
    late = Check(name="hunts", status=CheckStatus.FAILED, detail="no hunt for 40 minutes")
    health = Hunts([fine, late, DatabaseUnavailable("locked"), late], stop)
    stay(stop, ServiceManager(listener.getsockname(), pause=0.01), health)  # type: ignore[arg-type]
    assert _heard(listener) == ["WATCHDOG=1", "STATUS=last activity just now"]
    assert _heard(listener) == ["WATCHDOG=1", "STATUS=locked"]
    assert _quiet(listener)
