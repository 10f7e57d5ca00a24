"""What each tab shows: reads the memory, hands the records to the views. Reads only; starts nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Concatenate, ParamSpec

import structlog

from framework.errors import DealhoundError
from framework.health import Check, CheckStatus
from framework.settings import Settings
from framework.views.accuracy import accuracy_tables
from framework.views.feeds import feeds_table
from framework.views.live import agents_list, entries_table, hunts_table, live_page, log_lines, progress_line
from framework.views.map import MapDeals, map_figure
from framework.views.markup import Html
from framework.views.plots import accuracy_plots
from framework.views.status import checks_list, header, problem, settings_table, usage_line
from framework.web.context import DashboardContext
from framework.web.deals_pages import DealsPages, DealsQuery
from framework.web.pictures import Pictures
from framework.web.shared import SharedReads

_CHECKS_LAST = timedelta(minutes=1)
_MAP_DEALS = 200
_MAP_LASTS = 60.0  # seconds
_COUNT_LASTS = 20.0
_FRESH = 1.0  # what many tabs ask for within a second is read once
_LOG_LINES = 400
_P = ParamSpec("_P")

log = structlog.get_logger("dashboard")


def _shown(
    method: Callable[Concatenate[Pages, _P], Html],
) -> Callable[Concatenate[Pages, _P], Html]:
    """Tabs that ask for the same within a second share one reading; what goes wrong is shown in the tab's place."""

    def page(self: Pages, /, *args: _P.args, **kwargs: _P.kwargs) -> Html:
        def read() -> Html:
            try:
                return method(self, *args, **kwargs)
            except DealhoundError as error:
                log.warning("page_failed", page=method.__name__, error=str(error))
                return problem(str(error))

        return self.shared.get((method.__name__, args, tuple(kwargs.items())), _FRESH, read)

    page.__doc__ = method.__doc__

    return page


class Pages:
    """The tabs of the dashboard as HTML, the same for everyone who looks."""

    def __init__(self, context: DashboardContext) -> None:
        self._context = context
        self.shared = SharedReads()
        self.deals_pages = DealsPages(
            context, self.shared, Pictures(context.settings.state / "pictures", context.fetch_picture)
        )
        self._checks: tuple[datetime, Sequence[Check]] | None = None
        self._checking = threading.Lock()

    @property
    def settings_now(self) -> Settings:
        """The settings in force, with what the owner changed here."""
        owner = self._context.preferences
        return owner.settings() if owner else self._context.settings

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
        store = self._context.store
        last = store.hunts(1)
        return header(
            self.checks(),
            self.shared.get("opportunities", _COUNT_LASTS, store.count_opportunities),
            last[0].started if last else None,
            self._context.settings.zone,
            paused=self._paused(),
        )

    @_shown
    def deals(self, query: DealsQuery) -> Html:
        """One page of opportunities."""
        return self.deals_pages.page(query)

    def page_count(self, query: DealsQuery) -> int:
        """How many pages ``deals`` has for a query; at least one."""
        try:
            return self.deals_pages.page_count(query)
        except DealhoundError:  # the page itself says what is wrong
            return 1

    def feed_choices(self) -> list[tuple[str, str]]:
        """The followed feeds as (title, address)."""
        try:
            return [(feed.title or feed.url, feed.url) for feed in self._context.store.feeds()]
        except DealhoundError:  # the page itself says what is wrong
            return []

    @_shown
    def live(self) -> Html:
        """The running hunt, the agents, the last hunts, the newest entries."""
        zone = self._context.settings.zone
        return live_page(
            progress_line(self._context.progress(), zone, paused=self._paused()),
            agents_list(self._context.log.lines(_LOG_LINES)),
            hunts_table(self._context.store.hunts(8), zone),
            entries_table(self._context.store.entries(15), zone),
        )

    @_shown
    def log(self, level: str = "info", agent: str | None = None) -> Html:
        """The newest log lines."""
        return log_lines(self._context.log.lines(_LOG_LINES), level=level, agent=agent)

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
        return settings_table(self.settings_now)

    def map(self, *, deep: bool = False) -> dict[str, Any] | None:
        """The catalogue with the latest deals on it as a plotly figure; ``None`` until it is laid out."""
        return self.shared.get(("map", deep), _MAP_LASTS if self._context.atlas() else 0, lambda: self._map(deep))

    def _map(self, deep: bool) -> dict[str, Any] | None:
        atlas = self._context.atlas()
        if atlas is None or not atlas.places:
            return None
        try:
            deals = self._map_deals()
        except DealhoundError as error:
            log.warning("page_failed", page="map", error=str(error))
            deals = MapDeals([], f"No deals: {error}")
        return map_figure(atlas, deals, deep=deep)

    def _map_deals(self) -> MapDeals:
        """Today's deals; on a day without any the newest ones."""
        store, zone = self._context.store, self._context.settings.zone
        midnight = self._context.clock().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        today = store.opportunities(_MAP_DEALS, since=midnight)
        records = today or store.opportunities(_MAP_DEALS)
        return MapDeals([record.opportunity for record in records], "Today's deals" if today else "Newest deals")

    @_shown
    def accuracy(self) -> Html:
        """The last evaluation's figures."""
        return accuracy_tables(self._context.evaluation())

    def accuracy_plots(self) -> list[dict[str, Any]]:
        """The last evaluation as plotly figures; none without an evaluation."""
        report = self._context.evaluation()
        return accuracy_plots(report) if report else []

    def _paused(self) -> bool:
        return self._context.controls is not None and self._context.controls.paused()
