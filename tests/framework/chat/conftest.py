"""A chat with a scripted server, without real pauses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from framework.chat.budget import Budget, Limits
from framework.chat.client import Chat
from framework.chat.guard import Guard
from framework.chat.openai import OpenAIBackend
from tests.fakes.ledger import Ledger
from tests.fakes.openai_server import ScriptedServer

NO_LIMITS = Limits()


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def pauses() -> list[float]:
    """What was slept between tries."""
    return []


@pytest.fixture
def connect(ledger: Ledger, pauses: list[float]) -> Iterator[Callable[..., Chat]]:
    """A chat with a server; ``limits`` and ``timeout`` as needed."""

    chats: list[Chat] = []

    def connected(server: ScriptedServer, *, limits: Limits = NO_LIMITS, timeout: float = 10.0, **guard: Any) -> Chat:
        backend = OpenAIBackend("scripted", base_url=server.url, api_key="sk-secret-123456", timeout=timeout)
        chats.append(Chat(backend, Budget(ledger, limits), Guard("scripted", sleep=pauses.append, **guard)))
        return chats[-1]

    yield connected
    for chat in chats:
        chat.close()
