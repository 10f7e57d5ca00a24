"""Ask Dealhound: the owner asks in plain words, a language model answers with tools that only read.

What the tools return holds text of the web, so the answer may be anything that a web page wants; therefore no tool can
change or send anything, and ``harmless`` takes out of the answer what a browser would load or run: images, HTML, and
links to addresses that no tool returned.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Protocol

from pydantic import Field

from agents.prompts import ASK
from agents.screen import speaks_to_machines
from agents.tool_loop import Action, Arguments, Toolbox
from framework.agent import Agent
from framework.chat.base import Completion, Message
from framework.chat.client import Chat

_MOST_TURNS = 6
_MOST_HISTORY = 20
_LONGEST_QUESTION = 4_000
_LINK = re.compile(r"!?\[([^\]]*)\]\(\s*<?([^)\s>]*)[^)]*\)|<?\bhttps?://[^\s<>\")\]]+>?", re.IGNORECASE)
_TAG = re.compile(r"<(?=[A-Za-z/!?])")


class AskTools(Protocol):
    """What can be asked, read-only. Values are plain data (dicts, lists, text, numbers)."""

    def opportunities(self, search: str | None, limit: int) -> list[dict[str, Any]]:
        """Surfaced opportunities, newest first: title, price, worth, range, url, when."""
        ...

    def price(self, text: str) -> dict[str, Any]:
        """What a product is worth, with range, members and similar products."""
        ...

    def feeds(self) -> list[dict[str, Any]]:
        """The feeds and their health."""
        ...

    def explain(self, search: str) -> list[dict[str, Any]]:
        """Entries whose title matches, with verdict and reason, and the valuation where there is one."""
        ...


class _Search(Arguments):
    search: Annotated[str | None, Field(max_length=200, description="Words of the title, or null for the newest.")]
    limit: Annotated[int, Field(ge=1, le=20, description="How many at most.")]


class _Product(Arguments):
    text: Annotated[str, Field(min_length=1, max_length=1_000, description="The product: brand, model, what it is.")]


class _Nothing(Arguments):
    pass


class _Title(Arguments):
    search: Annotated[str, Field(min_length=1, max_length=200, description="Words of the entry's title.")]


class Ask(Agent):
    """Answers the owner's questions. Raises ``ChatError`` when the model cannot answer."""

    name = "ask"

    def __init__(self, chat: Chat, tools: AskTools) -> None:
        super().__init__()
        self._chat, self._tools = chat, tools

    def answer(self, question: str, history: Sequence[Message] = ()) -> str:
        """The whole answer."""
        *_, whole = self.stream(question, history)
        return whole

    def stream(self, question: str, history: Sequence[Message] = ()) -> Iterator[str]:
        """The answer as it grows: each value is all of it so far, made harmless. ``history`` is of earlier turns."""
        toolbox = Toolbox(self._actions())
        talk = [Message("system", ASK.system), *list(history)[-_MOST_HISTORY:]]
        talk.append(Message("user", question[:_LONGEST_QUESTION]))
        self.log.info("asked", question=question[:500])
        known: set[str] = set()
        for turn in range(_MOST_TURNS):
            tools = toolbox.tools if turn < _MOST_TURNS - 1 else ()  # the last turn must answer
            text, reply = "", Completion("")
            for piece in self._chat.stream(talk, tools, purpose="ask"):
                if isinstance(piece, Completion):
                    reply = piece
                else:
                    text += piece
                    yield harmless(text, known)
            if not reply.tool_calls:
                yield harmless(reply.text, known)
                return
            talk.append(Message("assistant", reply.text, tool_calls=reply.tool_calls))
            for call in reply.tool_calls:
                answer = toolbox.answer(call)
                talk.append(answer)
                known |= _urls(answer.content)
                self.log.info(
                    "tool answered", tool=call.name, arguments=call.arguments[:300], characters=len(answer.content)
                )
        yield "I could not find an answer within the turns that I have."

    def _actions(self) -> list[Action]:
        return [
            Action(
                "find_opportunities",
                "Bargains found so far.",
                _Search,
                lambda a: _screened(self._tools.opportunities(a.search, a.limit)),
            ),
            Action(
                "price_product",
                "Estimate what a product is worth.",
                _Product,
                lambda a: _screened(self._tools.price(a.text)),
            ),
            Action(
                "list_feeds", "The feeds that are watched and how they do.", _Nothing, lambda _: self._tools.feeds()
            ),
            Action(
                "explain_verdict",
                "Why an entry was or was not an opportunity.",
                _Title,
                lambda a: _screened(self._tools.explain(a.search)),
            ),
        ]


def harmless(text: str, known: set[str]) -> str:
    """Markdown that loads and runs nothing: images become their text, foreign links and tags become plain words."""

    def plain(match: re.Match[str]) -> str:
        words, target = match[1], match[2] if match[1] is not None else match[0].strip("<>")
        if target.rstrip(".,;:!?") in known:
            return match[0].lstrip("!")
        return f"{words} (link left out)" if words else "(link left out)"

    return _TAG.sub("‹", _LINK.sub(plain, text))


def _urls(result: str) -> set[str]:
    """The addresses in the ``url`` fields of a tool's result: ours, from our records."""
    found: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            found.update(value for key, value in node.items() if key == "url" and isinstance(value, str))
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    try:
        walk(json.loads(result))
    except json.JSONDecodeError:  # cut at its cap
        found.update(re.findall(r'"url": "(https?://[^"\\]+)"', result))
    return found


def _screened(node: Any) -> Any:
    """The data with texts that speak to machines left out."""
    if isinstance(node, dict):
        return {key: _screened(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_screened(value) for value in node]
    return "(left out: it speaks to machines)" if isinstance(node, str) and speaks_to_machines(node) else node
