"""Feeds that the end-to-end tests serve, made of titles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape

BARGAIN = "Sony WH-1000XM5 Wireless Noise Canceling Headphones for $199"
_TEXTS = {BARGAIN: "Over-ear, 30 hours of battery. It is the lowest price we could find by $150."}
ORDINARY = "Anker 313 USB-C Charger 45W $38"
BARGAIN_TITLE, ORDINARY_TITLE = (title.rsplit(" ", 1)[0].removesuffix(" for") for title in (BARGAIN, ORDINARY))
SALE = "Up to 60% off shoes at Macy's"


def rss(titles: Sequence[str], *, start: int = 1) -> bytes:
    """An RSS feed with one entry per title, published now."""
    now = format_datetime(datetime.now(UTC))
    items = "".join(
        f"<item><title>{escape(title)}</title><link>https://shop.example/{number}</link>"
        f"<guid>entry-{number}</guid><pubDate>{now}</pubDate><description>{_TEXTS.get(title, '')}</description></item>"
        for number, title in enumerate(titles, start)
    )
    return f'<rss version="2.0"><channel><title>Test deals</title>{items}</channel></rss>'.encode()
