"""Looks again at the pages of recent opportunities: what cannot be bought any more is marked as over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from framework.errors import FetchError, HTTPStatusError, PageError
from framework.memory.base import Clock, utc_now
from framework.memory.records import OpportunityRecord
from framework.memory.store import Store
from framework.reading.expiry import shows_over
from framework.reading.pages import Page

_RECENT = timedelta(days=7)  # few deals live longer
_AGAIN = timedelta(hours=12)  # between two looks at one page
_MOST = 5  # pages per round
_GONE = (404, 410)
_STATE = "recheck.looked"  # {opportunity id: when its page was looked at}


class Recheck:
    """Looks at a few pages per round, those not looked at for longest first."""

    def __init__(self, store: Store, fetch_page: Callable[[str], Page], *, clock: Clock = utc_now) -> None:
        """``fetch_page`` raises ``FetchError`` or ``PageError``, as the scanner's does."""
        self._store, self._fetch_page, self._clock = store, fetch_page, clock
        self._log = structlog.get_logger("dealhound").bind(agent="scanner")

    def look(self) -> int:
        """One round; how many opportunities turned out to be over."""
        now = self._clock()
        recent = self._store.opportunities(200, since=now - _RECENT, samples=False, hidden=True)
        looked = {
            identity: datetime.fromisoformat(when) for identity, when in self._store.get_state(_STATE, {}).items()
        }
        due = [record for record in recent if self._is_due(record, looked, now)]
        due.sort(key=lambda record: looked.get(record.opportunity.id, record.opportunity.created))
        over = 0
        for record in due[:_MOST]:
            looked[record.opportunity.id] = now
            reason = self._why_over(str(record.opportunity.deal.url))
            if reason is not None and self._store.mark_expired(record.opportunity.id, reason):
                self._log.info("opportunity is over", opportunity=record.opportunity.id, reason=reason)
                over += 1
        kept = {record.opportunity.id for record in recent}
        self._store.set_state(_STATE, {i: when.isoformat() for i, when in looked.items() if i in kept})
        return over

    def _is_due(self, record: OpportunityRecord, looked: dict[str, datetime], now: datetime) -> bool:
        last = looked.get(record.opportunity.id, record.opportunity.created)
        return record.expired is None and record.opportunity.deal.url is not None and now - last >= _AGAIN

    def _why_over(self, url: str) -> str | None:
        """Why the page says that it is over; a page that cannot be read says nothing."""
        try:
            page = self._fetch_page(url)
        except HTTPStatusError as error:
            return f"its page is gone (HTTP {error.status})" if error.status in _GONE else None
        except (FetchError, PageError):
            return None
        return "its page says that it cannot be bought" if shows_over(page) else None
