"""The autonomous planner: a language model drives the hunt by tool calls.

It has the powers of the workflow and its guards: tools take item numbers, never text, urls or prices; only what the
judge called an opportunity can be notified, each at most once, up to the owner's cap per hunt; turns, mistakes and
tokens are bounded. The whole transcript goes to the log. What the model leaves undone is told, so that the caller can
finish by the workflow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from agents.desk import Desk, EstimatedItem, HuntActions, ScannedItem
from agents.prompts import PLAN
from agents.tool_loop import Toolbox
from framework.agent import Agent
from framework.chat.base import Completion, Message
from framework.chat.client import Chat
from framework.errors import BudgetExceeded, ChatError

__all__ = ["AutonomousPlanner", "AutonomousReport", "Ending", "EstimatedItem", "HuntActions", "ScannedItem"]

MOST_TURNS = 16
_MOST_CALLS = 8  # tool calls answered per turn
_MOST_FAULTS = 6
_MOST_NUDGES = 2
_CLAIMS = re.compile(r"\b(?:notif|sent|alert|push|told|messag)", re.IGNORECASE)


class Ending(StrEnum):
    """How an autonomous hunt ended."""

    FINISHED = "finished"  # the model said that it is done
    CLAIMED = "claimed"  # it said that it told the owner, but never did
    IDLE = "idle"  # it talked and called no tool
    FAULTY = "faulty"  # too many unknown tools, bad arguments or repeated calls
    TURN_LIMIT = "turn limit"
    BUDGET = "budget"
    UNAVAILABLE = "unavailable"  # the model could not be reached or refused


@dataclass(frozen=True, slots=True)
class AutonomousReport:
    """What the model did. ``left`` are the opportunities that it knew of and did not notify."""

    ending: Ending
    turns: int
    notified: tuple[str, ...]
    left: tuple[str, ...]
    unestimated: tuple[str, ...]
    faults: dict[str, int]
    said: str
    transcript: tuple[Message, ...]

    @property
    def complete(self) -> bool:
        """Whether nothing is left for the workflow to finish."""
        return self.ending is Ending.FINISHED and not self.left and not self.unestimated


class AutonomousPlanner(Agent):
    """Lets a model drive one hunt. Never raises ``ChatError``."""

    name = "planner"

    def __init__(self, chat: Chat, *, most_notifications: int = 5, most_turns: int = MOST_TURNS) -> None:
        super().__init__()
        self._chat, self._most, self._turns = chat, most_notifications, most_turns

    def hunt(self, actions: HuntActions) -> AutonomousReport:
        """One hunt; every turn is logged."""
        desk = Desk(actions, self._most)
        toolbox = desk.toolbox()
        talk = PLAN.messages("Hunt now.")
        turns, said, ending = 0, "", Ending.TURN_LIMIT
        nudges = 0
        while turns < self._turns:
            turns += 1
            try:
                reply = self._chat.with_tools(talk, toolbox.tools, purpose="plan")
            except ChatError as error:
                ending = Ending.BUDGET if isinstance(error, BudgetExceeded) else Ending.UNAVAILABLE
                self.log.warning("model gives up the hunt", reason=str(error), turn=turns)
                break
            said = reply.text or said
            self._extend(talk, reply, toolbox, turns)
            if toolbox.faults.total() >= _MOST_FAULTS:
                ending = Ending.FAULTY
                break
            if reply.tool_calls:
                continue
            nudge = _nudge(desk)
            if nudge is None or nudges == _MOST_NUDGES:
                ending = _ending(desk, said)
                break
            nudges += 1
            talk.append(Message("user", nudge))
        return self._report(desk, toolbox, talk, ending, turns, said)

    def _extend(self, talk: list[Message], reply: Completion, toolbox: Toolbox, turn: int) -> None:
        """Add the model's turn and the answers to its calls to the talk, and all of it to the log."""
        calls = reply.tool_calls[:_MOST_CALLS]
        talk.append(Message("assistant", reply.text, tool_calls=calls))
        self.log.info(
            "turn", turn=turn, said=reply.text[:2_000], calls=[f"{call.name}({call.arguments[:500]})" for call in calls]
        )
        for call in calls:
            answer = toolbox.answer(call)
            talk.append(answer)
            self.log.info("tool answered", turn=turn, tool=call.name, answer=answer.content[:4_000])

    def _report(
        self, desk: Desk, toolbox: Toolbox, talk: list[Message], ending: Ending, turns: int, said: str
    ) -> AutonomousReport:
        report = AutonomousReport(
            ending=ending,
            turns=turns,
            notified=tuple(desk.items[n].id for n in desk.notified),
            left=desk.left(),
            unestimated=desk.unestimated(),
            faults=dict(toolbox.faults),
            said=said,
            transcript=tuple(talk),
        )
        log = self.log.info if report.complete else self.log.warning
        log(
            "autonomous hunt ended",
            ending=ending.value,
            turns=turns,
            notified=len(report.notified),
            left=len(report.left),
            unestimated=len(report.unestimated),
            faults=report.faults,
        )
        return report


def _nudge(desk: Desk) -> str | None:
    """What the model has evidently forgotten; ``None`` where it may well be done."""
    if not desk.scanned:
        return "You called no tool. Call scan_for_deals."
    if desk.unestimated() and not desk.judged:
        return "You estimated no deal. Call estimate_value with their numbers."
    if desk.left() and not desk.tried:
        return (
            "You told the owner of nothing: only the tool notify does. Call it for the opportunities, or say why not."
        )
    return None


def _ending(desk: Desk, said: str) -> Ending:
    if not desk.scanned or (desk.items and not desk.judged):
        return Ending.IDLE
    if desk.left() and not desk.notified and _CLAIMS.search(said):
        return Ending.CLAIMED
    return Ending.FINISHED
