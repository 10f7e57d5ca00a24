"""Exchange rates for deals in other currencies: the European Central Bank's daily file, fetched at most once a day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import structlog

from framework.currency import Rates, RatesError, fetch_rates
from framework.errors import FetchError
from framework.memory.store import Store

_KEY = "rates"
_TRY_AGAIN = timedelta(hours=1)  # after a failed fetch
_FRESH = timedelta(hours=24)
_USABLE = timedelta(days=7)  # rates older than a week price nothing


class RateBook:
    """The newest rates, kept in the memory between starts."""

    def __init__(self, store: Store, fetch: Callable[[str], bytes], own: Mapping[str, Decimal] | None = None) -> None:
        """``fetch`` gets the bytes at a URL and raises ``FetchError``; ``own`` are the owner's rates for one euro."""
        self._store, self._fetch, self._own = store, fetch, dict(own or {})
        self._log = structlog.get_logger("dealhound").bind(agent="ensemble")

    def today(self) -> Rates | None:
        """Rates that may be used today, the owner's in front; ``None`` when there are none, or only old ones."""
        fetched, now = self._fetched(), datetime.now(UTC)
        if fetched is None and self._own:
            return Rates(day=now.date(), per_base=self._own, origin="the owner")
        return fetched.overridden(self._own, now.date()) if fetched else None

    def _fetched(self) -> Rates | None:
        """The bank's rates, fetched anew where they are a day old."""
        kept: dict[str, Any] = self._store.get_state(_KEY) or {}
        now = datetime.now(UTC)
        tried = datetime.fromisoformat(kept["tried"]) if kept else None
        fetched = datetime.fromisoformat(kept["fetched"]) if kept.get("fetched") else None
        stale = fetched is None or now - fetched > _FRESH
        if stale and (tried is None or now - tried > _TRY_AGAIN):
            kept = self._refresh(kept, now)
            fetched = datetime.fromisoformat(kept["fetched"]) if kept.get("fetched") else None
        if fetched is None or now - fetched > _USABLE:
            return None
        return Rates.model_validate(kept["rates"])

    def _refresh(self, kept: dict[str, Any], now: datetime) -> dict[str, Any]:
        kept = {**kept, "tried": now.isoformat()}
        try:
            rates = fetch_rates(self._fetch)
            kept |= {"fetched": now.isoformat(), "rates": rates.model_dump(mode="json")}
        except (FetchError, RatesError) as error:
            self._log.warning("no exchange rates", error=str(error))
        self._store.set_state(_KEY, kept)
        return kept
