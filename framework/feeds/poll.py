"""Polling: ask politely, read what came, and say what to remember. Decides nothing about entries and stores nothing."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from framework.errors import FeedError, FetchError, HTTPStatusError
from framework.feeds.by_host import each_in_turn
from framework.feeds.parse import parse_feed
from framework.feeds.raw import ParsedFeed
from framework.feeds.schedule import Schedule
from framework.feedstate import FeedState, FeedStatus, PollOutcome, PollResult
from framework.http import HttpClient, Response

ACCEPT = (
    "application/rss+xml, application/atom+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
)
_LONGEST_ERROR = 500
_MOVED_AND_LOST = {404, 410}


class Poller:
    """Polls feeds through one ``HttpClient``. Thread-safe.

    A feed that fails in any foreseen way is a result, not an exception; bugs raise. ``clock`` measures seconds.
    """

    def __init__(
        self,
        http: HttpClient,
        *,
        schedule: Schedule | None = None,
        rng: random.Random | None = None,
        clock: Callable[[], float] = time.monotonic,
        gap: float = 1.0,
    ) -> None:
        self._http = http
        self._schedule = schedule or Schedule()
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
        self._clock = clock
        self._gap = gap

    def poll(self, feed: FeedState, now: datetime) -> PollResult:
        """Check one feed: a conditional request, and the feed's next state with its entries."""
        started = self._clock()
        try:
            response = self._http.get(feed.moved_to or feed.url, headers=_validators(feed), accept=ACCEPT)
            result = self._answered(feed, now, response)
        except (FetchError, FeedError) as error:
            result = self._failed(feed, now, error)
        return result.model_copy(update={"seconds": self._clock() - started})

    def poll_all(
        self, feeds: Iterable[FeedState], now: datetime, *, workers: int = 16, stop: Callable[[], bool] = lambda: False
    ) -> Iterator[PollResult]:
        """Poll many feeds, as they come in: ``workers`` at once, of each host one at a time.

        When ``stop`` turns true no further feed is asked; those under way are still yielded.
        """
        return each_in_turn(
            list(feeds),
            lambda feed: self.poll(feed, now),
            address=lambda feed: feed.moved_to or feed.url,
            workers=workers,
            gap=self._gap,
            stop=stop,
        )

    def _answered(self, feed: FeedState, now: datetime, response: Response) -> PollResult:
        if response.status == 304:
            state = self._succeeded(feed, now, response, ttl=feed.ttl)
            return PollResult(feed=state, outcome=PollOutcome.UNCHANGED)
        body_hash = hashlib.sha256(response.content).hexdigest()
        size = len(response.content)
        if body_hash == feed.content_hash:
            state = self._succeeded(feed, now, response, ttl=feed.ttl, **_new_validators(response))
            return PollResult(feed=state, outcome=PollOutcome.UNCHANGED, bytes=size)
        parsed = _parse(feed, response)
        state = self._succeeded(
            feed,
            now,
            response,
            ttl=parsed.ttl,
            title=parsed.title or feed.title,
            content_hash=body_hash,
            **_new_validators(response),
        )
        return PollResult(feed=state, outcome=PollOutcome.UPDATED, entries=parsed.entries, bytes=size)

    def _succeeded(
        self, feed: FeedState, now: datetime, response: Response, *, ttl: float | None, **changes: Any
    ) -> FeedState:
        return feed.model_copy(
            update={
                "status": FeedStatus.OK,
                "last_check": now,
                "last_success": now,
                "errors": 0,
                "last_error": None,
                "ttl": ttl,
                "moved_to": response.moved_to or feed.moved_to,
                "next_check": self._schedule.after_success(now, headers=response.headers, ttl=ttl, rng=self._rng),
                **changes,
            }
        )

    def _failed(self, feed: FeedState, now: datetime, error: FetchError | FeedError) -> PollResult:
        status = error.status if isinstance(error, HTTPStatusError) else None
        gone = status == 410 and feed.moved_to is None
        errors = feed.errors + 1
        pause = error.retry_after if isinstance(error, FetchError) else None
        sentence = str(error)[:_LONGEST_ERROR]
        state = feed.model_copy(
            update={
                "status": FeedStatus.GONE if gone else FeedStatus.FAILING,
                "last_check": now,
                "errors": errors,
                "last_error": sentence,
                # The new place is lost: the next check asks the old one again, which may name another.
                "moved_to": None if status in _MOVED_AND_LOST else feed.moved_to,
                "next_check": self._schedule.after_failure(now, errors=errors, retry_after=pause, rng=self._rng),
            }
        )
        return PollResult(feed=state, outcome=PollOutcome.FAILED, error=sentence)


def _validators(feed: FeedState) -> dict[str, str]:
    headers = {"If-None-Match": feed.etag, "If-Modified-Since": feed.last_modified}
    return {name: value for name, value in headers.items() if value}


def _new_validators(response: Response) -> dict[str, str | None]:
    return {"etag": response.headers.get("etag"), "last_modified": response.headers.get("last-modified")}


def _parse(feed: FeedState, response: Response) -> ParsedFeed:
    return parse_feed(
        response.content,
        feed.url,
        base_url=response.url,
        content_type=response.headers.get("content-type", ""),
        sample=feed.sample,
    )
