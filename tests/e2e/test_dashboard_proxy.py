"""The dashboard in a real browser behind a real reverse proxy, under a path of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.fakes.browser import Page, needs_chromium
from tests.fakes.dashboard import Daemon, usual
from tests.fakes.proxy import ReverseProxy

pytestmark = needs_chromium


def test_every_request_of_the_page_stays_under_the_proxys_path(chromium: Any, tmp_path: Path) -> None:
    with Daemon(tmp_path, usual, root_path="/deals") as running, ReverseProxy(running.server.url, "/deals") as front:
        page = Page(chromium, front.url)
        page.open()
        page.tab("Live")
        page.until(lambda: "Last hunts" in page.text("#dh-live"), "the live tab")
        asked = page.js("return performance.getEntriesByType('resource').map(entry => entry.name)")
        assert any("queue/join" in address for address in asked)
        own = (front.url, "data:", "blob:")
        foreign = {urlsplit(address).path for address in asked if not address.startswith(own)}
        assert foreign <= {"/manifest.json", "/favicon.ico"}, (
            "which Gradio's page names by themselves, and does without"
        )
