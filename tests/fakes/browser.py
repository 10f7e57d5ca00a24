"""A real headless Chromium, and a page of the dashboard as a visitor meets it."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

WAIT = 120  # seconds; the machine may be busy
_FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
# What a payload would call is noted instead; a dialog would also stop the driver.
_TRAP = "for (const name of ['alert', 'confirm', 'prompt', 'print']) window[name] = () => { window.hacked = name; };"

# What a tab shows once it is whole.
TABS = {
    "Deals": ".dh-card",
    "Live": "#dh-live .dh-table",
    "Ask": "#dh-talk .dh-empty",
    "Feeds": "#dh-feeds .dh-table",
    "Map": "#dh-map .main-svg",
    "Accuracy": ".dh-plots .main-svg",
    "Settings": "#dh-settings .dh-table",
}

needs_chromium = [
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        not (shutil.which("chromium") and shutil.which("chromedriver")), reason="chromium is not installed"
    ),
    pytest.mark.filterwarnings("default"),  # Gradio's own libraries warn
]


@contextmanager
def chromium() -> Iterator[Any]:
    """A driver that logs every request and every line of the console."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for flag in _FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    driver.set_script_timeout(WAIT)
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _TRAP})
    try:
        yield driver
    finally:
        driver.quit()


class Page:
    """The dashboard as a visitor meets it."""

    def __init__(self, driver: Any, url: str) -> None:
        self.driver, self.url = driver, url

    def open(self, width: int = 1440, height: int = 900, *, dark: bool = False, ready: str = ".dh-card") -> Page:
        """Load it at a size (phones are narrower than 600) and in a theme, and wait for ``ready``."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        theme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": theme})
        self.driver.get(self.url)
        self.until(lambda: self.count(ready) > 0, ready)
        return self

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for a condition; ``what`` names it where it never comes true."""
        from selenium.common.exceptions import JavascriptException, StaleElementReferenceException
        from selenium.webdriver.support.ui import WebDriverWait

        # The page redraws itself: an element may be gone between two steps of a look at it.
        redrawn = [StaleElementReferenceException, JavascriptException]
        WebDriverWait(self.driver, WAIT, poll_frequency=0.1, ignored_exceptions=redrawn).until(
            lambda _: condition(), what
        )

    def shows(self, words: str, selector: str = "body") -> None:
        """Wait until these words are to be read."""
        self.until(lambda: words in self.text(selector), f"{words!r} in {selector}")

    def count(self, selector: str) -> int:
        return int(self.js("return document.querySelectorAll(arguments[0]).length", selector))

    def text(self, selector: str) -> str:
        find = "const e = document.querySelector(arguments[0]); return e?.innerText || e?.textContent || ''"
        return str(self.js(find, selector))

    def js(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(script, *arguments)

    def tab(self, name: str) -> None:
        """Bring a tab to the front."""
        find = (
            "return [...document.querySelectorAll('button[role=tab]')].find(b => b.innerText.trim() === arguments[0])"
        )
        self.until(lambda: self.js(find, name) is not None, f"the tab {name}")
        self.js(find, name).click()

    def whole_tab(self, name: str) -> None:
        """Bring a tab to the front and wait until it is whole."""
        self.tab(name)
        self.until(lambda: self.count(TABS[name]) > 0, name)

    def button(self, name: str) -> None:
        """Press the first visible button whose name begins so."""
        find = (
            "return [...document.querySelectorAll('button')]"
            ".find(b => b.offsetParent && b.innerText.trim().startsWith(arguments[0]))"
        )
        self.until(lambda: self.js(find, name) is not None, f"the button {name}")
        self.js(find, name).click()

    def field(self, label: str) -> Any:
        """The visible input of a label that begins so."""
        return self.js(
            "return [...document.querySelectorAll('label')].find(l => l.offsetParent && "
            "l.innerText.startsWith(arguments[0])).querySelector('input,textarea')",
            label,
        )

    def type(self, label: str, words: str) -> None:
        self.until(lambda: self.field(label).is_displayed(), f"the field {label}")
        box = self.field(label)
        box.clear()
        box.send_keys(words)

    def choose(self, label: str, choice: str) -> None:
        """Pick an entry of a drop-down list."""
        opener = f"input[role=combobox][aria-label='{label}']"
        self.until(lambda: self.js("return document.querySelector(arguments[0]).offsetParent", opener), opener)
        self.js("return document.querySelector(arguments[0])", opener).click()
        option = f"[role=option][aria-label='{choice}']"
        self.until(lambda: self.count(option) == 1, choice)
        self.js(
            "document.querySelector(arguments[0]).dispatchEvent(new MouseEvent('mousedown', {bubbles: true}))", option
        )

    def luminance(self) -> float:
        """How light the background is, from 0 to 255."""
        colour = self.js("return getComputedStyle(document.body).backgroundColor")
        red, green, blue = (float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3])
        return (red + green + blue) / 3

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(self.js("return document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def forget(self) -> None:
        """Leave the page that is shown, and empty the logs of requests and console."""
        self.driver.get("about:blank")
        self.driver.get_log("performance")
        self.driver.get_log("browser")

    def requests(self) -> set[str]:
        """The addresses asked for since ``forget``."""
        messages = (json.loads(line["message"])["message"] for line in self.driver.get_log("performance"))
        return {m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"}

    def console_errors(self) -> list[str]:
        """The errors in the console since ``forget``."""
        return [line["message"] for line in self.driver.get_log("browser") if line["level"] == "SEVERE"]

    def screenshot(self, file: Path) -> None:
        file.write_bytes(base64.b64decode(self.driver.execute_cdp_cmd("Page.captureScreenshot", {})["data"]))
