"""Which opportunities are wanted: filters as conditions that the database evaluates, never the page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypedDict

from sqlalchemy import ColumnElement, Select, false, func, select

from framework.memory.base import matching
from framework.memory.tables import feedback, opportunities, sources

_MOST_WORDS = 8  # of a search; further ones are not looked at


class Said(StrEnum):
    """What the owner's last word on the wanted opportunities is."""

    NOTHING = "nothing"
    LIKED = "liked"  # good, or bought
    DISLIKED = "disliked"
    HIDDEN = "hidden"


_VOTES = {Said.LIKED: ("good", "bought"), Said.DISLIKED: ("bad",)}


class Narrowing(TypedDict, total=False):
    """Filters on opportunities; all that are given must hold.

    ``search``: every word occurs in the title. ``since``: found at or after. ``samples``: with those of the sample
    feed. ``hidden``: with those that the owner hid. ``feed``: the address of a feed that had the offer. ``most``: the
    highest price, in whatever currency. ``least_pct``: the least discount in percent of the worth. ``surest``: the
    least probability. ``said``: the owner's word on it.
    """

    search: str | None
    since: datetime | None
    samples: bool
    hidden: bool
    feed: str | None
    most: Decimal | None
    least_pct: float | None
    surest: float | None
    said: Said | None


def narrowed(query: Select[int], only: Narrowing) -> Select[int]:
    """The query with the conditions of ``only``."""
    return query.where(*_conditions(only))


def _conditions(only: Narrowing) -> Iterator[ColumnElement[bool]]:
    row, said = opportunities.c, only.get("said")
    if said is Said.HIDDEN:
        yield row.hidden.is_not(None)
    elif not only.get("hidden"):
        yield row.hidden.is_(None)
    for word in (only.get("search") or "").split()[:_MOST_WORDS]:
        yield row.title.ilike(matching(word), escape="\\")
    if (since := only.get("since")) is not None:
        yield row.created >= since
    if not only.get("samples", True):
        yield row.sample == false()
    if (feed := only.get("feed")) is not None:
        yield row.id.in_(select(sources.c.opportunity_id).where(sources.c.feed_url == feed))
    if (most := only.get("most")) is not None:
        yield row.price <= most
    if (least_pct := only.get("least_pct")) is not None:
        yield row.discount_pct >= least_pct
    if (surest := only.get("surest")) is not None:
        yield row.probability >= surest
    if said is Said.NOTHING:
        yield row.id.not_in(_voted())
    elif said in _VOTES:
        yield row.id.in_(_voted(*_VOTES[said]))


def _voted(*votes: str) -> Select[str]:
    """The opportunities whose last vote is one of these; of any vote at all that was not taken back without them."""
    last = select(func.max(feedback.c.id)).where(feedback.c.vote != "hide").group_by(feedback.c.opportunity_id)
    wanted = feedback.c.vote.in_(votes) if votes else feedback.c.vote != "undo"
    return select(feedback.c.opportunity_id).where(feedback.c.id.in_(last), wanted)
