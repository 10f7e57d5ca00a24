"""What each tab shows: reads the memory, hands the records to the views. Reads only; starts nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Concatenate, ParamSpec

import structlog

from framework.errors import DealhoundError
from framework.health import Check, CheckStatus
from framework.memory.records import OpportunityOrder, OpportunityRecord
from framework.views.accuracy import accuracy_figure, accuracy_tables
from framework.views.deals import Background, DealsPage, deals_page
from framework.views.feeds import feeds_table
from framework.views.live import entries_table, hunts_table, live_page, log_lines, progress_line, speakers
from framework.views.map import map_figure
from framework.views.markup import Html
from framework.views.status import checks_list, header, problem, settings_table, usage_line
from framework.web.context import DashboardContext

PAGE_SIZE = 24
_CHECKS_LAST = timedelta(minutes=1)
_MAP_DEALS = 200
_P = ParamSpec("_P")

log = structlog.get_logger("dashboard")


@dataclass(frozen=True)
class DealsQuery:
    """Which opportunities, in which order; ``page`` counts from 0, ``days`` limits their age."""

    search: str = ""
    order: OpportunityOrder = OpportunityOrder.NEWEST
    days: int | None = None
    samples: bool = True
    page: int = 0


def _shown(
    method: Callable[Concatenate[Pages, _P], Html],
) -> Callable[Concatenate[Pages, _P], Html]:
    """What goes wrong while a tab is read is shown in that tab, in its own words."""

    def page(self: Pages, /, *args: _P.args, **kwargs: _P.kwargs) -> Html:
        try:
            return method(self, *args, **kwargs)
        except DealhoundError as error:
            log.warning("page_failed", page=method.__name__, error=str(error))
            return problem(str(error))

    page.__doc__ = method.__doc__

    return page


class Pages:
    """The tabs of the dashboard as HTML, read afresh at every call."""

    def __init__(self, context: DashboardContext) -> None:
        self._context = context
        self._checks: tuple[datetime, Sequence[Check]] | None = None
        self._checking = threading.Lock()

    def checks(self) -> Sequence[Check]:
        """Doctor's checks, at most a minute old. A check that raises is itself a failed check."""
        with self._checking:
            now = self._context.clock()
            if self._checks is None or now - self._checks[0] >= _CHECKS_LAST:
                try:
                    self._checks = (now, tuple(self._context.checks()))
                except DealhoundError as error:
                    self._checks = (now, (Check(name="checks", status=CheckStatus.FAILED, detail=str(error)),))
            return self._checks[1]

    @_shown
    def header(self) -> Html:
        """The line at the top."""
        last = self._context.store.hunts(1)
        return header(
            self.checks(),
            self._context.store.count_opportunities(),
            last[0].started if last else None,
            self._context.settings.zone,
            paused=self._paused(),
        )

    @_shown
    def deals(self, query: DealsQuery) -> Html:
        """One page of opportunities."""
        search, since, samples = query.search.strip() or None, self._since(query.days), query.samples
        store = self._context.store
        total = store.count_opportunities(search=search, since=since, samples=samples)
        page = min(max(query.page, 0), max(0, total - 1) // PAGE_SIZE)
        records = store.opportunities(
            PAGE_SIZE, page * PAGE_SIZE, order=query.order, search=search, since=since, samples=samples
        )
        return deals_page(
            DealsPage(
                records=records,
                total=total,
                first=page * PAGE_SIZE + 1,
                narrowed=bool(search or since or not samples),
                background={record.opportunity.id: self._background(record) for record in records},
            ),
            self._context.settings.zone,
        )

    def page_count(self, query: DealsQuery) -> int:
        """How many pages ``deals`` has for a query; at least one."""
        try:
            total = self._context.store.count_opportunities(
                search=query.search.strip() or None, since=self._since(query.days), samples=query.samples
            )
        except DealhoundError:  # the page itself says what is wrong
            return 1
        return max(1, -(-total // PAGE_SIZE))

    @_shown
    def live(self) -> Html:
        """The running hunt, the last hunts, the newest entries."""
        zone = self._context.settings.zone
        return live_page(
            progress_line(self._context.progress(), zone, paused=self._paused()),
            hunts_table(self._context.store.hunts(8), zone),
            entries_table(self._context.store.entries(15), zone),
        )

    @_shown
    def log(self, level: str = "info", agent: str | None = None) -> Html:
        """The newest log lines."""
        return log_lines(self._context.log.lines(400), level=level, agent=agent)

    def speakers(self) -> list[str]:
        """Who speaks in the log."""
        return speakers(self._context.log.lines(1_000))

    @_shown
    def feeds(self) -> Html:
        """The feeds and their health."""
        return feeds_table(self._context.store.feeds(), self._context.settings.zone, self._context.clock())

    @_shown
    def status(self) -> Html:
        """What is set up and what is degraded."""
        return checks_list(self.checks())

    @_shown
    def usage(self) -> Html:
        """What the language model has used today."""
        return usage_line(self._context.usage())

    @_shown
    def settings(self) -> Html:
        """The settings in force."""
        return settings_table(self._context.settings)

    def map(self, *, deep: bool = False) -> dict[str, Any] | None:
        """The catalogue with the newest deals on it as a plotly figure; ``None`` until it is laid out."""
        atlas = self._context.atlas()
        if atlas is None or not atlas.places:
            return None
        newest = [record.opportunity for record in self._context.store.opportunities(_MAP_DEALS)]
        return map_figure(atlas, newest, deep=deep)

    @_shown
    def accuracy(self) -> Html:
        """The last evaluation's figures."""
        return accuracy_tables(self._context.evaluation())

    def accuracy_plot(self) -> dict[str, Any] | None:
        """Estimates beside true prices as a plotly figure; ``None`` without an evaluation."""
        report = self._context.evaluation()
        return accuracy_figure(report) if report else None

    def _paused(self) -> bool:
        return self._context.controls is not None and self._context.controls.paused()

    def _since(self, days: int | None) -> datetime | None:
        return None if days is None else self._context.clock() - timedelta(days=days)

    def _background(self, record: OpportunityRecord) -> Background:
        store, identity = self._context.store, record.opportunity.id
        return Background(
            history=store.price_history(record.product_key),
            notifications=store.notifications(20, opportunity_id=identity),
            vote=store.vote_on(identity),
            can_resend=self._context.resend is not None,
        )
