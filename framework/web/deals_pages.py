"""The Deals tab: one page of opportunities by the owner's filters, and everything behind one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from framework.deals import Deal
from framework.memory.narrowing import Narrowing, Said
from framework.memory.records import OpportunityOrder, OpportunityRecord
from framework.views.deals import DealsPage, deals_page
from framework.views.detail import Background, deal_detail
from framework.views.markup import Html, web_address
from framework.web.context import DashboardContext
from framework.web.pictures import Pictures
from framework.web.shared import SharedReads

PAGE_SIZE = 24
_FRESH, _COUNTED = 2.0, 20.0  # seconds that a page, and the number of all matches, is kept for all tabs
_NOTIFICATIONS = 20


@dataclass(frozen=True)
class DealsQuery:
    """Which opportunities, in which order; ``page`` counts from 0, ``days`` limits their age."""

    search: str = ""
    order: OpportunityOrder = OpportunityOrder.NEWEST
    days: int | None = None
    samples: bool = True
    feed: str | None = None
    most: Decimal | None = None
    least_pct: float | None = None
    surest: float | None = None
    said: Said | None = None
    page: int = 0


class DealsPages:
    """Reads the memory for the Deals tab. Raises ``DatabaseUnavailable``."""

    def __init__(self, context: DashboardContext, shared: SharedReads, pictures: Pictures) -> None:
        self._context, self._shared, self._pictures = context, shared, pictures

    def page(self, query: DealsQuery) -> Html:
        """The cards of one page; a page beyond the last is the last."""
        return self._shared.get(("deals", query), _FRESH, lambda: self._page(query))

    def page_count(self, query: DealsQuery) -> int:
        """How many pages there are; at least one."""
        return max(1, -(-self._total(query) // PAGE_SIZE))

    def detail(self, identity: str) -> Html | None:
        """What one opportunity was judged on and what became of it, ``None`` for an unknown one."""
        store = self._context.store
        record = store.opportunity(identity)
        if record is None:
            return None
        background = Background(
            history=store.price_history(record.product_key),
            notifications=store.notifications(_NOTIFICATIONS, opportunity_id=identity),
            can_resend=self._context.resend is not None,
        )
        return deal_detail(record, self._context.settings.zone, background)

    def picture(self, identity: str) -> bytes | None:
        """The picture of one opportunity, where it is here."""
        record = self._context.store.opportunity(identity)
        url = _picture_address(record.opportunity.deal) if record else None
        return self._pictures.read(url) if url else None

    def _page(self, query: DealsQuery) -> Html:
        total, only = self._total(query), self._only(query)
        page = min(max(query.page, 0), max(0, total - 1) // PAGE_SIZE)
        records = self._context.store.opportunities(PAGE_SIZE, page * PAGE_SIZE, order=query.order, **only)
        shown = DealsPage(
            records=records,
            total=max(total, page * PAGE_SIZE + len(records)),
            first=page * PAGE_SIZE + 1,
            narrowed=query != DealsQuery(order=query.order, page=query.page),
            votes=self._context.store.votes_on([record.opportunity.id for record in records]),
            pictured=self._pictured(records),
        )
        return deals_page(shown, self._context.settings.zone)

    def _total(self, query: DealsQuery) -> int:
        """How many match: counted again after some seconds, or at once where the memory has just become filled."""
        key = ("total", query.search, query.days, query.samples, query.feed, query.most, query.least_pct)
        count = self._context.store.count_opportunities
        total = self._shared.get((*key, query.surest, query.said), _COUNTED, lambda: count(**self._only(query)))
        return total if total >= PAGE_SIZE else count(**self._only(query))

    def _only(self, query: DealsQuery) -> Narrowing:
        return {
            "search": query.search.strip() or None,
            "since": None if query.days is None else self._context.clock() - timedelta(days=query.days),
            "samples": query.samples,
            "feed": query.feed,
            "most": query.most,
            "least_pct": query.least_pct,
            "surest": query.surest,
            "said": query.said,
        }

    def _pictured(self, records: Sequence[OpportunityRecord]) -> set[str]:
        """The opportunities whose picture is here; the others' are being fetched."""
        addresses = {record.opportunity.id: _picture_address(record.opportunity.deal) for record in records}
        return {identity for identity, url in addresses.items() if url and self._pictures.have(url)}


def _picture_address(deal: Deal) -> str | None:
    """Where the deal's picture is; the made-up ones of the sample feed have none."""
    return None if deal.sample else web_address(deal.image)
