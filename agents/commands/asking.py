"""``ask``: questions in plain words about deals, worth, feeds and verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from framework.errors import SettingsError

if TYPE_CHECKING:
    from agents.assemble import Hound
    from framework.chat.base import Message


def ask(hound: Hound, question: str, history: Sequence[Message] = ()) -> Iterator[str]:
    """The answer as it grows: each value is all of it so far.

    Raises ``SettingsError`` without a language model, ``ChatError`` when it cannot answer.
    """
    from agents.ask import Ask
    from agents.ask_tools import MemoryTools

    if hound.chat is None:
        raise SettingsError("ask needs a language model: set OPENAI_API_KEY or llm_base_url (docs/llm.md shows how)")
    yield from Ask(hound.chat, MemoryTools(hound.store, lambda text: _priced(hound, text))).stream(question, history)


def _priced(hound: Hound, text: str) -> dict[str, Any]:
    from agents.commands.pricing import price

    return next(iter(price(hound, [text], None)))
