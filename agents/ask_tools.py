"""What can be asked: the memory, the ensemble and the feeds, read-only, as plain data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from framework.deals import Judgement, Valuation
from framework.memory.records import EntryRecord
from framework.memory.store import Store
from framework.money import Money

_MOST_EXPLAINED = 5


class MemoryTools:
    """Keeps the ``AskTools`` contract over the store. ``price_text`` values one text, as the price command does."""

    def __init__(self, store: Store, price_text: Callable[[str], dict[str, Any]]) -> None:
        self._store, self._price_text = store, price_text

    def opportunities(self, search: str | None, limit: int) -> list[dict[str, Any]]:
        """Surfaced opportunities, newest first."""
        rows = []
        for record in self._store.opportunities(limit, search=search or None):
            found = record.opportunity
            rows.append(
                {
                    "title": found.deal.title,
                    "url": found.deal.url,
                    "price": str(found.deal.price),
                    "found": f"{found.created:%Y-%m-%d %H:%M} UTC",
                    "expired": record.expired is not None,
                    "sample": found.deal.sample,
                    **_worth(found.valuation, found.judgement),
                }
            )
        return rows

    def price(self, text: str) -> dict[str, Any]:
        """What a product is worth."""
        return self._price_text(text)

    def feeds(self) -> list[dict[str, Any]]:
        """The feeds and their health."""
        return [
            {
                "url": feed.url,
                "title": feed.title,
                "status": feed.status.value,
                "last_success": feed.last_success and f"{feed.last_success:%Y-%m-%d %H:%M} UTC",
                "next_check": feed.next_check and f"{feed.next_check:%Y-%m-%d %H:%M} UTC",
                "last_error": feed.last_error,
            }
            for feed in self._store.feeds()
        ]

    def explain(self, search: str) -> list[dict[str, Any]]:
        """Why matching entries are what they are, newest first."""
        return [self._explained(record) for record in self._store.entries(_MOST_EXPLAINED, 0, search=search)]

    def _explained(self, record: EntryRecord) -> dict[str, Any]:
        row: dict[str, Any] = {
            "title": record.entry.title,
            "url": record.entry.url,
            "verdict": record.verdict.value if record.verdict else "waiting",
            "kind": record.kind,
            "reason": record.reason,
        }
        judged = self._store.valuation(record.entry.id)
        if judged is None:
            return row
        members = judged.valuation.estimate.members if judged.valuation.estimate else {}
        evidence = [f"{piece.name}: {piece.value}" for piece in judged.valuation.evidence]
        return row | {
            "price": str(judged.deal.price),
            "price_was_read_from": list(judged.deal.evidence),
            **_worth(judged.valuation, judged.judgement),
            "members": members,
            "evidence": evidence,
        }


def _worth(valuation: Valuation, judgement: Judgement) -> dict[str, Any]:
    return {
        "worth": str(Money.of(valuation.value, valuation.currency)),
        "range_80_percent": " to ".join(
            str(Money.of(end, valuation.currency)) for end in (valuation.low, valuation.high)
        ),
        "discount_pct": round(judgement.discount_pct),
        "probability": round(judgement.probability, 2),
        "judged": judgement.reason,
    }
