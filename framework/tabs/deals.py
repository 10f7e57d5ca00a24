"""Deals: search, filters, order and pages over the cards."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from framework.memory.narrowing import Said
from framework.memory.records import OpportunityOrder
from framework.tabs.board import Board
from framework.tabs.look import QUIET
from framework.web.deals_pages import DealsQuery
from framework.web.pages import Pages

_ORDERS = [
    ("Newest", OpportunityOrder.NEWEST),
    ("Surest", OpportunityOrder.PROBABILITY),
    ("Biggest saving", OpportunityOrder.DISCOUNT),
    ("Biggest discount", OpportunityOrder.DISCOUNT_PCT),
    ("Lowest price", OpportunityOrder.PRICE),
]
_AGES = [("Any time", 0), ("Today", 1), ("This week", 7), ("This month", 31)]
_PRICES = [
    ("Any price", 0),
    ("Up to 25", 25),
    ("Up to 50", 50),
    ("Up to 100", 100),
    ("Up to 250", 250),
    ("Up to 1,000", 1000),
]
_DISCOUNTS = [
    ("Any discount", 0),
    ("30% and more", 30),
    ("40% and more", 40),
    ("50% and more", 50),
    ("70% and more", 70),
]
_SURE = [
    ("However sure", 0),
    ("70% and more", 0.7),
    ("80% and more", 0.8),
    ("90% and more", 0.9),
    ("95% and more", 0.95),
]
_SAID = [
    ("All", ""),
    ("Without your word", Said.NOTHING),
    ("Liked or bought", Said.LIKED),
    ("Not for me", Said.DISLIKED),
    ("Hidden", Said.HIDDEN),
]
_EVERY_FEED = ""


def query(
    search: str,
    order: str,
    days: int,
    said: str,
    feed: str,
    most: int,
    least_pct: int,
    surest: float,
    samples: bool,
    page: int,
) -> DealsQuery:
    """The components' values as a query; empty and zero stand for "any"."""
    return DealsQuery(
        search=search or "",
        order=OpportunityOrder(order),
        days=days or None,
        samples=samples,
        feed=feed or None,
        most=Decimal(most) if most else None,
        least_pct=least_pct or None,
        surest=surest or None,
        said=Said(said) if said else None,
        page=page,
    )


def deals_tab(gr: Any, board: Board, pages: Pages) -> None:
    """Build the tab."""
    with board.tab("Deals") as tab:
        filters = _filters(gr, tab, pages)
        page = gr.State(0)
        board.show("deals", lambda *values: pages.deals(query(*values)), *filters, page)
        with gr.Row():
            earlier = gr.Button("Previous page", size="sm")
            later = gr.Button("Next page", size="sm")
        changes = [each.change for each in filters]
        gr.on(changes, lambda: 0, None, page, **QUIET)
        earlier.click(lambda now: max(0, now - 1), page, page, **QUIET)
        later.click(
            lambda *values: min(values[-1] + 1, pages.page_count(query(*values)) - 1), [*filters, page], page, **QUIET
        )
        board.refresh_on(page.change, *changes)


def _filters(gr: Any, tab: Any, pages: Pages) -> list[Any]:
    """The components in the order in which ``query`` takes them."""

    def choice(label: str, choices: list[tuple[str, Any]]) -> Any:
        return gr.Dropdown(choices, value=choices[0][1], label=label, scale=1, min_width=140)

    with gr.Row(equal_height=True):
        search = gr.Textbox(label="Search", placeholder="Words of the title", scale=2, min_width=200, max_length=200)
        order, days, said = choice("Order", _ORDERS), choice("Found", _AGES), choice("Your word", _SAID)
    with gr.Accordion("More filters", open=False), gr.Row(equal_height=True):
        feed = choice("Feed", [("Every feed", _EVERY_FEED), *pages.feed_choices()])
        most, least_pct, surest = choice("Price", _PRICES), choice("Discount", _DISCOUNTS), choice("Sure", _SURE)
        samples = gr.Checkbox(True, label="Show samples", scale=1, min_width=140)
    tab.select(lambda: gr.update(choices=[("Every feed", _EVERY_FEED), *pages.feed_choices()]), None, feed, **QUIET)
    return [search, order, days, said, feed, most, least_pct, surest, samples]
