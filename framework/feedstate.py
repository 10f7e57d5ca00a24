"""Feed manners as data: what we remember of a feed between two polls, and what one poll came to."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from framework.deals import Entry, Value


class FeedStatus(StrEnum):
    """How a feed is doing."""

    NEW = "new"  # never polled
    OK = "ok"
    FAILING = "failing"  # the last check failed; it will be tried again, with growing pauses
    GONE = "gone"  # 410: the publisher took it down; no further checks until the owner asks


class FeedState(Value):
    """One feed as remembered. All times are aware and in UTC; ``errors`` counts failed checks in a row."""

    url: str
    moved_to: str | None = None  # asked instead of ``url`` (which stays the feed's name) after a permanent redirect
    title: str | None = None
    status: FeedStatus = FeedStatus.NEW
    etag: str | None = None
    last_modified: str | None = None  # the header's own text, sent back as it came
    content_hash: str | None = None  # of the last body, for servers without validators
    added: datetime
    last_check: datetime | None = None
    last_success: datetime | None = None
    last_new_entry: datetime | None = None
    usual_gap: float | None = Field(default=None, gt=0)  # seconds between checks that brought new entries, smoothed
    ttl: float | None = Field(default=None, gt=0)  # seconds between checks that the feed itself asks for
    next_check: datetime | None = None  # None: due now
    errors: int = Field(default=0, ge=0)
    last_error: str | None = None
    sample: bool = False


class PollOutcome(StrEnum):
    """What one poll of a feed came to."""

    UPDATED = "updated"  # a body was read (its entries may all be known)
    UNCHANGED = "unchanged"  # 304, or the same bytes as before
    FAILED = "failed"


class PollResult(Value):
    """One poll: the feed's next state (to be stored), its entries, and what it took."""

    feed: FeedState
    outcome: PollOutcome
    entries: tuple[Entry, ...] = ()
    error: str | None = None
    bytes: int = 0
    seconds: float = 0.0
