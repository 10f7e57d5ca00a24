"""/metrics for Prometheus. The one owner of prometheus_client.

Read from the memory when it is asked for, so that the figures survive restarts and count what other processes did.
Counters come from totals that only grow, never from rows that are forgotten one day: a counter that falls reads as a
restart. Names and units follow https://prometheus.io/docs/practices/naming/.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

from framework.errors import DatabaseUnavailable
from framework.feedstate import FeedStatus
from framework.health import CheckStatus, worst
from framework.memory.pushes import BUCKETS
from framework.web.context import DashboardContext
from framework.web.health import Health

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

# Counter, label, the label's values by the name of the figure in the hunts' totals, help.
_HUNTED = (
    ("entries", "seen", {"entries_new": "new", "entries_known": "known"}, "Entries that polls brought"),
    ("readings", "outcome", {"deals": "deal", "skipped": "skipped", "failed": "failed"}, "Entries by how they read"),
    ("judged", "", {"judged": ""}, "Deals that were judged"),
    ("surfaced", "", {"opportunities": ""}, "Opportunities that hunts found"),
    ("pages_fetched", "", {"pages_fetched": ""}, "Deal pages that were fetched"),
    ("fetched_bytes", "", {"bytes_fetched": ""}, "Bytes of feeds that were fetched"),
)


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
        try:
            figures = [*self._feeds(), *self._work(), *self._totals(), *self._members(), *self._money()]
            figures += [*self._pushes(), *self._last_hunt()]
            healthy = worst(self._health.alive()) is not CheckStatus.FAILED
        except DatabaseUnavailable:
            figures, healthy = [], False
        yield _gauge("up", "1 while the daemon does its work", float(healthy))
        yield from figures

    def _feeds(self) -> Iterator[Metric]:
        feeds = self._context.store.feeds()
        states = [feed.status.value for feed in feeds]
        yield _gauges("feeds", "Feeds by their health", "status", {s.value: states.count(s.value) for s in FeedStatus})
        checked = [feed.last_check or feed.added for feed in feeds if feed.status is not FeedStatus.GONE]
        if checked:
            oldest = (self._context.clock() - min(checked)).total_seconds()
            yield _gauge("oldest_check_seconds", "Since the least recent check of a feed", oldest)

    def _work(self) -> Iterator[Metric]:
        store = self._context.store
        verdicts = store.count_by_verdict()
        yield _gauges("remembered_entries", "Entries in the memory by what became of them", "verdict", verdicts)
        yield _gauges(
            "outbox_messages", "Messages by state", "state", {"waiting": 0, "sending": 0, **store.count_notifications()}
        )
        yield _gauge("opportunities", "Opportunities in the memory", store.count_opportunities())

    def _totals(self) -> Iterator[Metric]:
        totals = self._context.store.hunt_totals()
        failed, unchanged = totals.get("feeds_failed", 0), totals.get("feeds_unchanged", 0)
        polls = {
            "failed": failed,
            "unchanged": unchanged,
            "changed": totals.get("feeds_polled", 0) - failed - unchanged,
        }
        yield _counters("polls", "Polls of feeds by outcome", "outcome", polls)
        for name, label, values, words in _HUNTED:
            yield _counters(name, words, label, {value: totals.get(key, 0) for key, value in values.items()})
        stages = {name[3:]: spent / 1000 for name, spent in totals.items() if name.startswith("ms_")}
        yield _counters("stage_seconds", "Time spent in each stage of hunts", "stage", stages)

    def _members(self) -> Iterator[Metric]:
        totals = self._context.store.hunt_totals()
        for kind, words in (("estimates", "Estimates given by a member"), ("errors", "Estimates a member failed at")):
            figures = {name.partition(".")[2]: count for name, count in totals.items() if name.startswith(f"{kind}.")}
            yield _counters(f"member_{kind}", words, "member", figures)

    def _money(self) -> Iterator[Metric]:
        used = self._context.store.usage_totals()
        tokens = {"in": used.get("tokens_in", 0), "out": used.get("tokens_out", 0)}
        yield _counters("llm_tokens", "Tokens of language models", "direction", tokens)
        yield _counters("llm_calls", "Calls of language models", "", {"": used.get("calls", 0)})
        yield _counters("llm_usd", "US dollars spent on language models", "", {"": used.get("micro_usd", 0) / 1e6})

    def _pushes(self) -> Iterator[Metric]:
        from prometheus_client.core import HistogramMetricFamily

        delays = self._context.store.push_delays()
        count = delays.get("count", 0)
        yield HistogramMetricFamily(
            "dealhound_publish_to_push_seconds",
            "From a deal's publication to its message being accepted",
            buckets=[*((str(bound), delays.get(str(bound), 0)) for bound in BUCKETS), ("+Inf", count)],
            sum_value=delays.get("sum", 0),
        )

    def _last_hunt(self) -> Iterator[Metric]:
        last = self._context.store.hunts(1)
        if not last:
            return
        hunt = last[0]
        yield _gauge("last_hunt_timestamp_seconds", "When the last hunt began", hunt.started.timestamp())
        yield _gauge("last_hunt_failed", "1 when the last hunt ended with an error", float(hunt.error is not None))
        if hunt.finished is not None:
            seconds = (hunt.finished - hunt.started).total_seconds()
            yield _gauge("last_hunt_seconds", "How long the last hunt took", seconds)


def _gauge(name: str, words: str, value: float) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    return GaugeMetricFamily(f"dealhound_{name}", words, value=value)


def _gauges(name: str, words: str, label: str, values: Mapping[str, float]) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(f"dealhound_{name}", words, labels=[label])
    for value, number in sorted(values.items()):
        family.add_metric([value], number)
    return family


def _counters(name: str, words: str, label: str, values: Mapping[str, float]) -> Metric:
    """A counter by the values of a label, or one without labels where ``label`` is empty."""
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily(f"dealhound_{name}", words, labels=[label] if label else [])
    for value, number in sorted(values.items()):
        family.add_metric([value] if label else [], number)
    return family
