"""What the owner thinks of opportunities. Every vote is kept; taking one back is a vote too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, insert, select, update

from framework.deals import Value
from framework.feedback import Met, traits
from framework.memory.base import Repository
from framework.memory.state import FEEDBACK_VERSION, bump
from framework.memory.tables import entries, feedback, opportunities


class Vote(StrEnum):
    """What can be said of an opportunity."""

    GOOD = "good"
    BAD = "bad"
    BOUGHT = "bought"  # counts as good
    HIDE = "hide"  # not to be shown again; says nothing about how good it was
    UNDO = "undo"  # forgets the votes so far and shows it again


class VoteRecord(Value):
    """The owner's present word on one opportunity."""

    opportunity_id: str
    title: str
    vote: Vote
    at: datetime
    via: str
    probability: float  # what the judge had given it


class Feedback(Repository):
    """Votes by opportunity."""

    def vote(self, opportunity_id: str, vote: Vote, *, via: str) -> bool:
        """Record a vote; ``via`` says where it came from (dashboard, cli, link). False for an unknown opportunity."""
        now = self._clock()
        with self._database.write() as connection:
            this = opportunities.c.id == opportunity_id
            if connection.execute(select(opportunities.c.id).where(this)).first() is None:
                return False
            row = {"opportunity_id": opportunity_id, "vote": vote.value, "at": now, "via": via}
            connection.execute(insert(feedback).values(**row))
            bump(connection, FEEDBACK_VERSION, now)
            if vote in (Vote.HIDE, Vote.UNDO):
                hidden = now if vote is Vote.HIDE else None
                connection.execute(update(opportunities).where(this).values(hidden=hidden))
            return True

    def votes(self, limit: int = 1000, *, since: datetime | None = None) -> list[VoteRecord]:
        """The last vote on each opportunity, newest first; those taken back are left out, as is hiding."""
        judging = feedback.c.vote != Vote.HIDE.value
        last = select(func.max(feedback.c.id)).where(judging).group_by(feedback.c.opportunity_id)
        query = (
            select(feedback.c.opportunity_id, feedback.c.vote, feedback.c.at, feedback.c.via)
            .add_columns(opportunities.c.probability, opportunities.c.title)
            .join(opportunities, opportunities.c.id == feedback.c.opportunity_id)
            .where(feedback.c.id.in_(last), feedback.c.vote != Vote.UNDO.value)
        )
        if since is not None:
            query = query.where(feedback.c.at >= since)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(feedback.c.id.desc()).limit(limit)).mappings()
            return [VoteRecord(**row) for row in rows]

    def vote_on(self, opportunity_id: str) -> Vote | None:
        """The owner's present word on one opportunity, ``None`` when there is none."""
        return self.votes_on([opportunity_id]).get(opportunity_id)

    def votes_on(self, opportunity_ids: Sequence[str]) -> dict[str, Vote]:
        """The owner's present words on these opportunities; those without one are left out."""
        last = (
            select(func.max(feedback.c.id))
            .where(feedback.c.opportunity_id.in_(opportunity_ids), feedback.c.vote != Vote.HIDE.value)
            .group_by(feedback.c.opportunity_id)
        )
        query = select(feedback.c.opportunity_id, feedback.c.vote).where(feedback.c.id.in_(last))
        with self._database.read() as connection:
            found = connection.execute(query.where(feedback.c.vote != Vote.UNDO.value))
            return {row.opportunity_id: Vote(row.vote) for row in found}

    def hidden(self, limit: int = 1000, *, since: datetime | None = None) -> list[tuple[str, str, datetime]]:
        """Id, title and moment of the opportunities that the owner hid, the last first."""
        query = select(opportunities.c.id, opportunities.c.title, opportunities.c.hidden)
        query = query.where(opportunities.c.hidden.is_not(None))
        if since is not None:
            query = query.where(opportunities.c.hidden >= since)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(opportunities.c.hidden.desc()).limit(limit))
            return [(row.id, row.title, row.hidden) for row in rows]

    def met(self, limit: int = 2000, *, since: datetime | None = None) -> list[Met]:
        """The newest opportunities, each with its traits and what the owner made of it."""
        liked = {v.opportunity_id for v in self.votes(limit, since=since) if v.vote in (Vote.GOOD, Vote.BOUGHT)}
        facts = {name: opportunities.c.data["deal"][name].as_string() for name in ("merchant", "brand", "condition")}
        query = select(
            opportunities.c.id,
            opportunities.c.hidden,
            *(column.label(name) for name, column in facts.items()),
            entries.c.data["categories"].label("categories"),
        ).join(entries, entries.c.id == opportunities.c.entry_id)
        newest = query.where(opportunities.c.sample.is_(False)).order_by(opportunities.c.seq.desc()).limit(limit)
        with self._database.read() as connection:
            return [
                Met(
                    traits(row.merchant, row.brand, row.condition, row.categories or ()),
                    hidden=row.hidden is not None and (since is None or row.hidden >= since),
                    liked=row.id in liked,
                )
                for row in connection.execute(newest)
            ]
