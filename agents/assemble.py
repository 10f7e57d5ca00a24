"""Builds the real set of agents from the settings: the only place that does. Each part is made when first asked for."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import structlog

from framework.log import LogBuffer
from framework.progress import ProgressBoard
from framework.settings import Settings
from framework.tally import Tally

if TYPE_CHECKING:
    from agents.appraiser import Appraiser
    from agents.ensemble import EnsembleAgent
    from agents.keep_warm import KeepWarm
    from agents.learning import Learner
    from agents.member import MemberAgent
    from agents.messaging.base import Notifier
    from agents.messaging.composer import Composer
    from agents.messaging.notices import Notices
    from agents.messaging.sender import Sender
    from agents.planning import PlanningAgent
    from agents.rates import RateBook
    from agents.scanner import ScannerAgent
    from agents.specialist import SpecialistAgent
    from agents.specialists import Specialists
    from agents.watch import Watch
    from framework.chat.client import Chat
    from framework.deals import Deal, Entry, Opportunity
    from framework.feeds import Poller
    from framework.http import HttpClient
    from framework.judge import JudgeRule
    from framework.memory.snapshot import Snapshot
    from framework.memory.store import Store
    from framework.money import Money
    from framework.outbox import Plan
    from framework.price_history import PriceSummary
    from framework.reading.base import Reader
    from framework.reading.pages import Page
    from framework.votelinks import VoteLinks
    from models.atlas import CatalogueAtlas
    from models.base import Estimator
    from models.blender import Blender
    from models.catalogue import Catalogue
    from models.encoder import Encoder

PAGE_BYTES = 4_000_000
_PICTURE_SECONDS = 8.0  # far below the sender's grace


class Hound:
    """Everything one process of Dealhound consists of. A context manager: what was opened is closed in reverse."""

    def __init__(self, settings: Settings, *, log_buffer: LogBuffer | None = None) -> None:
        self.settings = settings
        self.log_buffer = log_buffer or LogBuffer()
        self.stop_event = threading.Event()
        self.progress = ProgressBoard()
        self.tally = Tally()
        self._open = ExitStack()
        self._sending = threading.Lock()

    def __enter__(self) -> Hound:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def go_by(self, settings: Settings, names: Sequence[str]) -> None:
        """Put new values of these settings in force: what was built from the old ones is built anew when next used."""
        self.settings = self.settings.model_copy(update={name: getattr(settings, name) for name in names})
        for part in ("rule", "learner", "appraiser", "offer_appraiser", "planner", "messenger"):
            self.__dict__.pop(part, None)

    # --- memory -------------------------------------------------------------------------------------------------------

    @cached_property
    def store(self) -> Store:
        """The memory, with the first feeds and the opportunities of an existing memory.json in it."""
        from framework.memory.store import Store

        self.settings.state.mkdir(parents=True, exist_ok=True)
        store = self._open.enter_context(Store.open(self.settings.sqlalchemy_url))
        self._snapshot_of(store).load()
        seed_feeds(store, self.settings.feeds)
        return store

    @cached_property
    def snapshot(self) -> Snapshot:
        """memory.json."""
        return self._snapshot_of(self.store)

    def _snapshot_of(self, store: Store) -> Snapshot:
        from framework.memory.snapshot import Snapshot

        return Snapshot(self.settings.home / "memory.json", store)

    # --- scanning -----------------------------------------------------------------------------------------------------

    @cached_property
    def http(self) -> HttpClient:
        """The one way out."""
        return self._client(total_timeout=45.0)

    def _client(self, total_timeout: float) -> HttpClient:
        from framework.http import HttpClient

        client = HttpClient(
            allow_hosts=self.settings.allow_hosts,
            proxy=self.settings.proxy,
            user_agent=self.settings.user_agent,
            total_timeout=total_timeout,
        )
        return self._open.enter_context(client)

    @cached_property
    def poller(self) -> Poller:
        """Polls feeds over the network."""
        from framework.feeds import Poller, Schedule

        return Poller(self.http, schedule=Schedule(interval=self.settings.interval))

    @cached_property
    def chat(self) -> Chat | None:
        """The language model, where one is set up."""
        from framework.chat.factory import build_chat, chosen

        if chosen(self.settings) == "none":
            return None
        chat = build_chat(self.settings, self.store)
        if chat is not None:
            self._open.callback(chat.close)
        return chat

    @cached_property
    def tuned_chat(self) -> Chat | None:
        """The model that the owner had fine-tuned on prices, at the same server and under the same budget."""
        from framework.chat.client import Chat
        from framework.chat.factory import build_backend, chosen

        model = self.settings.frontier_model
        if model is None or self.chat is None or chosen(self.settings) != "openai":
            return None
        wished = self.settings.model_copy(update={"llm_model": model})
        chat = Chat(build_backend(wished), self.chat.budget)
        self._open.callback(chat.close)
        return chat

    @cached_property
    def reader(self) -> Reader:
        """Reads entries into deals: by grammar and markup, and by a language model where one is set up."""
        from agents.llm_reader import LlmReader
        from framework.reading.extractive import ExtractiveReader

        extractive = ExtractiveReader()
        return LlmReader(self.chat, extractive, self.store) if self.chat else extractive

    def fetch_page(self, url: str) -> Page:
        """Fetch and read one page. Raises ``FetchError`` or ``PageError``."""
        from framework.reading.read_page import read_page

        response = self.http.get(url, max_bytes=PAGE_BYTES)
        return read_page(response.content, response.url)

    @cached_property
    def scanner(self) -> ScannerAgent:
        """The scanner agent."""
        from agents.scanner import ScannerAgent
        from agents.sources import SourcePoller
        from framework.reading.extractive import ExtractiveReader

        return ScannerAgent(
            SourcePoller(lambda: self.poller, self.stop_event.is_set),
            self.reader,
            self.fetch_page,
            ExtractiveReader().needs_page,
            max_pages=self.settings.max_pages,
            reason_to_skip=self._reason_to_skip,
            stopped=self.stop_event.is_set,
        )

    def _reason_to_skip(self, item: Entry | Deal, feed_url: str) -> str | None:
        """The owner's filters: the feed's own, the overall ones, then what was learnt from votes."""
        from framework.filters import first_reason

        filters = (self.settings.feed_filters.get(feed_url), self.settings.filters)
        return first_reason(filters, item) or self.learner.reason_to_skip(item)

    # --- estimating ---------------------------------------------------------------------------------------------------

    @cached_property
    def encoder(self) -> Encoder:
        """The sentence encoder that members share."""
        from models.encoder import Encoder

        return Encoder()

    @property
    def own_models(self) -> Path:
        """Where models that the owner trained are kept."""
        return self.settings.state / "models"

    def artifacts(self, name: str) -> Path:
        """The folder of an artifact: the owner's own where there is one, else the shipped ones."""
        from models.artifact import SHIPPED

        return self.own_models if (self.own_models / f"{name}.json").exists() else SHIPPED

    def paid_members(self) -> list[str]:
        """The members that are paid by the call."""
        return [member.name for member in self.members if member.is_remote]

    @cached_property
    def catalogue(self) -> Catalogue:
        """The products with known prices."""
        from models.catalogue import Catalogue
        from models.shipped import load_shipped

        url = self.settings.chroma_url
        path = None if url else self.settings.state / "catalogue"
        return Catalogue(self.encoder, path=path, url=url, shipped=load_shipped)

    @cached_property
    def atlas(self) -> CatalogueAtlas:
        """The map of the catalogue."""
        from models.atlas import CatalogueAtlas

        return CatalogueAtlas(self.catalogue, self.settings.state / "atlas.json")

    @cached_property
    def members(self) -> list[MemberAgent]:
        """The members of the ensemble."""
        from agents.frontier import FrontierAgent
        from agents.random_forest import RandomForestAgent
        from models.random_forest import RandomForest

        return [
            self.specialist,
            RandomForestAgent(RandomForest(self.encoder, self.artifacts("forest"))),
            FrontierAgent(self._frontier(), deadline=3 * self.settings.llm_timeout if self.chat else None),
        ]

    @property
    def specialist(self) -> SpecialistAgent:
        """The specialist agent over the model that the settings choose."""
        return self.specialists.agent

    @cached_property
    def keep_warm(self) -> KeepWarm | None:
        """Keeps a remote specialist running in the owner's hours, where hours are set."""
        from agents.keep_warm import KeepWarm

        hours = self.settings.modal_keep_warm
        if hours is None or self.settings.specialist != "modal":
            return None
        return KeepWarm(self.specialist, hours, self.settings.zone)

    @cached_property
    def specialists(self) -> Specialists:
        """The kinds of specialist."""
        from agents.specialists import Specialists

        specialists = Specialists(self.settings, self._bundled_specialist, self.own_models)
        self._open.callback(specialists.close)
        return specialists

    def _bundled_specialist(self) -> Estimator:
        from models.specialist import Specialist

        return Specialist(self.encoder, self.artifacts("specialist"))

    def _frontier(self) -> Estimator:
        from agents.llm_frontier import FrontierEstimator
        from models.knn import RetrievalEstimator

        retrieval = RetrievalEstimator(self.catalogue, self.encoder)
        if self.tuned_chat is not None:
            from agents.tuned_frontier import TunedFrontierEstimator

            return TunedFrontierEstimator(retrieval, self.tuned_chat, self.store)
        return FrontierEstimator(retrieval, self.chat, self.store) if self.chat else retrieval

    @cached_property
    def ensemble(self) -> EnsembleAgent:
        """The ensemble agent."""
        from agents.ensemble import EnsembleAgent

        return EnsembleAgent(self.members, self.blender, self.tally)

    @cached_property
    def blender(self) -> Blender:
        """Combines the members."""
        from models.blender import Blender

        return Blender(self.artifacts("blender"))

    @cached_property
    def rule(self) -> JudgeRule:
        """What counts as a bargain to the owner."""
        from framework.judge import JudgeRule

        wishes: dict[str, Any] = {
            "min_discount_pct": self.settings.min_discount_pct,
            "min_discount": self.settings.min_discount,
        }
        if self.settings.min_probability is not None:
            wishes["min_probability"] = self.settings.min_probability
        return JudgeRule(**wishes)

    @cached_property
    def appraiser(self) -> Appraiser:
        """Deals to verdicts."""
        from agents.appraiser import Appraiser
        from models.valuation import Valuer

        return Appraiser(
            self.ensemble, Valuer(self.blender.shape), self._rule_now, rates=self.rates.today, history=self._history
        )

    @cached_property
    def offer_appraiser(self) -> Appraiser:
        """The same for offers that are no part of the memory: without a history of prices."""
        from agents.appraiser import Appraiser
        from models.valuation import Valuer

        return Appraiser(self.ensemble, Valuer(self.blender.shape), self._rule_now, rates=lambda: self.rates.today())

    def _rule_now(self) -> JudgeRule:
        """The rule with what was learnt from the owner's votes, where the owner wishes that."""
        return self.rule if self.settings.precision_wish is None else self.learner.rule(self.rule)

    @cached_property
    def learner(self) -> Learner:
        """Learns from the owner's votes."""
        from agents.learning import Learner

        least = self.rule.min_probability
        return Learner(self.store, self.settings.precision_wish, least=least, tell=lambda: self.notices)

    def _history(self, deal: Deal) -> list[Money]:
        """What the deal's product cost in earlier offers."""
        from framework.dedupe import deal_key

        points = self.store.price_history(deal_key(deal))
        return [point.price for point in points if point.entry_id != deal.entry_id]

    @cached_property
    def rates(self) -> RateBook:
        """Exchange rates, fetched once a day when a deal needs them."""
        from agents.rates import RateBook

        return RateBook(self.store, lambda url: self.http.get(url, max_bytes=100_000).content, self.settings.rates)

    # --- messages -----------------------------------------------------------------------------------------------------

    @cached_property
    def notifiers(self) -> list[Notifier]:
        """The channels that are set up; the console is always one."""
        from agents.messaging.console import ConsoleNotifier

        settings = self.settings
        notifiers: list[Notifier] = [ConsoleNotifier()]
        if settings.pushover_user and settings.pushover_token:
            from agents.messaging.pushover import PushoverNotifier

            user, token = settings.pushover_user.get_secret_value(), settings.pushover_token.get_secret_value()
            base = settings.pushover_url
            notifiers.append(PushoverNotifier(user=user, token=token, base_url=base, fetch_image=self.fetch_picture))
        if settings.apprise_urls:
            from agents.messaging.apprise import AppriseNotifier

            notifiers += [AppriseNotifier(url) for url in settings.apprise_urls]
        return notifiers

    @cached_property
    def messenger(self) -> Sender:
        """Sends what the outbox holds."""
        from agents.messaging.sender import Sender

        channels = [*self.notifiers, *self.notice_notifiers]
        return Sender(self.store, channels, plan=self._plan(), compose=self.composer)

    @cached_property
    def composer(self) -> Composer:
        """Writes the messages about opportunities."""
        from agents.messaging.composer import Composer, Style
        from agents.messaging.copywriter import Copywriter

        settings = self.settings
        style = Style(
            sound=settings.pushover_sound,
            device=settings.pushover_device,
            ttl=settings.alert_ttl,
            emergency=settings.emergency,
            retry=settings.emergency_retry,
            expire=settings.emergency_expire,
        )
        wishes: dict[str, Any] = {"prices": self._past_prices, "vote_url": self.vote_links.url}
        if self.chat is not None:
            wishes["lead"] = Copywriter(self.chat, self.store)
        return Composer(style, **wishes)

    def _past_prices(self, opportunity: Opportunity) -> PriceSummary | None:
        """What an opportunity's product cost, one piece of it, in the last months."""
        from framework.dedupe import deal_key
        from framework.price_history import summarise

        points = self.store.price_history(deal_key(opportunity.deal))
        return summarise([(point.seen, point.price) for point in points], datetime.now(UTC))

    @cached_property
    def vote_links(self) -> VoteLinks:
        """The signed links in alerts."""
        from framework.votelinks import VoteLinks, key_in

        return VoteLinks(key_in(self.settings.state), self.settings.public_url)

    def fetch_picture(self, url: str) -> bytes:
        """A deal's picture for a message, which it must not hold up, and for the dashboard. Raises ``FetchError``."""
        from agents.messaging.pushover import IMAGE_BYTES

        return self._pictures.get(url, max_bytes=IMAGE_BYTES, accept="image/*").content

    @cached_property
    def _pictures(self) -> HttpClient:
        return self._client(total_timeout=_PICTURE_SECONDS)

    def _plan(self) -> Plan:
        from framework.outbox import Plan

        settings = self.settings
        return Plan(
            zone=settings.zone,
            quiet=settings.quiet_hours,
            daily_cap=settings.daily_cap,
            cooldown=timedelta(seconds=settings.cooldown),
            digest_at=settings.digest_at,
        )

    @cached_property
    def notice_notifiers(self) -> list[Notifier]:
        """Channels of their own for notices about the daemon; empty where these go out with the alerts."""
        from agents.messaging.apprise import AppriseNotifier

        return [AppriseNotifier(url) for url in self.settings.notice_urls]

    @cached_property
    def notices(self) -> Notices:
        """Tells the owner of trouble with the daemon itself, once per episode."""
        from agents.messaging.notices import Notices

        channels = self.notice_notifiers or self.notifiers
        return Notices(self.store, [notifier.channel for notifier in channels])

    def deliver(self) -> int:
        """Send what is due; how many messages were accepted. Hunts and the outbox job take turns."""
        with self._sending:
            return self.messenger.drain(should_stop=self.stop_event.is_set).get("sent", 0)

    def recheck(self) -> None:
        """Look again at the pages of recent opportunities."""
        from agents.recheck import Recheck

        Recheck(self.store, self.fetch_page).look()

    @cached_property
    def watch(self) -> Watch:
        """Looks after the daemon itself."""
        from agents.watch import Watch, looks

        return Watch(self.store, self.notices, looks(self))

    def upkeep(self) -> None:
        """Once a day: forget entries that nobody will ask for again; once a week, give their space back."""
        forgotten = self.store.forget()
        log = structlog.get_logger("dealhound").bind(agent="planner")
        log.info("upkeep", **forgotten)
        now, last = datetime.now(UTC), self.store.get_state("compacted")
        if last is None or now - datetime.fromisoformat(last) > timedelta(days=7):
            self.store.compact()
            self.store.set_state("compacted", now.isoformat())

    # --- the hunt -----------------------------------------------------------------------------------------------------

    @cached_property
    def planner(self) -> PlanningAgent:
        """The planning agent."""
        from agents.planning import PlanningAgent
        from agents.sources import read_sample_feed
        from agents.workflow import Parts
        from framework.outbox import Repeat

        parts = Parts(
            self.store,
            self.scanner,
            self.appraiser,
            [notifier.channel for notifier in self.notifiers],
            read_sample_feed,
            prepare=self.specialist.warm_up,
            notices=self.notices,
            progress=self.progress,
            tally=self.tally,
            stop=self.stop_event,
            max_entries=self.settings.max_entries,
            max_alerts=self.settings.max_alerts,
            repeat=Repeat(cheaper_pct=self.settings.again_pct),
        )
        return PlanningAgent(
            parts, deliver=self.deliver, save_snapshot=self.snapshot.write, **self._with_language_model()
        )

    def _with_language_model(self) -> dict[str, Any]:
        """What the planner gets from a language model, where there is one."""
        from agents.autonomous import AutonomousPlanner
        from agents.llm_reader import LlmReader

        if self.chat is None:
            return {}
        reader = self.reader
        wishes: dict[str, Any] = {"budget": self.chat.budget.hunt}
        if isinstance(reader, LlmReader):
            wishes["reading_problem"] = lambda: reader.last.degraded
        if self.settings.planner == "autonomous":
            wishes["autonomous"] = AutonomousPlanner(self.chat, most_notifications=self.settings.max_alerts)
        return wishes


def seed_feeds(store: Store, chosen: Sequence[str]) -> None:
    """Follow the first feeds, once in the life of a database: a feed that its owner removed stays removed."""
    if store.get_state("feeds.seeded"):
        return
    from framework.default_feeds import DEFAULT_FEEDS

    for url, title in [(url, None) for url in chosen] or DEFAULT_FEEDS:
        store.add_feed(url, title)
    store.set_state("feeds.seeded", datetime.now(UTC).isoformat())
