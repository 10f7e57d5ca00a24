"""What one hunt came to."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from framework.deals import Deal, Judgement, Opportunity, Valuation, Value


class JudgedOffer(Value):
    """A deal that was valued and judged in a hunt."""

    deal: Deal
    valuation: Valuation
    judgement: Judgement


class HuntReport(Value):
    """One run of the pipeline in figures, and every deal that it judged, opportunities among them."""

    hunt_id: str
    started: datetime
    seconds: float = 0.0
    feeds_polled: int = 0
    feeds_failed: int = 0
    entries_new: int = 0
    entries_read: int = 0
    pages_fetched: int = 0
    deals: int = 0
    skipped: int = 0
    failed: int = 0
    sent: int = 0
    sample: bool = False
    judged: tuple[JudgedOffer, ...] = ()
    opportunities: tuple[Opportunity, ...] = ()
    problems: tuple[str, ...] = Field(default=(), description="one sentence per thing that went wrong")

    def counts(self) -> dict[str, int]:
        """The figures by name, as the memory keeps them."""
        names = ("feeds_polled", "feeds_failed", "entries_new", "entries_read", "pages_fetched", "deals", "skipped")
        return {name: getattr(self, name) for name in (*names, "failed", "sent")} | {
            "judged": len(self.judged),
            "opportunities": len(self.opportunities),
        }
