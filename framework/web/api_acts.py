"""What the API can do: the owner's word, sending again, feeds, hunts, and prices on request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from framework.deals import Estimate
from framework.errors import DatabaseUnavailable, DealhoundError
from framework.feedstate import FeedState
from framework.memory.feedback import Vote
from framework.views.markup import web_address
from framework.web.api_words import UNKNOWN, Identity, Responses, Said, found
from framework.web.context import Controls, DashboardContext
from framework.web.desk import Desk

_MOST_DESCRIPTIONS = 32
_NOT_HERE: Responses = {409: {"description": "Not offered here, or not now"}}
Address = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]
Description = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]


class Word(BaseModel):
    """The owner's word on an opportunity."""

    model_config = ConfigDict(extra="forbid")
    word: Vote


class FeedAddress(BaseModel):
    """A feed by its address."""

    model_config = ConfigDict(extra="forbid")
    url: Address


class PriceRequest(BaseModel):
    """Products to price, each described in its own words, without price and shop."""

    model_config = ConfigDict(extra="forbid")
    descriptions: list[Description] = Field(min_length=1, max_length=_MOST_DESCRIPTIONS)


class Priced(BaseModel):
    """What one product is worth, or why that cannot be said."""

    description: str
    estimate: Estimate | None = None
    failure: str | None = None


def add_acts(router: APIRouter, context: DashboardContext) -> None:
    """Put everything that changes something, or costs time, on the router."""
    _add_deals(router, context)
    _add_feeds(router, context)
    _add_hunts(router, context)


def _add_deals(router: APIRouter, context: DashboardContext) -> None:
    store = context.store

    @router.post("/opportunities/{identity}/feedback", tags=["deals"], responses=UNKNOWN)
    def feedback(identity: Identity, word: Word) -> Said:
        """Store the owner's word on an opportunity; the alert threshold learns from it."""
        if not store.vote(identity, word.word, via="dashboard"):
            raise HTTPException(404, "There is no such opportunity")
        return Said(said="Noted")

    @router.post("/opportunities/{identity}/resend", tags=["deals"], responses={**UNKNOWN, **_NOT_HERE})
    def resend(identity: Identity) -> Said:
        """Put the notification of an opportunity into the outbox once more."""
        found(store.opportunity(identity), "opportunity")
        return Said(said=_offered(context.resend, "Sending again")(identity))

    @router.post("/price", tags=["deals"], responses=_NOT_HERE)
    def price(request: PriceRequest) -> list[Priced]:
        """What products are worth, each with a calibrated 80% range."""
        try:
            answers = _offered(context.price, "Pricing")(request.descriptions)
        except DatabaseUnavailable:
            raise
        except DealhoundError as error:
            raise HTTPException(503, str(error)) from error
        return [
            Priced(
                description=text,
                estimate=said if isinstance(said, Estimate) else None,
                failure=None if isinstance(said, Estimate) else said,
            )
            for text, said in zip(request.descriptions, answers, strict=True)
        ]


def _add_feeds(router: APIRouter, context: DashboardContext) -> None:
    store, desk = context.store, Desk(context)

    @router.post("/feeds", tags=["feeds"], status_code=201, responses={409: {"description": "No web address"}})
    def add_feed(feed: FeedAddress) -> FeedState:
        """Follow a feed; one that is followed already is returned as it is."""
        address = web_address(feed.url)
        if address is None:
            raise HTTPException(409, "Give the feed's address, beginning with https:// or http://")
        return store.add_feed(address)

    @router.delete("/feeds", tags=["feeds"], responses=UNKNOWN)
    def remove_feed(url: Annotated[Address, Query(description="the feed's address, as it is listed")]) -> Said:
        """Stop following a feed; what it brought stays known."""
        if not store.remove_feed(url):
            raise HTTPException(404, "That feed is not followed")
        return Said(said="Removed")

    @router.post("/feeds/check", tags=["feeds"], responses=UNKNOWN)
    def check_feed(feed: FeedAddress) -> Said:
        """Poll a feed with the next hunt, which starts at once where a daemon runs."""
        found(store.feed(feed.url), "feed")
        return Said(said=desk.check_feed(feed.url))


def _add_hunts(router: APIRouter, context: DashboardContext) -> None:
    desk = Desk(context)

    @router.post("/hunts", tags=["operation"], status_code=202, responses=_NOT_HERE)
    def hunt_now() -> Said:
        """Start a hunt, unless one is running, which finds the same."""
        _daemon(context)
        return Said(said=desk.hunt_now())

    @router.post("/hunts/pause", tags=["operation"], responses=_NOT_HERE)
    def pause() -> Said:
        """Start no further hunts until they are resumed; the running one ends."""
        _daemon(context).pause()
        return Said(said="Paused")

    @router.post("/hunts/resume", tags=["operation"], responses=_NOT_HERE)
    def resume() -> Said:
        """Hunt by the schedule again."""
        _daemon(context).resume()
        return Said(said="Hunting by the schedule")


def _daemon(context: DashboardContext) -> Controls:
    if context.controls is None:
        raise HTTPException(409, "No daemon runs here")
    return context.controls


def _offered(act: Callable[..., Any] | None, what: str) -> Callable[..., Any]:
    if act is None:
        raise HTTPException(409, f"{what} is not offered here")
    return act
