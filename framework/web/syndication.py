"""Opportunities as feeds: RSS 2.0 at /feed.xml, JSON Feed 1.1 at /feed.json (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import format_datetime
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from framework.deals import Opportunity
from framework.views.figures import worth
from framework.views.markup import join, link, tag, text, web_address
from framework.web.context import DashboardContext

_MOST = 100
# What XML 1.0 cannot hold at all, not even escaped, and ``text`` leaves in.
_NO_XML = dict.fromkeys((*range(0xD800, 0xE000), 0xFFFE, 0xFFFF))


def add_syndication(app: FastAPI, context: DashboardContext) -> None:
    """Put both feeds on the app."""

    def newest() -> list[Opportunity]:
        return [record.opportunity for record in context.store.opportunities(_MOST)]

    @app.get(
        "/feed.xml", tags=["deals"], response_class=Response, responses={200: {"content": {"application/rss+xml": {}}}}
    )
    def feed_xml(request: Request) -> Response:
        """The newest opportunities as RSS."""
        return Response(rss(newest(), str(request.base_url)), media_type="application/rss+xml; charset=utf-8")

    @app.get(
        "/feed.json",
        tags=["deals"],
        response_class=Response,
        responses={200: {"content": {"application/feed+json": {}}}},
    )
    def feed_json(request: Request) -> JSONResponse:
        """The newest opportunities as JSON Feed."""
        return JSONResponse(json_feed(newest(), str(request.base_url)), media_type="application/feed+json")


def rss(opportunities: Sequence[Opportunity], home: str) -> bytes:
    """An RSS document; ``home`` is the dashboard's address."""
    root = Element("rss", version="2.0")
    channel = SubElement(root, "channel")
    for name, words in (
        ("title", "Dealhound"),
        ("link", home),
        ("description", "Deals worth clearly more than they cost"),
    ):
        SubElement(channel, name).text = words
    for opportunity in opportunities:
        item = SubElement(channel, "item")
        SubElement(item, "title").text = _xml(_title(opportunity))
        SubElement(item, "link").text = _xml(web_address(opportunity.deal.url) or home)
        SubElement(item, "guid", isPermaLink="false").text = _xml(opportunity.id)
        SubElement(item, "pubDate").text = format_datetime(opportunity.created)
        SubElement(item, "description").text = _xml(_content(opportunity))
    return bytes(tostring(root, encoding="utf-8", xml_declaration=True))


def json_feed(opportunities: Sequence[Opportunity], home: str) -> dict[str, Any]:
    """A JSON Feed; ``home`` is the dashboard's address."""
    items = [
        {
            "id": opportunity.id,
            "url": web_address(opportunity.deal.url) or home,
            "title": _title(opportunity),
            "content_html": _content(opportunity),
            "date_published": opportunity.created.isoformat(),
        }
        for opportunity in opportunities
    ]
    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Dealhound",
        "home_page_url": home,
        "feed_url": f"{home}feed.json",
        "items": items,
    }


def _title(opportunity: Opportunity) -> str:
    deal, judgement = opportunity.deal, opportunity.judgement
    sample = "[sample] " if deal.sample else ""
    return text(f"{sample}{deal.price} (−{judgement.discount_pct:.0f}%): {deal.title}")


def _content(opportunity: Opportunity) -> str:
    deal, valuation = opportunity.deal, opportunity.valuation
    low, value, high = (worth(valuation, amount) for amount in (valuation.low, valuation.value, valuation.high))
    return join(
        tag("p", f"{deal.price}, worth {value} ({low} to {high})"),
        tag("p", opportunity.judgement.reason),
        tag("p", link(deal.url, "To the offer")),
    )


def _xml(words: str) -> str:
    return words.translate(_NO_XML)
