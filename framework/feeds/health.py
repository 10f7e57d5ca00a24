"""What the owner is told of a feed: once when it goes down or falls silent, and once when it is back.

Pure functions of two states, before and after a check, so a notice comes exactly at the transition.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from framework.feedstate import FeedState, FeedStatus

DOWN_AFTER = 5  # failed checks in a row
_SILENT_FACTOR = 6.0  # times the usual gap between new entries
_SHORTEST_SILENCE = timedelta(days=2)
_SMOOTHING = 0.2


def notice(before: FeedState, after: FeedState, *, down_after: int = DOWN_AFTER) -> str | None:
    """One sentence for the owner when this check changed how the feed is doing, else ``None``."""
    name = after.title or after.url
    if after.status is FeedStatus.GONE and before.status is not FeedStatus.GONE:
        return f"{name} is gone for good, says its server (410). It is not checked any more; remove it or re-add it."
    if before.errors < down_after <= after.errors:
        return f"{name} failed {after.errors} checks in a row: {after.last_error or 'no reason known'}"
    if before.errors >= down_after and after.errors == 0:
        return f"{name} is back after {before.errors} failed checks."
    was_silent, silent = is_silent(before, before.last_check), is_silent(after, after.last_check)
    if silent and not was_silent and after.last_new_entry:
        return f"{name} has brought nothing new since {after.last_new_entry:%Y-%m-%d}, unlike before."
    if was_silent and not silent:
        return f"{name} brings new entries again."
    return None


def is_silent(feed: FeedState, at: datetime | None) -> bool:
    """Whether a working feed has been without new entries for far longer than usual."""
    if at is None or feed.errors or feed.last_new_entry is None or feed.usual_gap is None:
        return False
    return at - feed.last_new_entry > max(timedelta(seconds=feed.usual_gap * _SILENT_FACTOR), _SHORTEST_SILENCE)


def with_new_entries(feed: FeedState, now: datetime) -> FeedState:
    """The feed's state after a check that brought entries never seen before."""
    usual = feed.usual_gap
    if feed.last_new_entry is not None:
        gap = max(1.0, (now - feed.last_new_entry).total_seconds())
        usual = gap if usual is None else usual + _SMOOTHING * (gap - usual)
    return feed.model_copy(update={"last_new_entry": now, "usual_gap": usual})
