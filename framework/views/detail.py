"""Everything one opportunity was judged on, and what became of it: shown when its card is opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from framework.deals import Deal, Estimate, Valuation
from framework.memory.records import Notification, OpportunityRecord, PricePoint
from framework.money import Money
from framework.views.figures import price_history, worth
from framework.views.markup import NOTHING, Html, join, link, moment, table, tag

_MEMBERS = {"specialist": "Specialist", "frontier": "Frontier (retrieval)", "random_forest": "Random forest"}


@dataclass(frozen=True)
class Background:
    """What is known around an opportunity: earlier prices, its notifications, whether it can be sent again."""

    history: Sequence[PricePoint] = ()
    notifications: Sequence[Notification] = ()
    can_resend: bool = False


def deal_detail(record: OpportunityRecord, zone: ZoneInfo, background: Background) -> Html:
    """Members' figures, evidence, comparables, quotes, price history, sources and notifications."""
    opportunity = record.opportunity
    return join(
        _section("What the product is", tag("p", opportunity.deal.description)),
        _section("What each estimator said", _members(opportunity.valuation.estimate)),
        _section("Evidence", _evidence(opportunity.valuation)),
        _section("Similar products with known prices", _similar(opportunity.valuation.estimate)),
        _section("Read from", _quotes(opportunity.deal)),
        _section("Price history", price_history(background.history, zone)),
        _section("Where it was met", _sources(record, zone)),
        _section("Notifications", _notifications(background.notifications, zone)),
        _send_again(record) if background.can_resend else NOTHING,
    )


def _send_again(record: OpportunityRecord) -> Html:
    """A button for the page's script, which posts it to the API."""
    opportunity = record.opportunity
    button = tag(
        "button",
        "Send again",
        type="button",
        class_="dh-button",
        data_post=f"api/opportunities/{opportunity.id}/resend",
        aria_label=f"Send the notification again: {opportunity.deal.title}",
    )
    return tag("div", button, tag("span", class_="dh-said", role="status"), class_="dh-actions")


def _section(title: str, content: Html) -> Html:
    return tag("section", tag("h3", title), content) if content else NOTHING


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
