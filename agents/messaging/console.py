"""The console as a channel: what a machine without any key still shows."""

from __future__ import annotations

import sys
from typing import TextIO

from agents.messaging.base import Message, Receipt
from agents.messaging.limits import plain
from framework.errors import DeliveryDelayed


class ConsoleNotifier:
    """Writes messages to a stream; standard error by default, since standard output belongs to ``--json``."""

    channel = "console"

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def send(self, message: Message) -> Receipt:
        """Write the message; raise ``DeliveryDelayed`` when the stream cannot take it."""
        lines = [plain(message.title), *(f"  {plain(line)}" for line in message.text.splitlines())]
        if message.url:
            lines.append(f"  {plain(message.url)}")
        stream = self._stream or sys.stderr
        try:
            stream.write("\n".join(lines) + "\n")
            stream.flush()
        except (OSError, ValueError) as error:  # a closed pipe, a closed stream
            raise DeliveryDelayed(self.channel, "The console cannot be written to") from error
        return Receipt(detail="shown")
