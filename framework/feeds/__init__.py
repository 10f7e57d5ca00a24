"""Feeds: asked politely, read from any format, their entries recognised at the next poll.

::

    poll.py --> http            parse.py --> encoding.py, guard.py, feedparser or jsonfeed.py, extras.py
                                         --> raw.py --> entries
    by_host.py  schedule.py     identity.py (entry ids)   text.py (plain titles)   files.py (local files)
    health.py   what the owner is told of a feed
"""

from framework.feeds.files import read_feed_file
from framework.feeds.health import notice, with_new_entries
from framework.feeds.parse import parse_feed
from framework.feeds.poll import Poller
from framework.feeds.raw import ParsedFeed
from framework.feeds.schedule import Schedule, is_due, staggered

__all__ = [
    "ParsedFeed",
    "Poller",
    "Schedule",
    "is_due",
    "notice",
    "parse_feed",
    "read_feed_file",
    "staggered",
    "with_new_entries",
]
