"""The conversation with Dealhound. A model's words are text: nothing in them becomes markup but plain web links."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from framework.views.markup import Child, Html, empty, link, tag

_LINK = re.compile(r"\[([^\[\]]*)\]\((https?://[^\s()]+)\)|(https?://[^\s<>()\[\]\"']*[^\s<>()\[\]\"'.,;:!?])")


@dataclass(frozen=True)
class Turn:
    """One question and the answer to it so far; ``failed``: the answer is a sentence on why there is none."""

    question: str
    answer: str = ""
    failed: bool = False


def conversation(turns: Sequence[Turn]) -> Html:
    """All turns, the newest last; or what could be asked."""
    if not turns:
        return empty("Ask about your deals", "Such as: what was the best find this week? What is a Kindle worth?")
    return tag("ol", [_turn(turn) for turn in turns], class_="dh-talk", aria_label="Conversation", aria_live="polite")


def nobody_to_ask() -> Html:
    """What stands in the tab without a language model."""
    return empty(
        "Asking needs a language model",
        "Set ",
        tag("code", "OPENAI_API_KEY"),
        ", or ",
        tag("code", "DEALHOUND_LLM_BASE_URL"),
        " for a server of your own (docs/llm.md shows how), and restart. Everything else works without one.",
    )


def _turn(turn: Turn) -> Html:
    answer = tag("p", turn.answer, class_="dh-problem", role="alert") if turn.failed else _answer(turn.answer)
    return tag("li", tag("p", turn.question, class_="dh-asked"), answer)


def _answer(words: str) -> Html:
    return tag("p", list(_linked(words)) or "…", class_="dh-answer")


def _linked(words: str) -> Iterator[Child]:
    """The words, with Markdown links and bare web addresses as links."""
    end = 0
    for match in _LINK.finditer(words):
        yield words[end : match.start()]
        url = match[2] or match[3]
        yield link(url, match[1] or url)
        end = match.end()
    yield words[end:]
