"""Where entries come from: feeds on the network, feed files on the disk, the bundled sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from framework.errors import FeedError
from framework.feeds import Poller, read_feed_file
from framework.feedstate import FeedState, PollOutcome, PollResult

SAMPLE_FEED = Path(__file__).resolve().parent.parent / "framework" / "samples" / "sample_feed.xml"


class SourcePoller:
    """Polls URLs over the network and reads files from the disk, so that a hunt takes both."""

    def __init__(self, poller: Callable[[], Poller], stopped: Callable[[], bool] = lambda: False) -> None:
        """``poller`` is asked for only when there is a URL: a hunt over files opens no connection."""
        self._poller, self._stopped = poller, stopped

    def poll_all(self, feeds: Sequence[FeedState]) -> Iterator[PollResult]:
        """One result per feed, as they come in; fewer when stopped."""
        urls = [feed for feed in feeds if is_url(feed.url)]
        for feed in feeds:
            if not is_url(feed.url):
                yield poll_file(feed)
        if urls:
            yield from self._poller().poll_all(urls, datetime.now(UTC), stop=self._stopped)


def is_url(source: str) -> bool:
    """Whether a source is an address on the network; all else is a path."""
    return "://" in source and not source.startswith("file:")


def poll_file(feed: FeedState, *, sample: bool = False) -> PollResult:
    """Read a feed file as if it had been polled."""
    now = datetime.now(UTC)
    try:
        parsed = read_feed_file(Path(feed.url.removeprefix("file://")), sample=sample)
    except FeedError as error:
        failed = feed.model_copy(update={"last_check": now, "last_error": str(error), "errors": feed.errors + 1})
        return PollResult(feed=failed, outcome=PollOutcome.FAILED, error=str(error))
    read = feed.model_copy(update={"last_check": now, "last_success": now, "title": feed.title or parsed.title})
    return PollResult(feed=read, outcome=PollOutcome.UPDATED, entries=tuple(parsed.entries))


def read_sample_feed() -> PollResult:
    """The bundled feed, every entry marked as a sample."""
    return poll_file(FeedState(url=str(SAMPLE_FEED), added=datetime.now(UTC), sample=True), sample=True)
