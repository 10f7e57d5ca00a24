"""Tells systemd how the daemon is, where systemd started it: ready, alive, stopping.

The protocol is a line or several in one datagram to the socket that NOTIFY_SOCKET names
(https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html). Without that variable nothing is sent.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

import structlog

_log = structlog.get_logger("dealhound").bind(agent="scheduler")


class ServiceManager:
    """Where to report to; ``pause`` is the time between two signs of life in seconds, ``None`` for none."""

    def __init__(self, address: str | None, pause: float | None = None) -> None:
        self._address = "\0" + address[1:] if address and address.startswith("@") else address  # an abstract socket
        self.pause = pause

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> ServiceManager:
        """The one that started this process. Signs of life are wanted twice per WATCHDOG_USEC."""
        wanted = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        microseconds = environ.get("WATCHDOG_USEC", "")
        pause = int(microseconds) / 2e6 if wanted and microseconds.isdecimal() else None
        return cls(environ.get("NOTIFY_SOCKET") or None, pause or None)

    def ready(self, status: str) -> None:
        """The daemon has started."""
        self._tell("READY=1", f"STATUS={status}")

    def alive(self, status: str) -> None:
        """The daemon does its work."""
        self._tell("WATCHDOG=1", f"STATUS={status}")

    def stopping(self) -> None:
        """The daemon ends because it was told to."""
        self._tell("STOPPING=1")

    def _tell(self, *lines: str) -> None:
        if self._address is None:
            return
        message = "\n".join(line.replace("\n", " ") for line in lines)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
                channel.connect(self._address)
                channel.sendall(message.encode())
        except OSError as error:  # the daemon must not end because nobody listens
            _log.warning("systemd cannot be told", error=str(error))
