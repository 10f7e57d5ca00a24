"""The reader that asks a language model, about those entries only that the grammar is not certain of.

Entries go in batches; a claim comes back by number and is settled against the entry itself (``agents.settle``). Claims
are kept per entry, so that the same entry never costs twice, in whatever batch or after whatever crash it comes again.
Without the model (budget, outage, refusal, nonsense) everything is read by the grammar, and the report says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Protocol

import structlog
from pydantic import ValidationError

from agents.grounding import Source
from agents.prompts import READ, DealClaim, DealSelection, fence
from agents.screen import speaks_to_machines
from agents.settle import settle
from framework.chat.budget import Replies, ReplyCache
from framework.chat.client import Chat
from framework.deals import Entry, Reading
from framework.errors import ChatDeclined, ChatError, ChatReplyError, ContextTooSmall, ReplyCutOff
from framework.reading.currencies import currency_of_site
from framework.reading.pages import Page
from framework.reading.text import plain_content, plain_title

_MOST_BODY, _MOST_PAGE = 1_500, 600  # characters of an entry's text that the model sees
_TOKENS_PER_CLAIM = 220
_NONSENSE_LIMIT = 3  # useless replies in a row after which the model is left alone
_SILENCE = 1_800.0  # seconds for which it is left alone


class GrammarReader(Protocol):
    """The reader that needs no model."""

    def read(self, entries: Sequence[Entry], pages: Mapping[str, Page]) -> list[Reading]:
        """One reading per entry, in order."""
        ...


@dataclass(frozen=True)
class ReaderReport:
    """What became of the entries of one ``read``, or of all since the start."""

    entries: int = 0
    certain: int = 0  # needed no model: what certainty saves
    screened: int = 0  # kept from the model because they speak to machines
    cached: int = 0  # known from an earlier reply
    asked: int = 0
    calls: int = 0
    unanswered: int = 0  # asked about, but no usable claim came back: read by grammar
    degraded: str | None = None  # why the model was not asked about all of them

    def __add__(self, other: ReaderReport) -> ReaderReport:
        sums = {name: getattr(self, name) + number for name, number in other.counts().items()}
        return ReaderReport(**sums, degraded=other.degraded or self.degraded)

    def counts(self) -> dict[str, int]:
        """The figures by name."""
        return {name: number for name, number in asdict(self).items() if name != "degraded"}


@dataclass
class _Item:
    """One uncertain entry on its way."""

    reading: Reading
    source: Source
    claim: DealClaim | None = None

    @property
    def text(self) -> str:
        parts = [f"Title: {self.source.title}"]
        if self.source.body:
            parts.append(f"Text: {self.source.body}")
        if self.source.page:
            parts.append(f"Page: {self.source.page}")
        return "\n".join(parts)


@dataclass
class _Batches:
    """One run over the uncertain entries."""

    calls: int = 0
    degraded: str | None = None
    items: list[_Item] = field(default_factory=list)


class LlmReader:
    """Keeps the ``Reader`` contract and never raises ``ChatError``. One ``read`` at a time."""

    name = "llm"

    def __init__(
        self,
        chat: Chat,
        grammar: GrammarReader,
        cache: ReplyCache,
        *,
        batch: int = 10,
        screen: Callable[[str], bool] = speaks_to_machines,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._chat, self._grammar = chat, grammar
        self._replies = Replies(cache, chat.model, READ.key)
        self._batch, self._screen, self._clock = batch, screen, clock
        self._nonsense = 0
        self._silent_until = 0.0
        self._log = structlog.get_logger("dealhound").bind(agent="scanner")
        self.last = ReaderReport()
        self.total = ReaderReport()

    def read(self, entries: Sequence[Entry], pages: Mapping[str, Page]) -> list[Reading]:
        """One reading per entry, in order."""
        readings = self._grammar.read(entries, pages)
        uncertain = {
            n: _Item(reading, source_of(reading.entry, pages.get(reading.entry.id)))
            for n, reading in enumerate(readings)
            if not reading.certain
        }
        safe = {n: item for n, item in uncertain.items() if not self._screen(item.text)}
        for item in safe.values():
            item.claim = self._remembered(item)
        open_items = [item for item in safe.values() if item.claim is None]
        run = self._ask_all(open_items)
        for n, item in safe.items():
            if item.claim is not None:
                readings[n] = settle(item.reading, item.claim, item.source)
        self._report(
            ReaderReport(
                entries=len(entries),
                certain=len(entries) - len(uncertain),
                screened=len(uncertain) - len(safe),
                cached=len(safe) - len(open_items),
                asked=len(run.items),
                calls=run.calls,
                unanswered=sum(item.claim is None for item in run.items),
                degraded=run.degraded,
            )
        )
        return readings

    def _report(self, report: ReaderReport) -> None:
        self.last = report
        self.total = self.total + report
        if report.degraded:
            self._log.warning("reading without the language model", reason=report.degraded, entries=report.entries)
        self._log.info("read with the language model", model=self._chat.model, **report.counts())

    def _remembered(self, item: _Item) -> DealClaim | None:
        kept = self._replies.get(item.text)
        if kept is None:
            return None
        try:
            return DealClaim.model_validate_json(kept)
        except ValidationError:
            return None

    def _ask_all(self, items: Sequence[_Item]) -> _Batches:
        run = _Batches()
        for start in range(0, len(items), self._batch):
            if self._clock() < self._silent_until:
                run.degraded = run.degraded or "The language model's replies were useless; it is left alone for a while"
                return run
            try:
                self._ask(items[start : start + self._batch], run)
            except ChatReplyError as error:
                self._count_nonsense(error)
                run.degraded = str(error)
            except ChatError as error:
                run.degraded = str(error)
                return run
            else:
                self._nonsense = 0
        return run

    def _count_nonsense(self, error: ChatError) -> None:
        self._nonsense += 1
        if self._nonsense >= _NONSENSE_LIMIT:
            self._silent_until = self._clock() + _SILENCE
            self._nonsense = 0
        self._log.warning("useless reply", model=self._chat.model, reason=str(error))

    def _ask(self, items: Sequence[_Item], run: _Batches) -> None:
        """Ask about a batch; halve it when it is too long for the model, or one of its items is declined."""
        run.calls += 1
        try:
            parsed = self._chat.parse(
                READ.messages(fence([item.text for item in items])),
                DealSelection,
                purpose="read",
                max_tokens=_TOKENS_PER_CLAIM * len(items) + 200,
            )
        except (ContextTooSmall, ReplyCutOff, ChatDeclined) as error:
            if len(items) == 1:
                run.items += items
                self._log.warning(
                    "entry read without the language model", entry=items[0].reading.entry.id, reason=str(error)
                )
                return
            middle = len(items) // 2
            self._ask(items[:middle], run)
            self._ask(items[middle:], run)
            return
        run.items += items
        self._take(items, parsed.value)

    def _take(self, items: Sequence[_Item], selection: DealSelection) -> None:
        """Give each item its claim. Claims about no item of ours, and two about the same one, are worth nothing."""
        numbers = [claim.item for claim in selection.deals]
        for claim in selection.deals:
            if 1 <= claim.item <= len(items) and numbers.count(claim.item) == 1:
                item = items[claim.item - 1]
                item.claim = claim
                self._replies.put(item.text, claim.model_dump_json())
        foreign = sum(not 1 <= number <= len(items) for number in numbers)
        missing = sum(item.claim is None for item in items)
        if missing == len(items):
            raise ChatReplyError(self._chat.model, "The reply says nothing of the items it was asked about")
        if foreign or missing:
            self._log.warning("selection does not match", asked=len(items), foreign=foreign, missing=missing)


def source_of(entry: Entry, page: Page | None) -> Source:
    """The plain text of an entry, as the model sees it and claims are checked against."""
    about_page = (
        " ".join(part for part in (page.product or page.title, str(page.price or ""), page.description) if part)
        if page
        else ""
    )
    currency = currency_of_site(entry.url) or currency_of_site(entry.feed_url) or "USD"
    return Source(
        plain_title(entry.title), plain_content(entry.content)[:_MOST_BODY], about_page[:_MOST_PAGE], currency
    )
