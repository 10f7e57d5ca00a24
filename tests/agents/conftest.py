"""Entries and a chat with a scripted model, for the tests of the agents that talk to one."""

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
def connect(ledger: Ledger) -> Iterator[Callable[..., Chat]]:
    """A chat with a server, without real pauses."""
    chats: list[Chat] = []

    def connected(server: ScriptedServer, *, limits: Limits = NO_LIMITS, **guard: Any) -> Chat:
        backend = OpenAIBackend("scripted", base_url=server.url, api_key="sk-secret-123456", timeout=10)
        guard.setdefault("sleep", lambda _: None)
        chats.append(Chat(backend, Budget(ledger, limits), Guard("scripted", **guard)))
        return chats[-1]

    yield connected
    for chat in chats:
        chat.close()
