"""What makes an entry the same entry at the next poll.

The guid, else the canonical URL, else title and date; hashed with the scope in which that name is unique. A guid that
is an address, URN or tag names the same thing in all feeds of one site (a shop's electronics and computer feeds carry
the same posts); a bare one, like "1", only in its own feed. Edited titles and equal dates change nothing.
Fragments count here: weblogs keep a day's entries on one page.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from urllib.parse import urlsplit

from framework.dedupe import canonical_url

_GLOBAL_GUID = re.compile(
    r"https?://|urn:|tag:|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$", re.IGNORECASE
)


def entry_id(feed_url: str, *, guid: str | None, url: str | None, title: str, published: datetime | None) -> str:
    """The stable id of an entry: 32 hexadecimal digits."""
    if guid:
        name = f"guid {canonical_url(guid, keep_fragment=True)}"
        scope = _site(feed_url) if _GLOBAL_GUID.match(guid) else feed_url
    elif url:
        name, scope = f"url {canonical_url(url, keep_fragment=True)}", _site(feed_url)
    else:
        name, scope = f"text {' '.join(title.lower().split())} {published or ''}", feed_url
    return hashlib.sha256(f"{scope}\n{name}".encode("utf-8", "replace")).hexdigest()[:32]


def _site(feed_url: str) -> str:
    """The host of a feed without ``www.``, ``feeds.`` and the like; empty for files."""
    host = (urlsplit(feed_url).hostname or "").lower()
    return re.sub(r"^(?:www|feeds?|rss|m)\d?\.", "", host)
