"""The scanner agent: polls the feeds that are due and reads what is new into deals.

Known entries are left out before any page is fetched. One bad feed, page or entry stays one bad feed, page or entry.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from framework.agent import Agent
from framework.deals import Deal, Entry, Kind, Reading, ReadingVerdict
from framework.errors import FetchError, PageError
from framework.feedstate import FeedState, PollOutcome, PollResult
from framework.reading.base import Reader
from framework.reading.pages import Page

CHUNK = 25  # entries read together: few enough to lose little when killed, enough for an LLM's batch


class FeedPoller(Protocol):
    """Polls many feeds, politely, and says of each what came of it. Never raises for a bad feed."""

    def poll_all(self, feeds: Sequence[FeedState]) -> Iterable[PollResult]:
        """One result per feed, as they come in."""
        ...


class ScannerAgent(Agent):
    """Feeds to entries to readings."""

    name = "scanner"

    def __init__(
        self,
        poller: FeedPoller,
        reader: Reader,
        fetch_page: Callable[[str], Page],
        needs_page: Callable[[Entry], bool],
        *,
        max_pages: int = 30,
        reason_to_skip: Callable[[Entry | Deal, str], str | None] = lambda item, feed_url: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """``fetch_page`` raises ``FetchError`` or ``PageError``; ``max_pages`` bounds the pages of one ``read``;
        ``needs_page`` says whether the page could tell more than the entry; ``reason_to_skip`` is the owner's filter
        over an entry or deal of a feed: what it names is neither fetched nor, for entries, read."""
        super().__init__()
        self._poller, self._reader, self._fetch_page, self._needs_page = poller, reader, fetch_page, needs_page
        self._max_pages = max_pages
        self._reason_to_skip = reason_to_skip
        self._stopped = stopped
        self.pages_fetched = 0

    def poll(self, feeds: Sequence[FeedState]) -> Iterator[PollResult]:
        """Poll feeds, logging one line for each."""
        for result in self._poller.poll_all(feeds):
            log = self.log.bind(feed=result.feed.url, outcome=result.outcome.value, entries=len(result.entries))
            if result.outcome is PollOutcome.FAILED:
                log.warning("feed failed", error=result.error, errors_in_a_row=result.feed.errors)
            else:
                log.info("feed polled", bytes=result.bytes, ms=round(result.seconds * 1000))
            yield result

    def read(self, entries: Sequence[Entry]) -> Iterator[list[Reading]]:
        """Read entries into deals, in chunks; one reading per entry."""
        self.pages_fetched = 0
        for start in range(0, len(entries), CHUNK):
            if self._stopped():
                return
            started = time.perf_counter()
            chunk = entries[start : start + CHUNK]
            readings = self._filtered(chunk)
            verdicts = [reading.verdict for reading in readings]
            self.log.info(
                "entries read",
                entries=len(chunk),
                **{verdict.value: verdicts.count(verdict) for verdict in ReadingVerdict},
                ms=round((time.perf_counter() - started) * 1000),
            )
            yield readings

    def _filtered(self, entries: Sequence[Entry]) -> list[Reading]:
        """Read what the owner's filters let through; before reading by its words, after it by what the deal is."""
        reasons = {entry.id: self._reason_to_skip(entry, entry.feed_url) for entry in entries}
        wanted = [entry for entry in entries if reasons[entry.id] is None]
        read = [self._filter_deal(reading) for reading in self._read(wanted)] if wanted else []
        return read + [_skipped(entry, reason) for entry in entries if (reason := reasons[entry.id]) is not None]

    def _filter_deal(self, reading: Reading) -> Reading:
        deal = reading.deal
        reason = self._reason_to_skip(deal, reading.entry.feed_url) if deal else None
        return reading if reason is None else _skipped(reading.entry, reason, kind=reading.kind)

    def _read(self, entries: Sequence[Entry]) -> list[Reading]:
        """Read together; where that raises what nobody expected, each alone, so that one entry fails and no hunt.

        A boundary: the fault is logged with its trace and the entry's id, and counts as a failed try of that entry.
        """
        try:
            return self._reader.read(entries, self._pages(entries))
        except Exception as error:
            if len(entries) == 1:
                self.log.exception("fault while reading", entry=entries[0].id)
                reason = f"internal fault ({type(error).__name__}), see the log"
                return [Reading(entry=entries[0], verdict=ReadingVerdict.FAILED, reason=reason)]
            return [reading for entry in entries for reading in self._read([entry])]

    def _pages(self, entries: Sequence[Entry]) -> Mapping[str, Page]:
        """The pages of those entries that a page can help, by entry id."""
        pages: dict[str, Page] = {}
        for entry in entries:
            if self._stopped() or self.pages_fetched >= self._max_pages:
                break
            if entry.url is None or entry.sample or not self._needs_page(entry):
                continue
            self.pages_fetched += 1
            try:
                pages[entry.id] = self._fetch_page(entry.url)
            except (FetchError, PageError) as error:
                self.log.warning("page failed", entry=entry.id, error=str(error))
        return pages


def _skipped(entry: Entry, reason: str, kind: Kind | None = None) -> Reading:
    return Reading(entry=entry, verdict=ReadingVerdict.SKIPPED, kind=kind, reason=f"Filtered: {reason}")
