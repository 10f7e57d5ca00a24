"""Opportunities as cards, and everything one of them was judged on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from framework.deals import Condition, Deal, Estimate, Opportunity, Valuation
from framework.memory.feedback import Vote
from framework.memory.records import Notification, OpportunityRecord, PricePoint
from framework.money import Money
from framework.views.figures import price_history, range_bar, worth
from framework.views.markup import NOTHING, Child, Html, empty, join, link, moment, table, tag, web_address

_CONDITIONS = {Condition.OPEN_BOX: "open box", Condition.REFURBISHED: "refurbished", Condition.USED: "used"}
_MEMBERS = {"specialist": "Specialist", "frontier": "Frontier (retrieval)", "random_forest": "Random forest"}
_VOTES = {Vote.GOOD: "Good find", Vote.BAD: "Not for me", Vote.BOUGHT: "Bought it", Vote.HIDE: "Hide"}


@dataclass(frozen=True)
class Background:
    """What is known around an opportunity: earlier prices, its notifications, the owner's own word on it."""

    history: Sequence[PricePoint] = ()
    notifications: Sequence[Notification] = ()
    vote: Vote | None = None
    can_resend: bool = False


@dataclass(frozen=True)
class DealsPage:
    """One page of opportunities, ``first`` counted from 1, of ``total`` that match."""

    records: Sequence[OpportunityRecord]
    total: int
    first: int = 1
    narrowed: bool = False  # a search or a filter is set
    background: Mapping[str, Background] = field(default_factory=dict)


def deals_page(page: DealsPage, zone: ZoneInfo) -> Html:
    """The cards, or what to do next when there are none."""
    if not page.records and page.narrowed:
        return empty("Nothing matches", "Use fewer words, or take a filter away.")
    if not page.records:
        return empty(
            "No bargain yet",
            "Dealhound shows a deal here when it is worth clearly more than it costs. Press ",
            tag("b", "Hunt now"),
            " on the Live tab, or add feeds on the Feeds tab. What was read and passed over is listed under Live.",
        )
    last = page.first + len(page.records) - 1
    return join(
        tag("p", f"{page.first:,} to {last:,} of {page.total:,}", class_="dh-count", role="status"),
        tag(
            "div",
            [card(r, zone, page.background.get(r.opportunity.id, Background())) for r in page.records],
            class_="dh-cards",
        ),
    )


def card(record: OpportunityRecord, zone: ZoneInfo, background: Background) -> Html:
    """One opportunity: what it costs, what it is worth, how sure that is, why, and where to get it."""
    opportunity = record.opportunity
    deal, valuation, judgement = opportunity.deal, opportunity.valuation, opportunity.judgement
    return tag(
        "article",
        tag("h3", link(deal.url, deal.title), class_="dh-title"),
        _badges(record),
        tag(
            "div",
            tag("span", str(deal.price), class_="dh-price"),
            tag("span", f"−{judgement.discount_pct:.0f}%", class_="dh-off", title="below its worth"),
            tag(
                "span",
                f"{judgement.probability:.0%} sure",
                class_="dh-sure",
                title="Probability that the true discount reaches your threshold",
            ),
            class_="dh-figures",
        ),
        range_bar(deal.price, valuation),
        tag(
            "p",
            "Worth ",
            tag("b", worth(valuation, valuation.value)),
            f", most likely {worth(valuation, valuation.low)} to {worth(valuation, valuation.high)}",
            class_="dh-worth",
        ),
        tag("p", judgement.reason, class_="dh-why"),
        tag("p", _source(deal), " · ", moment(opportunity.created, zone), class_="dh-meta"),
        _details(record, zone, background),
        _actions(opportunity, background),
        class_="dh-card dh-over" if record.expired else "dh-card",
        id=f"deal-{opportunity.id}",
    )


def _badges(record: OpportunityRecord) -> Html:
    deal = record.opportunity.deal
    badges = [
        "sample" if deal.sample else None,
        "over" if record.expired else None,
        _CONDITIONS.get(deal.condition) if deal.condition else None,
        f"{deal.quantity} pieces" if deal.quantity > 1 else None,
        f"list price {deal.list_price}" if deal.list_price else None,
        f"elsewhere {deal.market_price}" if deal.market_price else None,
    ]
    shown = [tag("span", badge, class_="dh-badge") for badge in badges if badge]
    return tag("p", shown, class_="dh-badges") if shown else NOTHING


