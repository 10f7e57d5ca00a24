"""The feeds that a new home starts with, when its owner names none."""

from __future__ import annotations

# All public feeds that their publishers offer to readers. DealNews sections carry prices as fields of their own.
DEFAULT_FEEDS: tuple[tuple[str, str], ...] = (
    ("https://www.dealnews.com/c142/Electronics/?rss=1", "DealNews Electronics"),
    ("https://www.dealnews.com/c39/Computers/?rss=1", "DealNews Computers"),
    ("https://www.dealnews.com/f1912/Smart-Home/?rss=1", "DealNews Smart Home"),
    ("https://www.dealnews.com/c196/Home-Garden/?rss=1", "DealNews Home & Garden"),
    ("https://www.dealnews.com/c238/Automotive/?rss=1", "DealNews Automotive"),
    (
        "https://slickdeals.net/newsearch.php?mode=frontpage&searcharea=deals&searchin=first&rss=1",
        "Slickdeals Frontpage",
    ),
    ("https://www.reddit.com/r/buildapcsales/new/.rss", "r/buildapcsales"),
    ("https://bensbargains.com/rss/", "Ben's Bargains"),
)
