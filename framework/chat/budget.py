"""The owner's budget of tokens and money, and the memory of replies that were paid for.

Both stand on the database through two small protocols, so that neither a restart nor a crash forgets what was spent or
buys the same reply twice.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Protocol

from framework.chat.base import Usage
from framework.errors import BudgetExceeded

_MILLION = Decimal(1_000_000)
_LONGEST_HUNT = timedelta(days=7)  # one whose shares wait for a daemon to come back


class Spent(Protocol):
    """What was spent over some time."""

    @property
    def calls(self) -> int:
        """Number of calls."""
        ...

    @property
    def tokens_in(self) -> int:
        """Tokens of the requests."""
        ...

    @property
    def tokens_out(self) -> int:
        """Tokens of the replies."""
        ...

    @property
    def usd(self) -> Decimal:
        """US dollars, as far as the models' prices were known."""
        ...


class UsageLedger(Protocol):
    """Where usage is written down for good. The store keeps this contract."""

    def add_usage(
        self,
        model: str,
        tokens_in: int,
        tokens_out: int,
        usd: Decimal | float = 0,
        *,
        purpose: str = "",
        hunt_id: str | None = None,
    ) -> None:
        """Write down one call."""
        ...

    def usage_since(self, since: datetime, *, hunt_id: str | None = None) -> Spent:
        """All calls at or after ``since`` (aware), or those of one hunt among them."""
        ...


class ReplyCache(Protocol):
    """Where replies are kept by key. The store keeps this contract."""

    def cached_reply(self, key: str) -> str | None:
        """The reply kept under ``key``."""
        ...

    def store_reply(self, key: str, reply: str, *, model: str) -> None:
        """Keep ``reply`` under ``key``, replacing what was there."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """The owner's limits; ``None`` is no limit. Prices are US dollars per million tokens; ``None`` is unknown."""

    daily_tokens: int | None = None
    daily_money: Decimal | None = None
    hunt_tokens: int | None = None
    price_input: Decimal | None = None
    price_output: Decimal | None = None


class Budget:
    """Lets a call through or raises ``BudgetExceeded``, and writes down what it cost.

    A call's upper bound is reserved before it is sent, so that parallel calls cannot pass the limit together. Days
    begin at midnight of ``zone``. Costs of a call whose server reports no usage are estimated from its length.
    """

    def __init__(
        self,
        ledger: UsageLedger,
        limits: Limits = Limits(),
        *,
        zone: tzinfo = UTC,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._ledger, self.limits = ledger, limits
        self._zone, self._now = zone, now
        self._lock = threading.Lock()
        self._reserved = Usage()
        self._hunt: str | None = None
        self._hunt_tokens = 0

    @contextmanager
    def hunt(self, hunt_id: str) -> Iterator[None]:
        """Calls inside, of all threads, count toward the limit of this hunt, as do those of its earlier shares."""
        earlier = self._ledger.usage_since(self._now() - _LONGEST_HUNT, hunt_id=hunt_id)
        with self._lock:
            self._hunt, self._hunt_tokens = hunt_id, earlier.tokens_in + earlier.tokens_out
        try:
            yield
        finally:
            with self._lock:
                self._hunt = None

    @contextmanager
    def reserve(self, model: str, most: Usage) -> Iterator[None]:
        """Room for a call that costs ``most`` at most; raises ``BudgetExceeded`` where there is none."""
        with self._lock:
            self._require(model, self._reserved + most)
            self._reserved += most
        try:
            yield
        finally:
            with self._lock:
                self._reserved = Usage(self._reserved.prompt - most.prompt, self._reserved.completion - most.completion)

    def record(self, model: str, purpose: str, usage: Usage) -> None:
        """Write down what a call cost."""
        with self._lock:
            hunt = self._hunt
            self._hunt_tokens += usage.total
        self._ledger.add_usage(
            model, usage.prompt, usage.completion, self.cost(usage) or 0, purpose=purpose, hunt_id=hunt
        )

    def cost(self, usage: Usage) -> Decimal | None:
        """US dollars, where the model's prices are known."""
        if self.limits.price_input is None or self.limits.price_output is None:
            return None
        return (usage.prompt * self.limits.price_input + usage.completion * self.limits.price_output) / _MILLION

    def today(self) -> Spent:
        """What was spent since midnight."""
        midnight = self._now().astimezone(self._zone).replace(hour=0, minute=0, second=0, microsecond=0)
        return self._ledger.usage_since(midnight.astimezone(UTC))

    def exhausted(self) -> str | None:
        """The sentence for the owner when the day's budget is spent, else ``None``."""
        return self._daily_fault(self.today(), Usage())

    def _require(self, model: str, coming: Usage) -> None:
        limit = self.limits.hunt_tokens
        if limit is not None and self._hunt is not None and self._hunt_tokens + coming.total > limit:
            raise BudgetExceeded(model, f"This hunt's budget of {limit:,} tokens is spent (setting llm_hunt_tokens)")
        fault = self._daily_fault(self.today(), coming)
        if fault:
            raise BudgetExceeded(model, fault)

    def _daily_fault(self, spent: Spent, coming: Usage) -> str | None:
        tokens, money = self.limits.daily_tokens, self.limits.daily_money
        used = spent.tokens_in + spent.tokens_out
        if tokens is not None and (used + coming.total > tokens or used >= tokens):
            return f"Today's budget of {tokens:,} tokens is spent (setting llm_daily_tokens)"
        if money is not None and (spent.usd + (self.cost(coming) or 0) > money or spent.usd >= money):
            return f"Today's budget of ${money} is spent (setting llm_daily_money)"
        return None


class Replies:
    """Replies that were paid for, by hash of model, prompt version and the content they answer."""

    def __init__(self, cache: ReplyCache, model: str, prompt_version: str) -> None:
        self._cache, self._model = cache, model
        self._prefix = f"{model}\0{prompt_version}\0"

    def get(self, content: str) -> str | None:
        """The reply to this very content, if it was bought before."""
        return self._cache.cached_reply(self._key(content))

    def put(self, content: str, reply: str) -> None:
        """Keep a reply."""
        self._cache.store_reply(self._key(content), reply, model=self._model)

    def _key(self, content: str) -> str:
        return hashlib.sha256((self._prefix + content).encode("utf-8", "surrogatepass")).hexdigest()