def _source(deal: Deal) -> str:
    address = web_address(deal.url)
    host = urlsplit(address).hostname if address else None
    names = [name for name in (deal.merchant, (host or "").removeprefix("www.")) if name]
    return " via ".join(dict.fromkeys(names)) or "no link"


def _actions(opportunity: Opportunity, background: Background) -> Html:
    """Buttons for the page's script, which posts them to the API."""
    path = f"api/opportunities/{opportunity.id}"
    buttons: list[Child] = [
        tag(
            "button",
            label,
            type="button",
            class_="dh-button",
            data_post=f"{path}/feedback",
            data_body=word,
            aria_pressed="true" if background.vote is word else "false",
            aria_label=f"{label}: {opportunity.deal.title}",
        )
        for word, label in _VOTES.items()
    ]
    if background.can_resend:
        buttons.append(
            tag(
                "button",
                "Send again",
                type="button",
                class_="dh-button",
                data_post=f"{path}/resend",
                aria_label=f"Send the notification again: {opportunity.deal.title}",
            )
        )
    return tag("div", buttons, tag("span", class_="dh-said", role="status"), class_="dh-actions")


def _details(record: OpportunityRecord, zone: ZoneInfo, background: Background) -> Html:
    opportunity = record.opportunity
    sections = [
        _section("What the product is", tag("p", opportunity.deal.description)),
        _section("What each estimator said", _members(opportunity.valuation.estimate)),
        _section("Evidence", _evidence(opportunity.valuation)),
        _section("Similar products with known prices", _similar(opportunity.valuation.estimate)),
        _section("Read from", _quotes(opportunity.deal)),
        _section("Price history", price_history(background.history)),
        _section("Where it was met", _sources(record, zone)),
        _section("Notifications", _notifications(background.notifications, zone)),
    ]
    summary = tag("summary", "Why and how")
    return tag("details", summary, sections, class_="dh-details", data_key=opportunity.id)


def _section(title: str, content: Html) -> Html:
    return tag("section", tag("h4", title), content) if content else NOTHING


def _members(estimate: Estimate | None) -> Html:
    if estimate is None:
        return NOTHING
    rows = [
        (_MEMBERS.get(name, name), str(Money.of(value)) if value else f"no figure: {estimate.failures.get(name, '')}")
        for name, value in estimate.members.items()
    ]
    notes = [tag("p", note, class_="dh-muted") for note in estimate.degraded]
    return join(table("Estimates", ("Estimator", "Worth"), rows), notes) if rows else NOTHING


def _evidence(valuation: Valuation) -> Html:
    rows = [(item.name, worth(valuation, item.value), f"{item.weight:.0%}") for item in valuation.evidence]
    return table("Evidence with its share in the worth", ("Evidence", "Points to", "Share"), rows) if rows else NOTHING


def _similar(estimate: Estimate | None) -> Html:
    found = estimate.similar if estimate else ()
    rows = [(item.description, str(Money.of(item.price, item.currency)), f"{item.similarity:.2f}") for item in found]
    return table("Nearest products of the catalogue", ("Product", "Price", "Alike"), rows) if rows else NOTHING


def _quotes(deal: Deal) -> Html:
    return tag("ul", [tag("li", tag("q", span)) for span in deal.evidence]) if deal.evidence else NOTHING


def _sources(record: OpportunityRecord, zone: ZoneInfo) -> Html:
    rows = [
        (
            link(source.url, urlsplit(source.feed_url).hostname or source.feed_url),
            str(source.price),
            moment(source.seen, zone),
        )
        for source in record.sources
    ]
    return table("Feeds that had this offer", ("Feed", "Price", "Seen"), rows) if rows else NOTHING


def _notifications(notifications: Sequence[Notification], zone: ZoneInfo) -> Html:
    rows = [(n.channel, n.state.value, moment(n.created, zone), n.last_error or "") for n in notifications]
    return table("Notification log", ("Channel", "State", "Since", "Note"), rows) if rows else NOTHING
