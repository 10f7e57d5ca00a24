"""The page behind the link in an alert: the owner's word on one opportunity, without a log-in.

Looking at the page changes nothing, because mail programs and messengers open links to preview them; only its buttons
(a POST) vote. The link's signature is the permission, see ``framework.votelinks``.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Path, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse

from framework.memory.feedback import Vote
from framework.memory.records import OpportunityRecord
from framework.memory.store import Store
from framework.views.markup import Html, join, link, tag
from framework.votelinks import PATH, VoteLinks
from framework.web.forms import read_form

_WORDS = {
    Vote.GOOD: "Good find",
    Vote.BAD: "Not for me",
    Vote.BOUGHT: "Bought it",
    Vote.HIDE: "Hide it",
    Vote.UNDO: "Take it back",
}
_SAID = {
    Vote.GOOD: "Noted: a good find.",
    Vote.BAD: "Noted: not for you.",
    Vote.BOUGHT: "Noted: you bought it. Enjoy!",
    Vote.HIDE: "It is hidden from the dashboard.",
    Vote.UNDO: "Your word is taken back, and the deal is shown again.",
}
_HEADERS = {"cache-control": "no-store", "x-robots-tag": "noindex, nofollow"}
Identity = Annotated[str, Path(max_length=64)]
Signature = Annotated[str, Path(max_length=64)]


def add_votes(app: FastAPI, store: Store, links: VoteLinks) -> None:
    """Put the page and its form on the app."""

    @app.get(f"{PATH}/{{identity}}/{{signature}}", include_in_schema=False)
    def show(identity: Identity, signature: Signature) -> HTMLResponse:
        record = _allowed(store, links, identity, signature)
        return _page(record, store.vote_on(identity)) if record else _nothing()

    @app.post(f"{PATH}/{{identity}}/{{signature}}", include_in_schema=False)
    async def vote(identity: Identity, signature: Signature, request: Request) -> HTMLResponse:
        word = (await read_form(request)).get("vote")

        def record_vote() -> HTMLResponse:
            record = _allowed(store, links, identity, signature)
            if record is None:
                return _nothing()
            if word not in set(Vote):
                return _page(record, store.vote_on(identity), "Press one of the buttons.", 400)
            store.vote(identity, Vote(word), via="link")
            return _page(record, store.vote_on(identity), _SAID[Vote(word)])

        return await run_in_threadpool(record_vote)


def _allowed(store: Store, links: VoteLinks, identity: str, signature: str) -> OpportunityRecord | None:
    return store.opportunity(identity) if links.genuine(identity, signature) else None


def _page(record: OpportunityRecord, given: Vote | None, said: str = "", status: int = 200) -> HTMLResponse:
    deal, judgement = record.opportunity.deal, record.opportunity.judgement
    facts = f"{deal.price}, {judgement.discount_pct:.0f}% below its worth"
    buttons = [
        tag(
            "button",
            label,
            type="submit",
            name="vote",
            value=word.value,
            class_="dh-button",
            aria_pressed="true" if given is word else "false",
        )
        for word, label in _WORDS.items()
    ]
    body = tag(
        "main",
        tag("h1", "Your word on this deal"),
        tag("p", link(deal.url, deal.title)),
        tag("p", facts, class_="dh-muted"),
        tag("form", tag("div", buttons, class_="dh-actions"), method="post"),
        tag("p", said, role="status", class_="dh-said"),
        class_="dh",
    )
    return _html("Your word on a deal", body, status)


def _nothing() -> HTMLResponse:
    """The same for a forged link and for a deal that is no longer known: a guesser learns nothing."""
    said = "This link is not valid. Open the deal on the dashboard instead."
    return _html("No such link", tag("main", tag("h1", "Nothing here"), tag("p", said), class_="dh"), 404)


def _html(title: str, body: Html, status: int) -> HTMLResponse:
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("title", f"Dealhound: {title}"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("link", rel="stylesheet", href="../../ui/page.css"),
        tag("link", rel="icon", href="../../ui/icon.svg"),
    )
    page = join(Html("<!doctype html>"), tag("html", head, tag("body", body), lang="en"))
    return HTMLResponse(page, status, headers=_HEADERS)
