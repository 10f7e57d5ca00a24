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
    feeds_unchanged: int = 0  # 304, or the same bytes as before
    bytes_fetched: int = 0
    entries_new: int = 0
    entries_known: int = 0
    entries_read: int = 0
    pages_fetched: int = 0
    deals: int = 0
    skipped: int = 0
    failed: int = 0
    expired: int = 0  # opportunities whose posts say by now that they are over
    sent: int = 0
    stage_ms: dict[str, int] = Field(default_factory=dict, description="milliseconds per stage")
    members: dict[str, int] = Field(default_factory=dict, description="estimates and errors per member since the last")
    sample: bool = False
    judged: tuple[JudgedOffer, ...] = ()
    opportunities: tuple[Opportunity, ...] = ()
    problems: tuple[str, ...] = Field(default=(), description="one sentence per thing that went wrong")

    def counts(self) -> dict[str, int]:
        """The figures by name, as the memory keeps and adds them up."""
        figures = {name: value for name, value in self if isinstance(value, int) and not isinstance(value, bool)}
        stages = {f"ms_{stage}": spent for stage, spent in self.stage_ms.items()}
        return figures | stages | self.members | {"judged": len(self.judged), "opportunities": len(self.opportunities)}
