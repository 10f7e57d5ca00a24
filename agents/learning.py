"""What the daemon learns from the owner's votes: how sure the judge must be, and kinds of deals to leave out.

Everything learnt is computed anew from the votes, so that taking a vote back takes back what it taught. It is said when
it changes (in the log and as a notice), shown by ``./dealhound feedback list`` and the doctor, and can be taken back
there for good.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from agents.messaging.base import Message
from agents.messaging.notices import Notices
from framework.deals import Deal, Entry
from framework.feedback import Ignored, Suggestion, Trait, suggest_ignored, suggest_threshold, traits, traits_of
from framework.judge import DEFAULT_PROBABILITY, JudgeRule
from framework.memory.feedback import Vote
from framework.memory.state import FEEDBACK_VERSION
from framework.memory.store import Store

_SINCE, _TAKEN_BACK, _SAID = "learning.since", "learning.taken_back", "learning.said"


@dataclass(frozen=True)
class Lessons:
    """What the votes teach now. ``threshold`` is ``None`` where they speak for no other than the owner's own."""

    votes: int = 0
    threshold: Suggestion | None = None
    ignored: tuple[Ignored, ...] = ()

    def sentences(self) -> dict[str, str]:
        """Each lesson in a sentence, by a name that stays the same while the lesson does."""
        said = {}
        if self.threshold is not None:
            least = f"{self.threshold.min_probability:.0%}"
            about = round(20 * self.threshold.min_probability) / 20  # a step of a percent is no news
            said[f"threshold about {about:.0%}"] = (
                f"Alerts must be {least} sure, from {self.votes} votes: "
                f"of the {self.threshold.votes} that were, about {self.threshold.precision:.0%} were good."
            )
        said |= {str(one.trait): f"Left out: {one.trait}, because {one.reason}." for one in self.ignored}
        return said


class Learner:
    """One owner's lessons. ``tell`` gives the notices; it is asked when there is something to say."""

    def __init__(
        self,
        store: Store,
        wish: float | None = None,
        *,
        least: float = DEFAULT_PROBABILITY,
        tell: Callable[[], Notices | None] = lambda: None,
    ) -> None:
        """``wish`` is the share of alerts that should be good, ``None`` leaves the threshold alone; ``least`` is the
        owner's own threshold, which the votes can only raise.
        """
        self._store, self._wish, self._least, self._tell = store, wish, least, tell
        self._lessons, self._version = Lessons(), -1
        self._log = structlog.get_logger("dealhound").bind(agent="planner")

    def lessons(self) -> Lessons:
        """What the votes teach, worked out anew when there were further votes."""
        version = int(self._store.get_state(FEEDBACK_VERSION, 0))
        if version != self._version:
            lessons = self._learn()
            self._say(lessons, version)
            self._lessons, self._version = lessons, version
        return self._lessons

    def rule(self, own: JudgeRule) -> JudgeRule:
        """The owner's rule, with the learnt probability where there is one."""
        learnt = self.lessons().threshold
        if learnt is None:
            return own
        origin = f" (learnt from your votes for {self._wish or 0:.0%} good alerts)"
        return own.model_copy(update={"min_probability": learnt.min_probability, "origin": origin})

    def reason_to_skip(self, item: Entry | Deal) -> str | None:
        """Why an entry or a deal is of a kind that the owner does not want, ``None`` when it is not."""
        ignored = self.lessons().ignored
        if not ignored:
            return None
        found = traits_of(item) if isinstance(item, Deal) else traits(None, None, None, item.categories)
        return next((one.reason for one in ignored if one.trait in found), None)

    def take_back(self, trait: Trait) -> None:
        """Never leave out deals of this kind again, whatever is hidden later."""
        self._store.set_state(_TAKEN_BACK, sorted({*self._store.get_state(_TAKEN_BACK, []), str(trait)}))
        self._store.count_up(FEEDBACK_VERSION)

    def reset(self, now: datetime) -> None:
        """Learn only from votes that come after ``now``; kinds that were taken back may be learnt again."""
        self._store.set_state(_SINCE, now.isoformat())
        self._store.clear_state(_TAKEN_BACK)
        self._store.count_up(FEEDBACK_VERSION)

    def _since(self) -> datetime | None:
        kept = self._store.get_state(_SINCE)
        return datetime.fromisoformat(kept) if kept else None

    def _learn(self) -> Lessons:
        since = self._since()
        votes = [(vote.probability, vote.vote is not Vote.BAD) for vote in self._store.votes(since=since)]
        threshold = suggest_threshold(votes, self._wish) if self._wish is not None else None
        if threshold is not None and threshold.min_probability <= self._least:
            threshold = None
        taken_back = {trait for text in self._store.get_state(_TAKEN_BACK, []) if (trait := Trait.parse(text))}
        ignored = suggest_ignored(self._store.met(since=since), taken_back)
        return Lessons(len(votes), threshold, tuple(ignored))

    def _say(self, lessons: Lessons, version: int) -> None:
        """Tell the owner of lessons that are new, once, over restarts too."""
        said, before = lessons.sentences(), self._store.get_state(_SAID, [])
        if sorted(said) == before:
            return
        self._log.info("learnt from votes", lessons=list(said.values()))
        new, notices = [sentence for name, sentence in said.items() if name not in before], self._tell()
        if new and notices is not None:
            text = "\n".join([*new, "./dealhound feedback list shows this; undo and reset take it back."])
            title = "Dealhound learnt from your votes"
            notices.tell(f"learnt:{version}", Message(title=title, text=text, priority=-1))
        self._store.set_state(_SAID, sorted(said))
