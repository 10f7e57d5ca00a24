"""The API: the memory as JSON, and what the owner can do. Documented by OpenAPI at /api/openapi.json."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from pydantic import BaseModel
from starlette.routing import Match

from framework.errors import DatabaseUnavailable
from framework.feedstate import FeedState
from framework.memory.records import (
    EntryRecord,
    EntryVerdict,
    HuntRecord,
    Notification,
    NotificationState,
    OpportunityOrder,
    OpportunityRecord,
    PricePoint,
)
from framework.progress import HuntProgress
from framework.web.api_acts import add_acts
from framework.web.api_words import EVERYWHERE, UNKNOWN, Identity, Limit, Offset, Search, found
from framework.web.context import DashboardContext

# For the documentation: who comes in is decided by the door (framework.web.login), before any route is looked at.
_TOKEN = HTTPBearer(auto_error=False, description="A token made by ./dealhound tokens add NAME")


class Page(BaseModel):
    """One page of opportunities."""

    total: int
    items: list[OpportunityRecord]


class Status(BaseModel):
    """What the daemon is at."""

    paused: bool
    hunt: HuntProgress | None  # the one at work


def add_api(app: FastAPI, context: DashboardContext) -> None:
    """Put all API routes on the app, and translate the errors that they may meet."""
    app.add_exception_handler(DatabaseUnavailable, _unavailable)
    app.add_exception_handler(405, _not_allowed)
    router = APIRouter(prefix="/api", dependencies=[Depends(_TOKEN)], responses=EVERYWHERE)
    _add_deals(router, context)
    _add_work(router, context)
    add_acts(router, context)
    app.include_router(router)


def _unavailable(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 503)


def _not_allowed(request: Request, _error: Exception) -> JSONResponse:
    """405 with every method of the path: Starlette names those of one route only, and here each method is a route."""
    matching = [route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE]
    methods = {method for route in matching for method in getattr(route, "methods", None) or ()}
    return JSONResponse({"detail": "Method Not Allowed"}, 405, headers={"allow": ", ".join(sorted(methods))})


def _add_deals(router: APIRouter, context: DashboardContext) -> None:
    store = context.store

    @router.get("/opportunities", tags=["deals"])
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
        records = store.opportunities(limit, offset, order=order, search=search, since=since, samples=samples)
        return Page(total=store.count_opportunities(search=search, since=since, samples=samples), items=records)

    @router.get("/opportunities/{identity}", tags=["deals"], responses=UNKNOWN)
    def opportunity(identity: Identity) -> OpportunityRecord:
        """One opportunity with everything it was judged on."""
        return found(store.opportunity(identity), "opportunity")

    @router.get("/opportunities/{identity}/prices", tags=["deals"], responses=UNKNOWN)
    def prices(identity: Identity) -> list[PricePoint]:
        """What an opportunity's product cost in all offers that were seen, oldest first."""
        return store.price_history(found(store.opportunity(identity), "opportunity").product_key)

    @router.get("/notifications", tags=["deals"])
    def notifications(limit: Limit = 50, state: NotificationState | None = None) -> list[Notification]:
        """The outbox: what was or will be sent, newest first."""
        return store.notifications(limit, state=state)


def _add_work(router: APIRouter, context: DashboardContext) -> None:
    store = context.store

    @router.get("/entries", tags=["feeds"])
    def entries(
        limit: Limit = 50, offset: Offset = 0, search: Search = None, verdict: EntryVerdict | None = None
    ) -> list[EntryRecord]:
        """What became of the entries of the feeds, and why; newest first."""
        return store.entries(limit, offset, verdict=verdict, search=search)

    @router.get("/feeds", tags=["feeds"])
    def feeds() -> list[FeedState]:
        """The feeds and their health."""
        return store.feeds()

    @router.get("/hunts", tags=["operation"])
    def hunts(limit: Limit = 50) -> list[HuntRecord]:
        """The last hunts, newest first."""
        return store.hunts(limit)

    @router.get("/status", tags=["operation"])
    def status() -> Status:
        """Whether hunts are paused, and what the running one is at."""
        paused = context.controls is not None and context.controls.paused()
        return Status(paused=paused, hunt=context.progress())
