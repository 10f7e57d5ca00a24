"""Opportunities as cards. What a card was judged on is read when it is opened (see ``detail.py``)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from framework.deals import Condition, Deal
from framework.memory.feedback import Vote
from framework.memory.records import OpportunityRecord
from framework.views.figures import range_bar, worth
from framework.views.markup import NOTHING, Html, empty, join, link, moment, tag, web_address

_CONDITIONS = {Condition.OPEN_BOX: "open box", Condition.REFURBISHED: "refurbished", Condition.USED: "used"}
_VOTES = {Vote.GOOD: "Good find", Vote.BAD: "Not for me", Vote.BOUGHT: "Bought it"}


@dataclass(frozen=True)
class DealsPage:
    """One page of opportunities, ``first`` counted from 1, of ``total`` that match.

    ``votes`` are the owner's words by id, ``pictured`` the ids whose picture can be shown.
    """

    records: Sequence[OpportunityRecord]
    total: int
    first: int = 1
    narrowed: bool = False  # a search or a filter is set
    votes: Mapping[str, Vote] = field(default_factory=dict)
    pictured: Collection[str] = ()


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
    cards = [
        card(record, zone, page.votes.get(record.opportunity.id), pictured=record.opportunity.id in page.pictured)
        for record in page.records
    ]
    return join(
        tag("p", f"{page.first:,} to {last:,} of {page.total:,}", class_="dh-count", role="status"),
        tag("div", cards, class_="dh-cards"),
    )


def card(record: OpportunityRecord, zone: ZoneInfo, vote: Vote | None = None, *, pictured: bool = False) -> Html:
    """One opportunity: what it costs, what it is worth, how sure that is, why, and where to get it."""
    opportunity = record.opportunity
    deal = opportunity.deal
    head = tag("div", tag("h2", link(deal.url, deal.title), class_="dh-title"), _badges(record))
    return tag(
        "article",
        tag("div", _picture(record, pictured), head, class_="dh-head"),
        _figures(record),
        range_bar(deal.price, opportunity.valuation),
        _worth(record),
        tag("p", opportunity.judgement.reason, class_="dh-why"),
        tag("p", _source(deal), " · ", moment(opportunity.created, zone), class_="dh-meta"),
        _details(record),
        _actions(record, vote),
        class_="dh-card dh-over" if record.expired else "dh-card",
        id=f"deal-{opportunity.id}",
    )


def _picture(record: OpportunityRecord, pictured: bool) -> Html:
    """The product's picture from our own server, or a quiet tile with its initial."""
    opportunity = record.opportunity
    if not pictured:
        initial = next((letter for letter in opportunity.deal.title if letter.isalnum()), "?")
        return tag("span", initial.upper(), class_="dh-picture", aria_hidden="true")
    return tag("img", src=f"page/pictures/{opportunity.id}", alt="", width=84, height=84, class_="dh-picture")


def _figures(record: OpportunityRecord) -> Html:
    judgement = record.opportunity.judgement
    return tag(
        "p",
        tag("span", str(record.opportunity.deal.price), class_="dh-price"),
        tag("span", f"−{judgement.discount_pct:.0f}%", class_="dh-off", title="below its worth"),
        tag(
            "span",
            f"{judgement.probability:.0%} sure",
            class_="dh-sure",
            title="Probability that the true discount reaches your threshold",
        ),
        class_="dh-figures",
    )


def _worth(record: OpportunityRecord) -> Html:
    valuation = record.opportunity.valuation
    value, low, high = (worth(valuation, amount) for amount in (valuation.value, valuation.low, valuation.high))
    return tag("p", "Worth ", tag("b", value), f", most likely {low} to {high}", class_="dh-worth")


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


def _details(record: OpportunityRecord) -> Html:
    """Opened, the page's script asks for what belongs inside."""
    identity = record.opportunity.id
    return tag(
        "details",
        tag("summary", "Why and how"),
        tag("div", class_="dh-inside", data_load=f"page/deals/{identity}", aria_live="polite"),
        class_="dh-details",
        data_key=identity,
    )


def _actions(record: OpportunityRecord, vote: Vote | None) -> Html:
    """Buttons for the page's script, which posts them to the API; a pressed one takes its word back."""
    opportunity = record.opportunity
    words = [(word.value, label, vote is word) for word, label in _VOTES.items()]
    hiding = ("undo", "Show again") if record.hidden else ("hide", "Hide")
    buttons = [
        tag(
            "button",
            label,
            type="button",
            class_="dh-button",
            data_post=f"api/opportunities/{opportunity.id}/feedback",
            data_body=word,
            aria_pressed=None if pressed is None else str(pressed).lower(),
            aria_label=f"{label}: {opportunity.deal.title}",
        )
        for word, label, pressed in (*words, (*hiding, None))
    ]
    return tag("div", buttons, tag("span", class_="dh-said", role="status"), class_="dh-actions")
