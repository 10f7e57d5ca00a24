"""The owner's conversation on the page: each question is asked with the turns before it, and answered as it grows."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import structlog

from framework.errors import DealhoundError
from framework.views.ask import Turn
from framework.web.context import AskModel

_MOST_TURNS = 30  # kept on the page
_PAUSE = 0.1  # seconds between two pictures of a growing answer: a model is faster than the eye

log = structlog.get_logger("dashboard")


def talk(ask: AskModel, question: str, before: Sequence[Turn]) -> Iterator[list[Turn]]:
    """The conversation with ``question`` added, again and again while its answer grows.

    What keeps the model from answering is the turn's text then, and no part of what later questions are asked with.
    """
    question = question.strip()
    turns = list(before)[-(_MOST_TURNS - 1) :]
    if not question:
        yield turns
        return
    yield [*turns, Turn(question)]
    text, shown = "", 0.0
    try:
        for text in ask(question, [(turn.question, turn.answer) for turn in turns if not turn.failed]):
            if time.monotonic() - shown >= _PAUSE:
                yield [*turns, Turn(question, text)]
                shown = time.monotonic()
    except DealhoundError as error:
        log.warning("ask_failed", error=str(error))
        yield [*turns, Turn(question, str(error), failed=True)]
    else:
        yield [*turns, Turn(question, text)]
