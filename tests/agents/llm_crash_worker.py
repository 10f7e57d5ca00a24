"""Reads eight entries with a language model on a real database; the test kills it in the middle."""

from __future__ import annotations

import sys

from agents.llm_reader import LlmReader
from framework.chat.budget import Budget
from framework.chat.client import Chat
from framework.chat.openai import OpenAIBackend
from framework.deals import Entry
from framework.memory.store import Store
from framework.reading.extractive import ExtractiveReader

ENTRIES = [
    Entry(
        id=f"e{n}", feed_url="http://f.test", url=f"http://s.test/{n}", title=f"Lumo Lamp number {n}", content="Glass."
    )
    for n in range(8)
]


def read(database: str, server: str) -> LlmReader:
    """Read all entries, two per call."""
    with Store.open(database) as store:
        chat = Chat(OpenAIBackend("scripted", base_url=server, timeout=20), Budget(store))
        reader = LlmReader(chat, ExtractiveReader(), store, batch=2)
        reader.read(ENTRIES, {})
        chat.close()
        return reader


if __name__ == "__main__":
    read(sys.argv[1], sys.argv[2])
