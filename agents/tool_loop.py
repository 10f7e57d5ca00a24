"""Tools that a model may call: each with the schema of its arguments and the function that does the work.

Everything a model can do wrong with a tool (an unknown name, arguments that do not fit, the same call again and again)
is answered with a sentence that says so, and counted; none of it raises.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from framework.chat.base import Message, Tool, ToolCall

_SAME_CALL_LIMIT = 2
_MOST_RESULT = 12_000  # characters of a result that go back to the model


class Arguments(BaseModel):
    """Base of tool arguments: no unknown names, no conversions from text."""

    model_config = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True)
class Action:
    """A tool and what it does. ``run`` gets validated arguments and returns data for the model."""

    name: str
    description: str
    arguments: type[Arguments]
    run: Callable[[Any], Any]

    @property
    def tool(self) -> Tool:
        """As the model sees it."""
        return Tool.of(self.name, self.description, self.arguments)


class Toolbox:
    """Runs the calls of one conversation. ``faults`` counts what the model did wrong, by kind."""

    def __init__(self, actions: Sequence[Action]) -> None:
        self._actions = {action.name: action for action in actions}
        self._seen: Counter[tuple[str, str]] = Counter()
        self.tools = [action.tool for action in actions]
        self.faults: Counter[str] = Counter()

    def answer(self, call: ToolCall) -> Message:
        """Run one call; the result, or what was wrong with it, as the message that answers it."""
        result = json.dumps(self._result(call), ensure_ascii=False, default=str)[:_MOST_RESULT]
        return Message("tool", result, tool_call_id=call.id)

    def _result(self, call: ToolCall) -> Any:
        action = self._actions.get(call.name)
        if action is None:
            return self._fault("unknown tool", f"There is no such tool; there are {', '.join(self._actions)}.")
        try:
            arguments = action.arguments.model_validate_json(call.arguments or "{}")
        except ValidationError as error:
            wrong = "; ".join(fault["msg"] for fault in error.errors(include_input=False, include_url=False)[:3])
            return self._fault("bad arguments", f"These arguments do not fit: {wrong}.")
        same = (call.name, arguments.model_dump_json())
        self._seen[same] += 1
        if self._seen[same] > _SAME_CALL_LIMIT:
            return self._fault(
                "repeated call", "This call was answered before; the answer is the same. Go on or finish."
            )
        return action.run(arguments)

    def _fault(self, kind: str, sentence: str) -> dict[str, str]:
        self.faults[kind] += 1
        return {"error": sentence}
