"""``feedback list, vote, undo, reset``: the owner's word on opportunities, and what was learnt from it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from agents.assemble import Hound
from framework.errors import SettingsError
from framework.feedback import Trait
from framework.memory.feedback import Vote

Row = dict[str, Any]


def listing(hound: Hound) -> list[Row]:
    """What was learnt, then the votes and what was hidden, the newest first."""
    lessons = hound.learner.lessons()
    learnt = [{"what": "learnt", "id": name, "said": said} for name, said in lessons.sentences().items()]
    votes = [
        {
            "what": "vote",
            "id": vote.opportunity_id,
            "title": vote.title,
            "vote": vote.vote.value,
            "at": vote.at.isoformat(),
            "via": vote.via,
            "probability": round(vote.probability, 4),
        }
        for vote in hound.store.votes()
    ]
    hidden = [
        {"what": "hidden", "id": identity, "title": title, "vote": Vote.HIDE.value, "at": at.isoformat()}
        for identity, title, at in hound.store.hidden()
    ]
    return learnt + votes + hidden


def vote(hound: Hound, identity: str, word: Vote) -> Row:
    """Record the owner's word. Raises ``SettingsError`` for an unknown opportunity."""
    if not hound.store.vote(identity, word, via="cli"):
        raise SettingsError(f"There is no opportunity {identity}; ./dealhound memory show --json lists their ids")
    return {"id": identity, "vote": word.value, "learnt": list(hound.learner.lessons().sentences().values())}


def undo(hound: Hound, what: str) -> Row:
    """Take back the votes on an opportunity, or a learnt kind such as "merchant:walgrove"."""
    trait = Trait.parse(what)
    if trait is None:
        return vote(hound, what, Vote.UNDO)
    hound.learner.take_back(trait)
    return {"id": str(trait), "vote": Vote.UNDO.value, "learnt": list(hound.learner.lessons().sentences().values())}


def reset(hound: Hound) -> Row:
    """Forget all that was learnt: votes so far teach nothing any more, though they stay in the list."""
    hound.learner.reset(datetime.now(UTC))
    return {"id": None, "vote": "reset", "learnt": list(hound.learner.lessons().sentences().values())}
