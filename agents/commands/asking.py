"""``ask``: questions in plain words about deals, worth, feeds and verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from framework.errors import SettingsError

if TYPE_CHECKING:
    from agents.assemble import Hound
    from framework.chat.base import Message, Role
    from framework.chat.budget import Budget

_ROLES: tuple[Role, Role] = ("user", "assistant")


def ask(hound: Hound, question: str, history: Sequence[Message] = ()) -> Iterator[str]:
    """The answer as it grows: each value is all of it so far.

    Raises ``SettingsError`` without a language model, ``ChatError`` when it cannot answer.
    """
    from agents.ask import Ask
    from agents.ask_tools import MemoryTools

    if hound.chat is None:
        raise SettingsError("ask needs a language model: set OPENAI_API_KEY or llm_base_url (docs/llm.md shows how)")
    yield from Ask(hound.chat, MemoryTools(hound.store, lambda text: _priced(hound, text))).stream(question, history)


def conversation(hound: Hound) -> Callable[[str, Sequence[tuple[str, str]]], Iterator[str]] | None:
    """``ask`` with the (question, answer) turns before, for the dashboard; ``None`` without a language model."""
    from framework.chat.base import Message

    if hound.chat is None:
        return None

    def answer(question: str, turns: Sequence[tuple[str, str]]) -> Iterator[str]:
        history = [Message(role, said) for turn in turns for role, said in zip(_ROLES, turn, strict=True)]
        return ask(hound, question, history)

    return answer


def usage(hound: Hound) -> str | None:
    """What the language model has used today, and whether the day's budget is spent; ``None`` without a model."""
    if hound.chat is None:
        return None
    exhausted = hound.chat.budget.exhausted()
    spent = _spent(hound.chat.budget)
    return f"{spent} {exhausted}: until midnight Dealhound works without the model." if exhausted else spent


def _spent(budget: Budget) -> str:
    today, limits = budget.today(), budget.limits
    calls = "1 call" if today.calls == 1 else f"{today.calls:,} calls"
    limit = "" if limits.daily_tokens is None else f" (limit {limits.daily_tokens:,})"
    priced = None not in (limits.price_input, limits.price_output)
    cost = f"${today.usd:,.4f}" if priced else "cost unknown (set llm_price_input and llm_price_output)"
    return f"Today: {calls}, {today.tokens_in:,} tokens in and {today.tokens_out:,} out{limit}, {cost}."


def _priced(hound: Hound, text: str) -> dict[str, Any]:
    from agents.commands.pricing import price

    return next(iter(price(hound, [text], None)))
