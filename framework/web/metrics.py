"""/metrics for Prometheus. The one owner of prometheus_client.

Read from the memory when it is asked for, so that the figures survive restarts and count what other processes did.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

from framework.errors import DatabaseUnavailable
from framework.feedstate import FeedStatus
from framework.health import CheckStatus, worst
from framework.web.context import DashboardContext
from framework.web.health import Health

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def add_metrics(app: FastAPI, context: DashboardContext, health: Health) -> None:
    """Put /metrics on the app."""
    from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
    from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(MemoryCollector(context, health))

    @app.get("/metrics", tags=["operation"], response_class=PlainTextResponse)
    def metrics() -> PlainTextResponse:
        """Figures for Prometheus."""
        return PlainTextResponse(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)


class MemoryCollector:
    """The memory in figures."""

    def __init__(self, context: DashboardContext, health: Health) -> None:
        self._context = context
        self._health = health

    def describe(self) -> list[Metric]:
        """Nothing: registering must not read the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All figures; only ``dealhound_up`` with 0 while the database cannot be read."""
        from prometheus_client.core import GaugeMetricFamily

        try:
            figures = [*self._feeds(), *self._work(), *self._money(), *self._hunts()]
            healthy = worst(self._health.alive()) is not CheckStatus.FAILED
        except DatabaseUnavailable:
            figures, healthy = [], False
        yield GaugeMetricFamily("dealhound_up", "1 while the daemon does its work", value=float(healthy))
        yield from figures

    def _feeds(self) -> Iterator[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        family = GaugeMetricFamily("dealhound_feeds", "Feeds by their health", labels=["status"])
        feeds = self._context.store.feeds()
        states = [feed.status.value for feed in feeds]
        for status in ("new", "ok", "failing", "gone"):
            family.add_metric([status], states.count(status))
        yield family
        checked = [feed.last_check or feed.added for feed in feeds if feed.status is not FeedStatus.GONE]
        if checked:
            oldest = (self._context.clock() - min(checked)).total_seconds()
            yield GaugeMetricFamily("dealhound_oldest_check_seconds", "Since the least recent check", value=oldest)

    def _work(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        store = self._context.store
        entries = CounterMetricFamily("dealhound_entries", "Entries by what became of them", labels=["verdict"])
        for verdict, count in sorted(store.count_by_verdict().items()):
            entries.add_metric([verdict], count)
        yield entries
        outbox = GaugeMetricFamily("dealhound_outbox", "Notifications by state", labels=["state"])
        for state, count in sorted({"waiting": 0, **store.count_notifications()}.items()):
            outbox.add_metric([state], count)
        yield outbox
        yield GaugeMetricFamily(
            "dealhound_opportunities", "Opportunities that were surfaced", value=store.count_opportunities()
        )

    def _money(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily

        usage = self._context.store.usage_since(_LONG_AGO)
        tokens = CounterMetricFamily("dealhound_llm_tokens", "Tokens of language models", labels=["direction"])
        tokens.add_metric(["in"], usage.tokens_in)
        tokens.add_metric(["out"], usage.tokens_out)
        yield tokens
        yield CounterMetricFamily("dealhound_llm_calls", "Calls of language models", value=usage.calls)
        yield CounterMetricFamily("dealhound_llm_usd", "US dollars spent on language models", value=float(usage.usd))

    def _hunts(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        totals = CounterMetricFamily(
            "dealhound_hunted",
            "Figures of all hunts: polls by outcome, bytes, entries new and known, milliseconds per stage",
            labels=["what"],
        )
        for what, count in sorted(self._context.store.hunt_totals().items()):
            totals.add_metric([what], count)
        yield totals
        last = self._context.store.hunts(1)
        if not last:
            return
        hunt = last[0]
        yield GaugeMetricFamily(
            "dealhound_last_hunt_timestamp_seconds", "When the last hunt began", value=hunt.started.timestamp()
        )
        if hunt.finished is not None:
            seconds = (hunt.finished - hunt.started).total_seconds()
            yield GaugeMetricFamily("dealhound_last_hunt_seconds", "How long the last hunt took", value=seconds)
        family = GaugeMetricFamily("dealhound_last_hunt_items", "Figures of the last hunt", labels=["what"])
        for what, count in sorted(hunt.counts.items()):
            family.add_metric([what], count)
        yield family
