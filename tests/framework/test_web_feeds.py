"""What feed readers read: the opportunities as RSS and JSON Feed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import feedparser
import httpx2
import pytest

from framework.log import LogBuffer
from framework.memory.store import Store
from framework.settings import Settings
from framework.web.app import create_app
from framework.web.context import DashboardContext
from framework.web.server import serve
from tests.fakes import board


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'memory.db'}", clock=lambda: board.NOW) as opened:
        yield opened


@pytest.fixture
def web(store: Store) -> Iterator[httpx2.Client]:
    context = DashboardContext(store=store, settings=Settings(), log=LogBuffer(), clock=lambda: board.NOW)
    handle = serve(create_app(context), "127.0.0.1", 0)
    assert handle.wait_until_started()
    with httpx2.Client(base_url=handle.url, trust_env=False, timeout=20) as client:
        yield client
    handle.stop()


def test_a_feed_reader_understands_the_rss(web: httpx2.Client, store: Store) -> None:
    board.fill(store, 3)
    board.add_opportunity(store, 9, "<b>Bold</b> & \x0c\ud7ff\ufffe kettle", url="javascript:alert(1)")
    feed = feedparser.parse(web.get("/feed.xml").content)
    assert not feed.bozo
    assert len(feed.entries) == 4
    hostile, plain = feed.entries[0], feed.entries[-1]
    assert hostile.link == str(web.base_url)
    assert "Bold" in hostile.title
    assert plain.title.startswith("$179.00 (−44%): Corven")
    assert plain.link == "https://shop0.example/p/0"
    assert "worth $320 ($260 to $390)" in plain.summary


def test_the_json_feed_holds_the_same_and_no_script(web: httpx2.Client, store: Store) -> None:
    board.add_opportunity(store, 9, "<script>alert(1)</script>", url="javascript:alert(1)")
    answer = web.get("/feed.json")
    item = answer.json()["items"][0]
    assert answer.headers["content-type"] == "application/feed+json"
    assert item["url"] == str(web.base_url)
    assert "<script" not in item["content_html"]
    assert item["date_published"].startswith("2026-11-20T12:00")


def test_empty_feeds_are_valid(web: httpx2.Client) -> None:
    assert not feedparser.parse(web.get("/feed.xml").content).bozo
    assert web.get("/feed.json").json()["items"] == []
