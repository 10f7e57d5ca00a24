"""What tabs share, what the page's script may ask for, and that looking starts nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from framework.log import LogBuffer
from framework.memory.store import Store
from framework.settings import Settings
from framework.web.app import create_app
from framework.web.context import DashboardContext
from framework.web.deals_pages import DealsQuery
from framework.web.desk import Desk
from framework.web.pages import Pages
from framework.web.parts import add_parts
from framework.web.server import serve
from framework.web.shared import SharedReads
from tests.fakes import board


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'memory.db'}", clock=lambda: board.NOW) as opened:
        board.fill(opened, 3)
        yield opened


@pytest.fixture
def context(store: Store, tmp_path: Path) -> DashboardContext:
    return DashboardContext(
        store=store,
        settings=Settings(home=tmp_path),
        log=LogBuffer(),
        controls=board.Controls(),
        resend=lambda identity: "sent",
        clock=lambda: board.NOW,
    )


@pytest.fixture
def web(context: DashboardContext) -> Iterator[httpx2.Client]:
    pages = Pages(context)
    app = create_app(context, lambda app: add_parts(app, pages, Desk(context, pages.shared.forget)))
    handle = serve(app, "127.0.0.1", 0)
    assert handle.wait_until_started()
    with httpx2.Client(base_url=handle.url, trust_env=False, timeout=20) as client:
        yield client
    handle.stop()


def test_a_question_is_read_once_for_all_who_ask_within_its_time() -> None:
    now, read = [0.0], []
    shared = SharedReads(clock=lambda: now[0])

    def ask(seconds: float = 2.0) -> int:
        return shared.get("q", seconds, lambda: read.append(1) or len(read))

    assert (ask(), ask()) == (1, 1)
    now[0] = 2.0
    assert ask() == 2
    shared.forget()
    assert ask() == 3


def test_many_readers_at_once_cause_one_reading() -> None:
    shared, reads, gate = SharedReads(), [], threading.Barrier(6)

    def read() -> str:
        reads.append(threading.get_ident())
        return "answer"

    def ask() -> None:
        gate.wait()
        assert shared.get("q", 60, read) == "answer"

    tabs = [threading.Thread(target=ask) for _ in range(6)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert len(reads) == 1


def test_a_failed_reading_is_tried_again_and_the_number_of_answers_is_bounded() -> None:
    shared = SharedReads(most=2)

    def fail() -> str:
        raise RuntimeError("no answer")

    with pytest.raises(RuntimeError, match="no answer"):
        shared.get("q", 60, fail)
    assert shared.get("q", 60, lambda: "well") == "well"
    for other in ("a", "b"):
        shared.get(other, 60, lambda: "x")
    assert shared.get("q", 60, lambda: "again") == "again"


def test_five_tabs_cost_the_memory_one_reading(context: DashboardContext, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []
    for name in ("opportunities", "count_opportunities", "hunts", "entries", "feeds"):
        _count(monkeypatch, context.store, name, reads)
    pages = Pages(context)
    for _ in range(5):
        pages.header(), pages.deals(DealsQuery()), pages.live(), pages.feeds()
    assert {name: reads.count(name) for name in set(reads)} == {
        "opportunities": 1, "count_opportunities": 3, "hunts": 2, "entries": 1, "feeds": 1,
    }  # fmt: skip
    assert context.controls.hunts == 0  # type: ignore[union-attr]


def _count(monkeypatch: pytest.MonkeyPatch, store: Store, name: str, reads: list[str]) -> None:
    method: Callable[..., Any] = getattr(store, name)
    monkeypatch.setattr(store, name, lambda *a, **k: (reads.append(name), method(*a, **k))[1])


def test_a_broken_memory_is_said_in_the_tab_s_place(context: DashboardContext) -> None:
    pages = Pages(context)
    context.store.close()
    assert "This cannot be shown now" in pages.deals(DealsQuery())
    assert pages.page_count(DealsQuery()) == 1
    assert pages.feed_choices() == []


def test_a_page_beyond_the_last_is_the_last(context: DashboardContext) -> None:
    assert "1 to 3 of 3" in Pages(context).deals(DealsQuery(page=7))


def test_the_inside_of_a_card_comes_escaped_and_an_unknown_one_is_404(web: httpx2.Client, store: Store) -> None:
    board.add_opportunity(store, 9, description="<img src=x onerror=alert(1)>")
    answer = web.get(f"/page/deals/{store.opportunities(1)[0].opportunity.id}")
    assert answer.headers["content-type"].startswith("text/html")
    assert "&lt;img src=x onerror=alert(1)&gt;" in answer.text
    assert "Send again" in answer.text
    for path in ("/page/deals/unknown", "/page/pictures/unknown", "/page/pictures/http:%2F%2Fevil.example%2Fx.png"):
        assert web.get(path).status_code == 404


def test_feeds_are_checked_and_removed_by_the_script_of_our_own_page_only(web: httpx2.Client, store: Store) -> None:
    feed = {"url": board.FEED}
    assert web.post("/page/feeds/remove", json=feed, headers={"origin": "https://evil.example"}).status_code == 403
    assert web.post("/page/feeds/check", json=feed).json() == {"said": "1 feed is due. A hunt starts now."}
    assert web.post("/page/feeds/remove", json=feed).json()["said"].startswith("Removed")
    assert web.post("/page/feeds/remove", json=feed).json() == {"said": "That feed is not followed."}
    assert store.feed(board.FEED) is None


def test_opml_goes_out_and_comes_in_and_what_is_none_is_said(web: httpx2.Client, store: Store) -> None:
    document = web.get("/page/feeds.opml").content
    for feed in store.feeds():
        store.remove_feed(feed.url)
    said = web.post("/page/feeds.opml", content=document).json()["said"]
    assert said.startswith("2 feeds are listed, 2 of them new")
    assert {feed.title for feed in store.feeds()} == {"Deals of the day", "Slow bargains"}
    for body in (b"", b"<html/>", b'<!DOCTYPE x [<!ENTITY a "b">]><opml>&a;</opml>'):
        answer = web.post("/page/feeds.opml", content=body)
        assert answer.status_code == 422
        assert "This file" in answer.json()["detail"]


def test_settings_that_cannot_be_changed_here_say_so(context: DashboardContext) -> None:
    assert Desk(context).change_settings({"max_alerts": "3"}) == "Settings cannot be changed here."
    assert Desk(replace(context, controls=None)).hunt_now() == "No daemon runs here."
