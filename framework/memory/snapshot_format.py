"""How an opportunity stands in ``memory.json``: the reference's plain format, with our own figures added.

::

    {"deal": {"product_description": "Steel kettle", "price": 20.0, "url": "https://..."},
     "estimate": 60.0, "discount": 40.0,
     "id": "...", "created": "...", "details": {the whole opportunity}}

The reference reads the first three keys and ignores the rest. ``details`` makes reading back exact.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from framework.deals import Deal, Judgement, Opportunity, Valuation, Verdict
from framework.money import Money


class _PlainDeal(BaseModel):
    product_description: str = Field(min_length=1, max_length=20_000)
    price: float = Field(gt=0, le=1e9, allow_inf_nan=False)
    url: str | None = Field(default=None, max_length=8_000)


class _PlainOpportunity(BaseModel):
    deal: _PlainDeal
    estimate: float = Field(gt=0, le=1e9, allow_inf_nan=False)
    discount: float = Field(default=0.0, allow_inf_nan=False)


def to_json(details: dict[str, Any]) -> dict[str, Any]:
    """One element of the list in ``memory.json``, from an opportunity as the database keeps it (its JSON form).

    It is not validated anew: it was when it was stored, and with many thousands that would take most of the time.
    """
    deal, judgement = details["deal"], details["judgement"]
    return {
        "deal": {
            "product_description": deal["description"],
            "price": float(deal["price"]["amount"]),
            "url": deal["url"],
        },
        "estimate": float(details["valuation"]["value"]),
        "discount": judgement["discount"],
        "id": details["id"],
        "title": deal["title"],
        "currency": deal["price"]["currency"],
        "probability": judgement["probability"],
        "created": details["created"],
        "details": details,
    }


def from_json(item: Any, now: datetime) -> Opportunity | None:
    """Read one element back, ours or the reference's; ``None`` when it is neither."""
    if isinstance(item, dict) and "details" in item:
        try:
            return Opportunity.model_validate(item["details"])
        except ValidationError:
            pass  # written by another version: its plain part still tells what matters
    try:
        return _from_plain(_PlainOpportunity.model_validate(item), now)
    except ValidationError:
        return None


def _from_plain(plain: _PlainOpportunity, now: datetime) -> Opportunity:
    """The reference gives no range and no probability: the range is the estimate itself, the probability unknown."""
    text = f"{plain.deal.url}|{plain.deal.product_description}|{plain.deal.price}"
    name = f"imported-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    value = Money.of(plain.estimate).amount
    discount = plain.estimate - plain.deal.price
    return Opportunity(
        id=name,
        deal=Deal(
            entry_id=name,
            url=plain.deal.url,
            title=_title(plain.deal.product_description),
            description=plain.deal.product_description,
            price=Money.of(plain.deal.price),
        ),
        valuation=Valuation(value=value, low=value, high=value, quantiles=(plain.estimate, plain.estimate)),
        judgement=Judgement(
            verdict=Verdict.OPPORTUNITY,
            discount=discount,
            discount_pct=100 * discount / plain.estimate,
            probability=0.0,
            reason="Imported from memory.json; its probability is not known",
        ),
        created=now,
    )


def _title(description: str) -> str:
    """The first sentence of a description, short enough for a list."""
    line = description.split("\n", 1)[0].split(". ", 1)[0].strip() or description.strip()
    return line if len(line) <= 100 else line[:99].rstrip() + "…"
