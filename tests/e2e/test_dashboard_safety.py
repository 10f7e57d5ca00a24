"""The dashboard under attack and under load: hostile titles, closed doors, no foreign request, ten thousand deals."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import framework.web.deals_pages
from framework.deals import Opportunity
from framework.memory.store import Store
from framework.views.markup import text
from tests.fakes import board
from tests.fakes.browser import TABS, Page, needs_chromium
from tests.fakes.dashboard import Daemon, usual
from tests.fakes.hostile import TITLES

pytestmark = needs_chromium
_TITLES = "return [...document.querySelectorAll('.dh-card .dh-title > *')].map(title => title.textContent)"
# What the cards are made of; anything else came out of a title.
_FOREIGN = """
const ours = new Set('ARTICLE DIV SPAN H2 P A I B TIME DETAILS SUMMARY BUTTON'.split(' '));
return [...document.querySelectorAll('.dh-cards *')].filter(element => !ours.has(element.tagName)
  || [...element.attributes].some(attribute => attribute.name.startsWith('on'))).map(element => element.outerHTML);
"""
_EVENTS = """
for (const element of document.querySelectorAll('.dh-card *'))
  for (const name of ['mouseover', 'focus', 'blur', 'copy', 'paste', 'drag', 'animationstart', 'transitionend'])
    element.dispatchEvent(new Event(name, {bubbles: true}));
"""


def test_no_hostile_title_becomes_more_than_text(chromium: Any, tmp_path: Path, monkeypatch: Any) -> None:
    _attack(chromium, tmp_path, monkeypatch, list(TITLES))


@pytest.mark.shared
def test_no_title_of_the_corpus_becomes_more_than_text(
    chromium: Any, tmp_path: Path, monkeypatch: Any, shared: Path
) -> None:
    payloads = (shared / "corpus/hostile/xss/payloads-300.txt").read_text(encoding="utf-8").splitlines()
    _attack(chromium, tmp_path, monkeypatch, [payload for payload in payloads if payload.strip()])


def _attack(chromium: Any, folder: Path, monkeypatch: Any, titles: list[str]) -> None:
    monkeypatch.setattr(framework.web.deals_pages, "PAGE_SIZE", len(titles))  # all on one page

    def fill(store: Store) -> None:
        store.import_opportunities([_opportunity(number, title) for number, title in enumerate(titles)])

    with Daemon(folder, fill) as running:
        page = Page(chromium, running.server.url)
        page.forget()
        page.open()
        assert page.js(_TITLES) == [text(title) for title in reversed(titles)]
        assert page.js(_FOREIGN) == []
        page.js(_EVENTS)
        page.tab("Live")
        page.shows("Newest entries", "#dh-live")
        page.whole_tab("Map")
        assert page.js("return window.hacked") is None
        assert {url for url in page.requests() if not url.startswith((page.url, "data:", "blob:"))} == set()
        assert page.console_errors() == []


def _opportunity(number: int, title: str) -> Opportunity:
    return Opportunity(
        id=f"o{number}",
        deal=board.deal(number, title, url=title if number % 2 else f"https://shop.example/{number}"),
        valuation=board.valuation(number),
        judgement=board.judgement(number),
        created=board.NOW + timedelta(seconds=number),
    )


def test_no_request_leaves_the_machine_and_the_console_is_silent_on_every_tab(chromium: Any, tmp_path: Path) -> None:
    with Daemon(tmp_path, usual) as running:
        page = Page(chromium, running.server.url)
        page.forget()
        page.open()
        page.js("document.querySelector('.dh-card details').open = true")
        page.shows("Specialist", ".dh-inside")
        for name in TABS:
            page.whole_tab(name)
        asked = page.requests()
        assert asked
        assert {url for url in asked if not url.startswith((page.url, "data:", "blob:"))} == set()
        assert page.console_errors() == []
        status = "return fetch(arguments[0]).then(answer => answer.status)"
        for path in ("gradio_api/info", "gradio_api/upload", "gradio_api/file=/etc/passwd", "docs", "monitoring"):
            assert page.js(status, path) == 404
        # Browsers keep at most six connections to a server: the heartbeat must end, so that more pages can be open.
        assert "ALIVE" in page.js("return fetch('gradio_api/heartbeat/some-session').then(answer => answer.text())")


def test_ten_thousand_deals_are_paged_searched_and_ordered(chromium: Any, tmp_path: Path) -> None:
    def fill(store: Store) -> None:
        store.import_opportunities([_opportunity(number, f"Lamp number {number}") for number in range(10_000)])

    with Daemon(tmp_path, fill) as running:
        page = Page(chromium, running.server.url).open()
        page.shows("1 to 24 of 10,000", "#dh-deals")
        assert page.text(".dh-card .dh-title") == "Lamp number 9999"
        page.button("Next page")
        page.shows("25 to 48 of 10,000", "#dh-deals")
        page.type("Search", "number 4321")
        page.until(lambda: page.text(".dh-card .dh-title") == "Lamp number 4321", "the one lamp")
        page.type("Search", "lamp")
        page.choose("Order", "Lowest price")
        page.until(lambda: page.text(".dh-price") == "$49.00", "the cheapest first")


def test_a_password_is_asked_for_once_and_its_cookie_is_out_of_reach_of_scripts(chromium: Any, tmp_path: Path) -> None:
    with Daemon(tmp_path, usual, password="correct horse battery") as locked:
        page = Page(chromium, locked.server.url)
        chromium.get(page.url)
        page.until(lambda: page.count("input[type=password]") == 1, "the log-in page")
        for password, selector in (("wrong", "[role=alert]"), ("correct horse battery", ".dh-card")):
            page.js("return document.querySelector('input[type=password]')").send_keys(password + "\n")
            page.until(lambda s=selector: page.text(s) != "", selector)
        assert "dealhound_session" not in page.js("return document.cookie")
    chromium.delete_all_cookies()
