"""How the dashboard looks and reads: phone and desk, light and dark, without a mouse, and by axe-core's rules."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.browser import TABS, Page, needs_chromium
from tests.fakes.dashboard import Daemon, usual

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, chromium: Any) -> Iterator[Page]:
    with Daemon(tmp_path_factory.mktemp("home"), usual) as running:
        yield Page(chromium, running.server.url)


@pytest.mark.parametrize("width", [390, 1440])
def test_everything_fits_without_sideways_scrolling(page: Page, width: int) -> None:
    page.open(width, 844)
    page.js("document.querySelector('.dh-card details').open = true")
    page.shows("Specialist", ".dh-inside")
    for name in TABS:
        page.whole_tab(name)
        assert page.overflow() <= 0, name


def test_dark_follows_the_system_and_the_switch_turns_it(page: Page) -> None:
    assert page.open(dark=True).luminance() < 60
    page.button("Light / dark")
    page.until(lambda: page.luminance() > 200, "light")
    page.driver.refresh()
    page.until(lambda: page.count(".dh-card") > 0 and page.luminance() > 200, "light, as chosen")
    page.js("localStorage.clear()")
    assert page.open(dark=False).luminance() > 200


def test_the_keyboard_reaches_cards_and_tabs(page: Page) -> None:
    from selenium.webdriver.common.keys import Keys

    page.open()
    reached = set()
    for _ in range(40):
        page.driver.switch_to.active_element.send_keys(Keys.TAB)
        reached.add(page.js("const e = document.activeElement; return e.role || e.tagName.toLowerCase()"))
    assert {"tab", "a", "summary", "button"} <= reached
    page.js("document.querySelector('.dh-card summary').focus()")
    page.driver.switch_to.active_element.send_keys(Keys.ENTER)
    page.shows("Specialist", ".dh-inside")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_no_serious_fault(page: Page, dark: bool) -> None:
    source = _axe()
    page.open(dark=dark)
    page.js("document.querySelector('.dh-card details').open = true")
    page.shows("Specialist", ".dh-inside")
    found = []
    for name in TABS:
        page.whole_tab(name)
        page.js(source)
        found += [f"{name}: {fault}" for fault in page.driver.execute_async_script(_RUN)]
    assert found == []


_RUN = """
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ['violations']}).then(result => done(result.violations
  .filter(fault => ['serious', 'critical'].includes(fault.impact))
  .map(fault => `${fault.id}: ${fault.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(' | ')}`)));
"""


def _axe() -> str:
    """axe-core's source, from the package that brings it; the package itself needs Playwright and is not loaded."""
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None or found.origin is None:
        pytest.skip("axe-core is not installed: ./dealhound setup dev")
    return (Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8")
