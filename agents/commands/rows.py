"""Domain values as flat rows of JSON: the command line's contract with scripts."""

from __future__ import annotations

from typing import Any

from framework.deals import Deal, Estimate, Judgement, Opportunity, Reading, Valuation
from framework.feedstate import FeedState
from framework.money import Money


def amount(money: Money | None) -> float | None:
    """The amount as a JSON number."""
    return float(money.amount) if money is not None else None


def reading_row(reading: Reading) -> dict[str, Any]:
    """One entry as read: the row of ``scan``."""
    deal = reading.deal
    return {
        "id": reading.entry.id,
        "url": reading.entry.url,
        "title": reading.entry.title,
        "verdict": reading.verdict.value,
        "kind": reading.kind.value if reading.kind else None,
        "price": amount(deal.price) if deal else None,
        "currency": deal.price.currency if deal else None,
        "list_price": amount(deal.list_price) if deal else None,
        "market_price": amount(deal.market_price) if deal else None,
        "quantity": deal.quantity if deal else None,
        "condition": deal.condition.value if deal and deal.condition else None,
        "description": deal.description if deal else None,
        "evidence": list(deal.evidence) if deal else [],
        "reader": reading.reader.value,
        "reason": reading.reason,
    }


def verdict_fields(valuation: Valuation, judgement: Judgement) -> dict[str, Any]:
    """Worth and verdict: what ``hunt`` and ``judge`` share."""
    return {
        "value": float(valuation.value),
        "low": float(valuation.low),
        "high": float(valuation.high),
        "discount": round(judgement.discount, 2),
        "discount_pct": round(judgement.discount_pct, 1),
        "probability": round(judgement.probability, 4),
        "verdict": judgement.verdict.value,
        "reason": judgement.reason,
    }


def judged_row(deal: Deal, valuation: Valuation, judgement: Judgement) -> dict[str, Any]:
    """One judged deal: the row of ``hunt``."""
    return {
        "url": deal.url,
        "title": deal.title,
        "price": amount(deal.price),
        "currency": deal.price.currency,
        "list_price": amount(deal.list_price),
        **verdict_fields(valuation, judgement),
        "members": valuation.estimate.members if valuation.estimate else {},
        "sample": deal.sample,
    }


def opportunity_row(opportunity: Opportunity) -> dict[str, Any]:
    """One opportunity: the row of ``memory show``."""
    row = judged_row(opportunity.deal, opportunity.valuation, opportunity.judgement)
    return {"id": opportunity.id, "created": opportunity.created.isoformat(), **row}


def estimate_row(item_id: str, estimate: Estimate | str) -> dict[str, Any]:
    """One priced text: the row of ``price``; ``estimate`` is the reason where there is none."""
    if isinstance(estimate, str):
        return {
            "id": item_id,
            "value": None,
            "low": None,
            "high": None,
            "members": {},
            "similar": [],
            "reason": estimate,
        }
    return {
        "id": item_id,
        "value": float(estimate.value),
        "low": float(estimate.low),
        "high": float(estimate.high),
        "members": estimate.members,
        "similar": [
            {"description": item.description, "price": float(item.price), "similarity": round(item.similarity, 4)}
            for item in estimate.similar
        ],
        "failures": estimate.failures,
        "degraded": list(estimate.degraded),
    }


def feed_row(feed: FeedState) -> dict[str, Any]:
    """One feed with its health: the row of ``feeds list``."""
    return {
        "url": feed.url,
        "title": feed.title,
        "status": feed.status.value,
        "last_success": feed.last_success.isoformat() if feed.last_success else None,
        "next_check": feed.next_check.isoformat() if feed.next_check else None,
        "errors": feed.errors,
        "last_error": feed.last_error,
    }
