"""When a feed is asked next: pure functions of its state and of what the server said.

After a success the owner's interval counts, or more where the server (Cache-Control) or the feed (<ttl>) asks for
more. After a failure the pause doubles each time up to a cap and a Retry-After is honoured, but no feed is given up
for good, except that 410 Gone rests until the owner asks.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from framework.feedstate import FeedState, FeedStatus
from framework.retry import Backoff

_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,10})", re.IGNORECASE)
_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """The owner's pace, in seconds. ``longest`` caps every pause, whoever asks for it."""

    interval: float = 900.0
    longest: float = _DAY
    jitter: float = 0.1

    def after_success(
        self, now: datetime, *, headers: Mapping[str, str], ttl: float | None, rng: random.Random
    ) -> datetime:
        """The next check after 200 or 304. Jitter shortens the owner's interval and lengthens the server's wish."""
        own = self.interval * (1 - self.jitter * rng.random())
        wish = min(max(max_age(headers), ttl or 0.0), self.longest)
        polite = wish * (1 + self.jitter * rng.random()) if wish > own else 0.0
        return now + timedelta(seconds=max(own, polite))

    def after_failure(self, now: datetime, *, errors: int, retry_after: float | None, rng: random.Random) -> datetime:
        """The next check after ``errors`` failed ones in a row."""
        backoff = Backoff(first=self.interval, longest=max(self.longest, self.interval), jitter=self.jitter)
        wish = min(retry_after or 0.0, self.longest)
        return now + timedelta(seconds=max(backoff.pause(errors, rng), wish))


def max_age(headers: Mapping[str, str]) -> float:
    """Seconds that an answer stays fresh by its Cache-Control; 0 when it does not say."""
    found = _MAX_AGE.search(headers.get("cache-control", ""))
    age = headers.get("age", "").strip()
    elapsed = float(age[:10]) if age.isdecimal() else 0.0
    return max(0.0, float(found.group(1)) - elapsed) if found else 0.0


def is_due(feed: FeedState, now: datetime) -> bool:
    """Whether a feed is to be asked now. A gone one never is."""
    return feed.status is not FeedStatus.GONE and (feed.next_check is None or feed.next_check <= now)


def staggered(feeds: Iterable[FeedState], now: datetime, window: float) -> list[FeedState]:
    """Feeds whose check fell due while the daemon was off, spread over ``window`` seconds from now.

    Each feed gets its own fixed place in the window (by its address), so that restarts do not bunch them up. New
    feeds stay due at once.
    """

    def moved(feed: FeedState) -> FeedState:
        if feed.last_check is None or feed.next_check is None or feed.next_check > now:
            return feed
        place = int.from_bytes(hashlib.sha256(feed.url.encode()).digest()[:4]) / 2**32
        return feed.model_copy(update={"next_check": now + timedelta(seconds=window * place)})

    return [moved(feed) for feed in feeds]
