"""The dashboard in a real headless Chromium: every tab, both themes, a phone, and nothing leaves the machine."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from framework.log import configure_logging
from framework.memory.store import Store
from framework.progress import ProgressBoard
from framework.settings import Settings
from framework.web.context import AskModel, DashboardContext
from framework.web.server import ServerHandle, serve
from tests.fakes import board

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        not (shutil.which("chromium") and shutil.which("chromedriver")), reason="chromium is not installed"
    ),
    pytest.mark.filterwarnings("default"),  # Gradio's own libraries warn
]
HOSTILE = [
    "<script>window.hacked=1</script> lamp",
    '<img src=x onerror="window.hacked=1"> kettle',
    '"><svg onload=window.hacked=1> mixer',
    "${window.hacked=1} {{window.hacked=1}} toaster",
]
WAIT = 60


class Daemon:
    """A served dashboard over a made-up memory."""

    def __init__(self, folder: Path, password: str | None = None, ask: AskModel | None = board.ask) -> None:
        import dashboard

        self.store = Store.open(f"sqlite:///{folder / 'memory.db'}")
        board.fill(self.store, 30)
        for number, title in enumerate(HOSTILE, start=100):
            board.add_opportunity(self.store, number, title, url=f"javascript:window.hacked={number}")
        self.controls = board.Controls()
        self.progress = ProgressBoard()
        self.resent: list[str] = []
        context = DashboardContext(
            store=self.store,
            settings=Settings(home=folder, password=SecretStr(password) if password else None),
            log=configure_logging(console=False),
            controls=self.controls,
            checks=board.checks,
            progress=self.progress,
            atlas=board.atlas,
            test_notification=board.checks,
            resend=self._resend,
            ask=ask,
            usage=lambda: "Today: 12 calls",
        )
        structlog.get_logger("dealhound").bind(agent="scanner").warning("read <b>failed</b>", entry=HOSTILE[0])
        self.server: ServerHandle = serve(dashboard.create_app(context), "127.0.0.1", 0)
        assert self.server.wait_until_started(120)

    def _resend(self, opportunity_id: str) -> str:
        self.resent.append(opportunity_id)
        return "It is sent again."

    def close(self) -> None:
        assert self.server.stop()
        self.store.close()


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    running = Daemon(tmp_path_factory.mktemp("home"))
    yield running
    running.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--no-first-run",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    yield driver
    driver.quit()


class Page:
    """The dashboard as a visitor meets it."""

    def __init__(self, driver: Any, url: str) -> None:
        self.driver, self.url = driver, url

    def open(self, width: int = 1440, height: int = 900, *, dark: bool = False) -> Page:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        theme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": theme})
        self.driver.get(self.url)
        self.until(lambda: self.count(".dh-card") > 0, "cards")
        return self

    def until(self, condition: Callable[[], bool], what: str) -> None:
        from selenium.common.exceptions import StaleElementReferenceException
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.driver, WAIT, ignored_exceptions=[StaleElementReferenceException]).until(
            lambda _: condition(), what
        )

    def count(self, selector: str) -> int:
        return int(self.js("return document.querySelectorAll(arguments[0]).length", selector))

    def text(self, selector: str) -> str:
        return str(self.js("return document.querySelector(arguments[0])?.innerText || ''", selector))

    def js(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(script, *arguments)

    def tab(self, name: str) -> None:
        find = (
            "return [...document.querySelectorAll('button[role=tab]')].find(b => b.innerText.trim() === arguments[0])"
        )
        self.until(lambda: self.js(find, name) is not None, f"the tab {name}")
        self.js(find, name).click()

    def button(self, name: str) -> None:
        find = "return [...document.querySelectorAll('button')].find(b => b.innerText.trim() === arguments[0])"
        self.js(find, name).click()

    def type(self, label: str, words: str) -> None:
        box = self.js(
            "return [...document.querySelectorAll('label')].find(l => l.innerText.startsWith(arguments[0]))"
            ".querySelector('input,textarea')",
            label,
        )
        box.clear()
        box.send_keys(words)

    def luminance(self) -> float:
        colour = self.js("return getComputedStyle(document.body).backgroundColor")
        red, green, blue = (float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3])
        return (red + green + blue) / 3

    def overflow(self) -> int:
        return int(self.js("return document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.fixture
def page(daemon: Daemon, chromium: Any) -> Page:
    return Page(chromium, daemon.server.url)


def test_deals_are_shown_with_price_worth_and_link_and_hostile_titles_as_text(page: Page) -> None:
    page.open()
    first = page.text(".dh-card")
    assert all(part in first for part in ("$", "Worth", "sure", "%"))
    shown = page.text("#dh-deals")
    assert all(title in shown for title in HOSTILE)
    assert page.js("return window.hacked") is None
    assert page.count("#dh-deals a[href^='javascript']") == 0
    rels = page.js("return [...document.querySelectorAll('.dh-card h3 a')].map(a => a.rel)")
    assert rels
    assert set(rels) == {"noopener noreferrer nofollow"}


def test_every_tab_shows_its_content(page: Page) -> None:
    page.open()
    for name, selector, words in (
        ("Live", "#dh-live", "Last hunts"),
        ("Live", "#dh-log", "read <b>failed</b>"),
        ("Feeds", "#dh-feeds", "The server answered 503"),
        ("Settings", "#dh-status", "set OPENAI_API_KEY"),
        ("Settings", "#dh-usage", "Today: 12 calls"),
        ("Settings", "#dh-settings", "DEALHOUND_INTERVAL"),
    ):
        page.tab(name)
        page.until(lambda s=selector, w=words: w in page.text(s), f"{words} on {name}")
    page.tab("Map")
    page.until(lambda: page.count(".js-plotly-plot .scatterlayer .trace") == 9, "the map")


def test_a_search_narrows_the_deals_and_an_empty_one_says_so(page: Page) -> None:
    page.open()
    page.type("Search", "kettle")
    page.until(lambda: page.count(".dh-card") == 1, "one kettle")
    page.type("Search", "no such thing")
    page.until(lambda: "Nothing matches" in page.text("#dh-deals"), "the empty state")


def test_pages_turn(page: Page) -> None:
    page.open()
    assert "1 to 24 of 34" in page.text("#dh-deals")
    page.button("Next page")
    page.until(lambda: "25 to 34 of 34" in page.text("#dh-deals"), "the second page")
    page.button("Previous page")
    page.until(lambda: "1 to 24 of 34" in page.text("#dh-deals"), "the first page")


def test_a_new_deal_appears_by_itself_and_open_details_stay_open(page: Page, daemon: Daemon) -> None:
    page.open()
    page.js("document.querySelector('.dh-card details').open = true")
    key = page.js("return document.querySelector('.dh-card details').dataset.key")
    board.add_opportunity(daemon.store, 200, "Freshly found juicer")
    page.until(lambda: "Freshly found juicer" in page.text("#dh-deals"), "the new deal")
    page.until(lambda: bool(page.js(f"return document.querySelector('[data-key=\"{key}\"]').open")), "open details")


def test_only_the_button_starts_a_hunt_and_its_progress_is_watched_live(page: Page, daemon: Daemon) -> None:
    page.open()
    page.tab("Live")
    page.until(lambda: "No hunt is running" in page.text("#dh-live"), "rest")
    assert daemon.controls.hunts == 0
    page.button("Hunt now")
    page.until(lambda: daemon.controls.hunts == 1, "the hunt")
    daemon.progress.begin("watched")
    daemon.progress.stage("estimate", 4)
    page.until(lambda: page.text(".dh-now") == "Estimate", "the stage")
    daemon.progress.end()
    page.button("Pause or resume")
    page.until(lambda: "Paused" in page.text("#dh-header"), "the pause")
    page.button("Pause or resume")
    page.until(lambda: "Paused" not in page.text("#dh-header"), "the end of the pause")


def test_feedback_is_stored_and_a_message_sent_again(page: Page, daemon: Daemon) -> None:
    page.open()
    identity = page.js("return document.querySelector('.dh-card').id").removeprefix("deal-")
    page.js("document.querySelector('.dh-card [data-body=good]').click()")
    page.until(lambda: daemon.store.vote_on(identity) is not None, "the vote")
    pressed = "return document.querySelector('.dh-card [data-body=good]').getAttribute('aria-pressed')"
    page.until(lambda: page.js(pressed) == "true", "the pressed button")
    page.js("document.querySelector('.dh-card [data-post$=resend]').click()")
    page.until(lambda: daemon.resent == [identity], "the second message")


def test_a_feed_is_added_and_removed(page: Page, daemon: Daemon) -> None:
    page.open()
    page.tab("Feeds")
    page.type("Feed address", "javascript:alert(1)")
    page.button("Add")
    page.until(lambda: "beginning with https://" in page.text(".gradio-container"), "the refusal")
    page.type("Feed address", "https://new.example/rss")
    page.button("Add")
    page.until(lambda: "https://new.example/rss" in page.text("#dh-feeds"), "the feed")
    page.button("Remove")
    page.until(lambda: daemon.store.feed("https://new.example/rss") is None, "its removal")


def test_a_question_is_answered_as_plain_text_and_with_the_turns_before_it(page: Page) -> None:
    page.open()
    page.tab("Ask")
    page.until(lambda: "Ask about your deals" in page.text("#dh-talk"), "the invitation")
    for before, question in enumerate((HOSTILE[1], HOSTILE[3])):
        page.type("Question", question)
        page.button("Send")
        page.until(lambda a=f"You asked: {question} (turns before: {before})": a in page.text("#dh-talk"), question)
    assert page.count("#dh-talk img") == 0
    assert page.js("return window.hacked") is None
    page.type("Question", "fail\n")
    page.until(lambda: "The server does not answer" in page.text("#dh-talk [role=alert]"), "the failure")
    page.button("Start over")
    page.until(lambda: "Ask about your deals" in page.text("#dh-talk"), "a fresh conversation")


def test_without_a_language_model_the_page_says_how_to_set_one_up(chromium: Any, tmp_path: Path) -> None:
    silent = Daemon(tmp_path, ask=None)
    try:
        page = Page(chromium, silent.server.url).open()
        page.tab("Ask")
        page.until(lambda: "OPENAI_API_KEY" in page.text("#dh-talk"), "the advice")
        assert not page.js("return [...document.querySelectorAll('label')].some(l => l.innerText === 'Question')")
    finally:
        silent.close()


def test_a_phone_shows_everything_without_sideways_scrolling(page: Page) -> None:
    page.open(390, 844)
    assert page.overflow() <= 0
    for name in ("Live", "Ask", "Feeds", "Map", "Accuracy", "Settings"):
        page.tab(name)
        page.until(lambda: page.count(".dh-table, .dh-empty, .js-plotly-plot") > 0, name)
        assert page.overflow() <= 0


def test_dark_follows_the_system_and_the_switch_turns_it(page: Page) -> None:
    assert page.open(dark=True).luminance() < 60
    page.button("Light / dark")
    page.until(lambda: page.luminance() > 200, "light")
    page.js("localStorage.clear()")
    assert page.open(dark=False).luminance() > 200


def test_controls_have_names_and_images_their_text(page: Page) -> None:
    page.open()
    nameless = page.js(
        "return [...document.querySelectorAll('button, a[href], input, [role=img]')].filter(e => e.offsetParent && "
        "!(e.textContent?.trim() || e.ariaLabel || e.title || e.labels?.length || e.getAttribute('aria-labelledby')))"
        ".map(e => e.outerHTML.slice(0, 120))"
    )
    assert nameless == []


def test_no_request_leaves_the_machine_and_the_console_is_silent(page: Page) -> None:
    page.driver.get_log("performance")
    page.driver.get_log("browser")
    page.open()
    page.tab("Map")
    page.until(lambda: page.count(".js-plotly-plot .scatterlayer .trace") == 9, "the map")
    asked = {
        message["params"]["request"]["url"]
        for message in (json.loads(line["message"])["message"] for line in page.driver.get_log("performance"))
        if message["method"] == "Network.requestWillBeSent"
    }
    assert asked
    assert {url for url in asked if not url.startswith((page.url, "data:", "blob:"))} == set()
    assert [line["message"] for line in page.driver.get_log("browser") if line["level"] == "SEVERE"] == []


def test_a_page_keeps_no_connection_open_so_that_more_than_six_can_be_open_at_once(page: Page) -> None:
    """Browsers keep at most six connections to a server; the heartbeat must end by itself."""
    import httpx2

    with httpx2.Client(trust_env=False, timeout=30) as web:
        assert "ALIVE" in web.get(f"{page.url}gradio_api/heartbeat/some-session").text


def test_gradios_own_pages_and_file_routes_are_closed(page: Page) -> None:
    page.open()
    status = "return fetch(arguments[0]).then(answer => answer.status)"
    for path in ("gradio_api/info", "gradio_api/upload", "gradio_api/file=/etc/passwd", "docs", "monitoring"):
        assert page.js(status, path) == 404


def test_a_password_is_asked_for_once_and_its_cookie_is_out_of_reach_of_scripts(chromium: Any, tmp_path: Path) -> None:
    locked = Daemon(tmp_path, "correct horse battery")
    try:
        page = Page(chromium, locked.server.url)
        chromium.get(page.url)
        page.until(lambda: page.count("input[type=password]") == 1, "the log-in page")
        for password, selector in (("wrong", "[role=alert]"), ("correct horse battery", ".dh-card")):
            page.js("return document.querySelector('input[type=password]')").send_keys(password + "\n")
            page.until(lambda s=selector: page.text(s) != "", selector)
        assert "dealhound_session" not in page.js("return document.cookie")
    finally:
        chromium.delete_all_cookies()
        locked.close()
