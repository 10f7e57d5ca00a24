"""The dashboard in a real headless Chromium: what each tab shows, and what its buttons do."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from framework.http import HttpClient
from framework.memory.feedback import Vote
from tests.fakes import board
from tests.fakes.browser import Page, needs_chromium
from tests.fakes.dashboard import Daemon, usual
from tests.fakes.hostile import TITLES
from tests.fakes.web import LoopbackWeb

pytestmark = needs_chromium
FIRST = "return document.querySelector('.dh-card').id.slice('deal-'.length)"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("home"), usual) as running:
        yield running


@pytest.fixture
def page(daemon: Daemon, chromium: Any) -> Page:
    return Page(chromium, daemon.server.url)


def test_deals_are_shown_with_price_worth_and_link_and_hostile_titles_as_text(page: Page) -> None:
    page.open()
    first = page.text(".dh-card")
    assert all(part in first for part in ("$", "Worth", "sure", "%"))
    shown = page.text("#dh-deals")
    assert all(title in shown for title in TITLES[:4])
    assert page.count("#dh-deals a[href^='javascript']") == 0
    rels = page.js("return [...document.querySelectorAll('.dh-card .dh-title a')].map(a => a.rel)")
    assert rels
    assert set(rels) == {"noopener noreferrer nofollow"}


def test_every_tab_shows_its_content(page: Page) -> None:
    page.open()
    for name, selector, words in (
        ("Live", "#dh-live", "Last hunts"),
        ("Live", "#dh-log", "read <b>failed</b>"),
        ("Feeds", "#dh-feeds", "The server answered 503"),
        ("Accuracy", "#dh-accuracy", "of its alerts"),
        ("Settings", "#dh-status", "set OPENAI_API_KEY"),
        ("Settings", "#dh-usage", "Today: 12 calls"),
        ("Settings", "#dh-settings", "DEALHOUND_INTERVAL"),
    ):
        page.tab(name)
        page.until(lambda s=selector, w=words: w.lower() in page.text(s).lower(), f"{words} on {name}")


def test_the_map_is_drawn_flat_and_in_depth_with_the_deals_on_it(page: Page) -> None:
    page.open()
    page.tab("Map")
    page.until(lambda: page.count("#dh-map .scatterlayer .trace") == 9, "eight kinds and the deals")
    page.shows("Today's deals (34)", "#dh-map .legend")
    page.js("[...document.querySelectorAll('label')].find(l => l.innerText.trim() === '3-D').click()")
    page.until(lambda: page.count("#dh-map .gl-container canvas") > 0, "the scene")


def test_the_evaluation_s_plots_are_drawn(page: Page) -> None:
    page.open()
    page.tab("Accuracy")
    page.until(lambda: page.count(".dh-plots .js-plotly-plot .main-svg") >= 14, "seven plots")


def test_a_search_and_filters_narrow_the_deals_and_an_empty_result_says_so(page: Page) -> None:
    page.open()
    page.type("Search", "kettle onerror")
    page.until(lambda: page.count(".dh-card") == 1, "one kettle")
    page.type("Search", "no such thing")
    page.shows("Nothing matches", "#dh-deals")
    page.type("Search", " ")
    page.choose("Order", "Lowest price")
    page.until(lambda: page.text(".dh-price") == "$49.00", "the cheapest first")
    page.button("More filters")
    page.choose("Discount", "40% and more")
    page.shows("1 to 21 of 21", "#dh-deals")


def test_pages_turn(page: Page) -> None:
    page.open()
    page.shows("1 to 24 of 34", "#dh-deals")
    page.button("Next page")
    page.shows("25 to 34 of 34", "#dh-deals")
    page.button("Previous page")
    page.shows("1 to 24 of 34", "#dh-deals")


def test_an_opened_card_shows_what_it_was_judged_on_and_stays_open_when_a_new_deal_comes(
    page: Page, daemon: Daemon
) -> None:
    page.open()
    page.js("document.querySelector('.dh-card details').open = true")
    key = page.js(FIRST)
    inside = f"#deal-{key} .dh-inside"
    for words in ("Specialist", "no figure: artifact missing", "last year's model", "list price", "console"):
        page.shows(words, inside)
    board.add_opportunity(daemon.store, 200, "Freshly found juicer")
    page.shows("Freshly found juicer", "#dh-deals")
    page.until(lambda: page.js(f"return document.querySelector('[data-key=\"{key}\"]').open"), "the open card")
    page.shows("Specialist", inside)


def test_only_the_button_starts_a_hunt_and_its_progress_is_watched_live(page: Page, daemon: Daemon) -> None:
    page.open()
    page.tab("Live")
    page.shows("No hunt is running", "#dh-live")
    before = daemon.controls.hunts
    page.button("Hunt now")
    page.until(lambda: daemon.controls.hunts == before + 1, "the hunt")
    page.shows("A hunt starts now")
    daemon.progress.begin("watched")
    for stage, total, shown in (("poll", 3, "Poll feeds"), ("scan", 4, "Read entries"), ("estimate", 4, "Estimate")):
        daemon.progress.stage(stage, total)
        daemon.progress.step(2)
        page.until(lambda s=shown: page.text(".dh-now") == s, shown)
        page.shows(f"2 of {total}", ".dh-hunt")
    assert page.js("return document.querySelector('.dh-hunt progress').value") == 50
    daemon.progress.end()
    page.shows("No hunt is running", "#dh-live")
    page.button("Pause or resume")
    page.shows("Paused", "#dh-header")
    page.button("Pause or resume")
    page.until(lambda: "Paused" not in page.text("#dh-header"), "the end of the pause")
    assert daemon.controls.hunts == before + 1


def test_feedback_is_stored_and_taken_back_and_a_message_sent_again(page: Page, daemon: Daemon) -> None:
    page.open()
    identity = page.js(FIRST)
    card = f"document.querySelector('#deal-{identity}')"
    page.js(f"{card}.querySelector('[data-body=good]').click()")
    page.until(lambda: daemon.store.vote_on(identity) is Vote.GOOD, "the vote")
    pressed = f"return {card}.querySelector('[data-body=good]').getAttribute('aria-pressed')"
    page.until(lambda: page.js(pressed) == "true", "the pressed button")
    page.js(f"{card}.querySelector('[data-body=good]').click()")
    page.until(lambda: daemon.store.vote_on(identity) is None, "the vote taken back")
    page.js(f"{card}.querySelector('details').open = true")
    page.until(lambda: page.count(f"#deal-{identity} [data-post$=resend]") == 1, "the button")
    page.js(f"{card}.querySelector('[data-post$=resend]').click()")
    page.until(lambda: daemon.resent == [identity], "the second message")
    page.shows("It is sent again.", f"#deal-{identity}")


def test_a_hidden_deal_is_gone_and_comes_back(page: Page) -> None:
    page.open()
    identity = page.js(FIRST)
    page.js(f"document.querySelector('#deal-{identity} [data-body=hide]').click()")
    page.until(lambda: page.count(f"#deal-{identity}") == 0, "the hidden card's end")
    page.choose("Your word", "Hidden")
    page.until(lambda: page.count(f"#deal-{identity}") == 1, "the card among the hidden")
    page.js(f"document.querySelector('#deal-{identity} [data-body=undo]').click()")
    page.shows("Nothing matches", "#dh-deals")


def test_feeds_are_added_checked_removed_and_exchanged_as_opml(page: Page, daemon: Daemon, tmp_path: Path) -> None:
    page.open()
    page.tab("Feeds")
    page.type("Feed address", "javascript:alert(1)")
    page.button("Add")
    page.shows("beginning with https://")
    page.type("Feed address", "https://new.example/rss?a=1&b='2'")
    page.button("Add")
    page.shows("https://new.example/rss?a=1&b='2'", "#dh-feeds")
    row = "[...document.querySelectorAll('#dh-feeds tr')].find(r => r.innerText.includes('new.example'))"
    for label in ("Remove", "Really remove?"):
        page.js(f"[...{row}.querySelectorAll('button')].find(b => b.innerText === arguments[0]).click()", label)
    page.until(lambda: "new.example" not in page.text("#dh-feeds"), "its removal")
    document = tmp_path / "feeds.opml"
    document.write_text(
        '<opml version="2.0"><body><outline xmlUrl="https://from.example/rss" text="Of old"/></body></opml>'
    )
    page.js("return document.querySelector('#dh-opml-file')").send_keys(str(document))
    page.shows("1 feeds are listed, 1 of them new", "#dh-opml")
    page.shows("Of old", "#dh-feeds")
    exported = page.js("return fetch('page/feeds.opml').then(answer => answer.text())")
    assert 'xmlUrl="https://from.example/rss"' in exported
    before = daemon.controls.hunts
    page.button("Check all now")
    page.shows("3 feeds are due.")
    assert daemon.controls.hunts == before + 1


def test_a_question_is_answered_as_plain_text_and_with_the_turns_before_it(page: Page) -> None:
    page.open()
    page.tab("Ask")
    page.shows("Ask about your deals", "#dh-talk")
    for before, question in enumerate((TITLES[1], TITLES[3])):
        page.type("Question", question)
        page.button("Send")
        page.shows(f"You asked: {question} (turns before: {before})", "#dh-talk")
    assert page.count("#dh-talk img") == 0
    assert page.js("return window.hacked") is None
    page.type("Question", "fail\n")
    page.shows("The server does not answer", "#dh-talk [role=alert]")
    page.button("Start over")
    page.shows("Ask about your deals", "#dh-talk")


def test_thresholds_are_changed_and_kept_and_what_does_not_fit_is_said(page: Page, tmp_path_factory: Any) -> None:
    page.open()
    page.tab("Settings")
    page.type("Least discount, %", "40")
    page.type("Quiet hours", "22:00-25:00")
    page.button("Keep")
    page.shows("Setting quiet_hours (from")
    page.type("Quiet hours", "22:00-07:00")
    page.button("Keep")
    page.shows("Kept in dealhound.toml")
    page.until(lambda: "40.0" in page.text("#dh-settings"), "the new threshold in force")
    page.driver.refresh()
    page.tab("Settings")
    page.until(lambda: page.field("Quiet hours").get_attribute("value") == "22:00-07:00", "what was kept")


def test_a_test_notification_says_what_each_channel_answered(page: Page) -> None:
    page.open()
    page.tab("Settings")
    page.button("Send a test notification")
    page.until(lambda: page.text("body").count("the user key was refused") == 2, "the answers")


def test_a_deal_s_picture_is_fetched_by_the_daemon_and_shown_from_its_own_address(
    chromium: Any, tmp_path: Path
) -> None:
    from PIL import Image

    drawn = io.BytesIO()
    Image.new("RGB", (900, 600), "red").save(drawn, "PNG")
    with LoopbackWeb() as web, HttpClient(allow_hosts=web.hosts, gap=0) as http:
        web.add("/good.png", drawn.getvalue(), content_type="image/png")
        web.add("/bad.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", content_type="image/png")

        def fill(store: Any) -> None:
            board.fill(store, 0)
            board.add_opportunity(store, 1, image=web.url("/good.png"))
            board.add_opportunity(store, 2, image=web.url("/bad.png"))
            board.add_opportunity(store, 3, image=web.url("/sample.png"), sample=True)

        with Daemon(tmp_path, fill, fetch_picture=lambda url: http.get(url).content) as running:
            page = Page(chromium, running.server.url).open()
            width = "return [...document.querySelectorAll('img.dh-picture')].map(i => i.naturalWidth)"
            page.until(lambda: page.js(width) == [320], "the one picture, small")
            assert page.count("span.dh-picture") == 2
        assert sorted(web.paths()) == ["/bad.png", "/good.png"]


def test_an_empty_memory_and_no_language_model_say_what_to_do_next(chromium: Any, tmp_path: Path) -> None:
    nothing = {"ask": None, "atlas": lambda: None, "evaluation": lambda: None, "checks": tuple, "preferences": None}
    with Daemon(tmp_path, lambda store: None, **nothing) as running:
        page = Page(chromium, running.server.url).open(ready="#dh-deals .dh-empty")
        page.shows("Press Hunt now on the Live tab", "#dh-deals")
        for tab, advice in (
            ("Live", "The first one starts by itself"),
            ("Ask", "OPENAI_API_KEY"),
            ("Feeds", "Paste the address"),
            ("Map", "./dealhound catalogue add"),
            ("Accuracy", "./dealhound evaluate"),
            ("Settings", "./dealhound doctor"),
        ):
            page.tab(tab)
            page.shows(advice)
