"""The API: the memory as JSON, the owner's word on a deal, and prices on request. Documented at /api/openapi.json."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, TypeVar

from fastapi import FastAPI, HTTPException, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from framework.deals import Estimate
from framework.errors import DatabaseUnavailable, DealhoundError
from framework.feedstate import FeedState
from framework.memory.feedback import Vote
from framework.memory.records import EntryRecord, EntryVerdict, HuntRecord, OpportunityOrder, OpportunityRecord
from framework.views.markup import web_address
from framework.web.context import DashboardContext

_MOST_DESCRIPTIONS = 32
_Text = TypeVar("_Text")
Identity = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]
Limit = Annotated[int, Query(ge=1, le=200, description="how many at most")]
Offset = Annotated[int, Query(ge=0, le=10_000_000, description="how many to leave out first")]
Search = Annotated[str | None, Query(max_length=200, description="words of the title")]
Description = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]


class Page(BaseModel):
    """One page of opportunities."""

    total: int
    items: list[OpportunityRecord]


class Word(BaseModel):
    """The owner's word on an opportunity."""

    model_config = ConfigDict(extra="forbid")
    word: Vote


class Said(BaseModel):
    """What an act came to, in one sentence."""

    said: str


class FeedAddress(BaseModel):
    """A feed by its address."""

    model_config = ConfigDict(extra="forbid")
    url: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]


class PriceRequest(BaseModel):
    """Products to price, each described in its own words, without price and shop."""

    model_config = ConfigDict(extra="forbid")
    descriptions: list[Description] = Field(min_length=1, max_length=_MOST_DESCRIPTIONS)


class Priced(BaseModel):
    """What one product is worth, or why that cannot be said."""

    description: str
    estimate: Estimate | None = None
    failure: str | None = None


def add_api(app: FastAPI, context: DashboardContext) -> None:
    """Put all API routes on the app, and translate the errors that they may meet."""
    app.add_exception_handler(DatabaseUnavailable, _unavailable)
    _add_reading(app, context)
    _add_acting(app, context)


def _unavailable(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 503)


def _add_reading(app: FastAPI, context: DashboardContext) -> None:
    store = context.store

    @app.get("/api/opportunities", tags=["deals"])
    def opportunities(
        limit: Limit = 50,
        offset: Offset = 0,
        search: Search = None,
        order: OpportunityOrder = OpportunityOrder.NEWEST,
        days: Annotated[int | None, Query(ge=1, le=3650, description="at most this old")] = None,
        samples: bool = True,
    ) -> Page:
        """Deals that were judged worth surfacing."""
        since = context.clock() - timedelta(days=days) if days else None
        found = store.opportunities(limit, offset, order=order, search=search, since=since, samples=samples)
        return Page(total=store.count_opportunities(search=search, since=since, samples=samples), items=found)

    @app.get("/api/opportunities/{identity}", tags=["deals"], responses={404: {"description": "Unknown"}})
    def opportunity(identity: Identity) -> OpportunityRecord:
        """One opportunity with everything it was judged on."""
        return _found(store.opportunity(identity), "opportunity")

    @app.get("/api/entries", tags=["feeds"])
    def entries(
        limit: Limit = 50, offset: Offset = 0, search: Search = None, verdict: EntryVerdict | None = None
    ) -> list[EntryRecord]:
        """What became of the entries of the feeds, and why; newest first."""
        return store.entries(limit, offset, verdict=verdict, search=search)

    @app.get("/api/feeds", tags=["feeds"])
    def feeds() -> list[FeedState]:
        """The feeds and their health."""
        return store.feeds()

    @app.get("/api/hunts", tags=["operation"])
    def hunts(limit: Limit = 50) -> list[HuntRecord]:
        """The last hunts, newest first."""
        return store.hunts(limit)


def _add_acting(app: FastAPI, context: DashboardContext) -> None:
    store = context.store
    unknown: dict[int | str, dict[str, Any]] = {404: {"description": "Unknown"}}

    @app.post("/api/opportunities/{identity}/feedback", tags=["deals"], responses=unknown)
    def feedback(identity: Identity, word: Word) -> Said:
        """Store the owner's word on an opportunity; the alert threshold learns from it."""
        if not store.vote(identity, word.word, via="dashboard"):
            raise HTTPException(404, "There is no such opportunity")
        return Said(said="Noted")

    @app.post("/api/opportunities/{identity}/resend", tags=["deals"], responses={**unknown, 409: {"description": "No"}})
    def resend(identity: Identity) -> Said:
        """Put the notification of an opportunity into the outbox once more."""
        _found(store.opportunity(identity), "opportunity")
        return Said(said=_offered(context.resend, "Sending again")(identity))

    @app.post("/api/feeds", tags=["feeds"], status_code=201, responses={409: {"description": "No web address"}})
    def add_feed(feed: FeedAddress) -> FeedState:
        """Follow a feed; one that is followed already is returned as it is."""
        address = web_address(feed.url)
        if address is None:
            raise HTTPException(409, "Give the feed's address, beginning with https:// or http://")
        return store.add_feed(address)

    @app.post("/api/price", tags=["deals"], responses={409: {"description": "Not offered here"}})
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


def _found(record: _Text | None, what: str) -> _Text:
    if record is None:
        raise HTTPException(404, f"There is no such {what}")
    return record


def _offered(act: Callable[..., Any] | None, what: str) -> Callable[..., Any]:
    if act is None:
        raise HTTPException(409, f"{what} is not offered here")
    return act
