"""What the page's own script asks for: a card's inside, the deals' pictures, and the acts on feeds.

These are parts of the page, not of the API: they answer with HTML, pictures or a sentence for the eye.
"""

from __future__ import annotations

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool

from framework.errors import FeedError
from framework.thumbnail import MEDIA_TYPE
from framework.web.api_acts import FeedAddress
from framework.web.api_words import Identity, Said
from framework.web.desk import Desk
from framework.web.pages import Pages

_DAY = {"cache-control": "private, max-age=86400"}
_NOT_KEPT = {"cache-control": "no-store"}


def add_parts(app: FastAPI, pages: Pages, desk: Desk) -> None:
    """Put them on the app, below ``/page/``."""
    _add_deals(app, pages)
    _add_feeds(app, desk)


def _add_deals(app: FastAPI, pages: Pages) -> None:
    @app.get("/page/deals/{identity}", include_in_schema=False)
    def detail(identity: Identity) -> HTMLResponse:
        """What an opportunity was judged on, and what became of it."""
        inside = pages.deals_pages.detail(identity)
        if inside is None:
            raise HTTPException(404, "This deal is no longer remembered")
        return HTMLResponse(inside, headers=_NOT_KEPT)

    @app.get("/page/pictures/{identity}", include_in_schema=False)
    def picture(identity: Identity) -> Response:
        """The picture of an opportunity, by its id only: no address can be asked for."""
        small = pages.deals_pages.picture(identity)
        if small is None:
            raise HTTPException(404, "There is no picture")
        return Response(small, media_type=MEDIA_TYPE, headers=_DAY)


def _add_feeds(app: FastAPI, desk: Desk) -> None:
    @app.post("/page/feeds/check", include_in_schema=False)
    def check(feed: FeedAddress) -> Said:
        """Make a feed due at once."""
        return Said(said=desk.check_feed(feed.url))

    @app.post("/page/feeds/remove", include_in_schema=False)
    def remove(feed: FeedAddress) -> Said:
        """Stop following a feed."""
        return Said(said=desk.remove_feed(feed.url))

    @app.get("/page/feeds.opml", include_in_schema=False)
    def export() -> Response:
        """The followed feeds for other feed readers."""
        name = {"content-disposition": 'attachment; filename="dealhound.opml"', **_NOT_KEPT}
        return Response(desk.export_opml(), media_type="text/x-opml", headers=name)

    @app.post("/page/feeds.opml", include_in_schema=False)
    async def import_(request: Request) -> Said:
        """Follow every feed of an OPML file."""
        document = await request.body()
        try:
            return Said(said=await run_in_threadpool(desk.import_opml, document))
        except FeedError as error:
            raise HTTPException(422, str(error)) from error
