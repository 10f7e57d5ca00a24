"""Feeds in local files, by the owner's own hand (``--feed FILE``); nothing that came over the network names one."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from framework.errors import FeedError
from framework.feeds.guard import LARGEST_DOCUMENT
from framework.feeds.parse import parse_feed
from framework.feeds.raw import ParsedFeed


def read_feed_file(path: str | Path, *, sample: bool = False) -> ParsedFeed:
    """Read a feed from a path or a ``file://`` address; its entries' ``feed_url`` is the file's address.

    Raises ``FeedError`` when the file cannot be read or is no feed.
    """
    text = str(path)
    file = Path(unquote(urlsplit(text).path) if text.lower().startswith("file://") else text).expanduser()
    try:
        file = file.resolve()
        if file.stat().st_size > LARGEST_DOCUMENT:
            raise FeedError(text, f"The file is larger than {LARGEST_DOCUMENT >> 20} MB")
        data = file.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a usable path"
        raise FeedError(text, f"The feed file cannot be read: {reason}") from None
    return parse_feed(data, file.as_uri(), sample=sample)
