"""The words about an opportunity: price, worth with its range, discount, probability, past prices and the link."""

from __future__ import annotations

from urllib.parse import urlsplit

from agents.messaging.base import Message
from agents.messaging.limits import plain, shorten
from framework.deals import Deal, Opportunity, Valuation
from framework.money import Money
from framework.outbox import priority_of
from framework.price_history import PriceSummary, Trend

_TITLE_CHARS = 120  # more than a lock screen shows, and less than any channel's limit
_FEW = 3  # observed prices that make no history


def opportunity_message(
    opportunity: Opportunity, *, lead: str | None = None, prices: PriceSummary | None = None
) -> Message:
    """Compose the message from the opportunity's own figures.

    ``lead`` is a checked sentence or two that comes first; the figures stand below it in any case.
    """
    deal, judgement = opportunity.deal, opportunity.judgement
    lines = [
        *([plain(lead)] if lead else []),
        f"{deal.price}{_quantity(deal)}, worth about {_worth(opportunity.valuation)}",
        f"Saves {_money(judgement.discount, deal.price.currency)} ({judgement.discount_pct:.0f}%)"
        f" · {judgement.probability:.0%} likely a real bargain",
        *_claims(deal),
        *_past(prices),
        *_warnings(opportunity),
    ]
    return Message(
        title=shorten(plain(deal.title), _TITLE_CHARS) or "A deal",
        text="\n".join(lines),
        url=_link(deal),
        url_title=_link_text(deal),
        priority=priority_of(opportunity),
        image_url=deal.image,
    )


def _quantity(deal: Deal) -> str:
    return f" for {deal.quantity}" if deal.quantity > 1 else ""


def _worth(valuation: Valuation) -> str:
    value, low, high = (_money(float(a), valuation.currency) for a in (valuation.value, valuation.low, valuation.high))
    return f"{value} ({low} to {high})"


def _money(amount: float, currency: str) -> str:
    """Whole units from 100 up: a model's cents are no information."""
    if amount <= 0:
        return f"{amount:,.2f} {currency}"
    text = str(Money.of(round(amount) if amount >= 100 else amount, currency))
    return text.replace(".00", "") if amount >= 100 else text


def _claims(deal: Deal) -> list[str]:
    claims = []
    if deal.list_price is not None:
        claims.append(f"list price {deal.list_price}")
    if deal.market_price is not None:
        claims.append(f"elsewhere from {deal.market_price}")
    if deal.condition is not None and deal.condition != "new":
        claims.append(deal.condition.value.replace("_", " "))
    line = ", ".join(claims)
    return [line[0].upper() + line[1:]] if line else []


def _past(prices: PriceSummary | None) -> list[str]:
    if prices is None:
        return []
    lines = [f"Down from {prices.before}."] if prices.before is not None and prices.last < prices.before else []
    if prices.count >= _FEW and prices.is_lowest:
        lines.append(f"The lowest of {prices.count} prices seen in {prices.days} days.")
    elif prices.count >= _FEW:
        trend = "" if prices.trend is Trend.STEADY else f", {prices.trend.value}"
        lines.append(f"It was {prices.lowest} in the last {prices.days} days{trend}.")
    return [" ".join(lines)] if lines else []


def _warnings(opportunity: Opportunity) -> list[str]:
    warnings = []
    estimate = opportunity.valuation.estimate
    if estimate is not None and estimate.failures:
        warnings.append(f"Estimated without {', '.join(sorted(estimate.failures))}.")
    if opportunity.deal.sample:
        warnings.append("A sample, not a real offer.")
    return warnings


def _link(deal: Deal) -> str | None:
    """The deal's link where it is one to a web page: a feed may hold anything."""
    try:
        parts = urlsplit(deal.url or "")
    except ValueError:
        return None
    return deal.url if parts.scheme in ("http", "https") and parts.hostname else None


def _link_text(deal: Deal) -> str | None:
    link = _link(deal)
    if link is None:
        return None
    host = (urlsplit(link).hostname or "").removeprefix("www.")
    return f"Open at {plain(deal.merchant) if deal.merchant else host}"
