"""The web side without the dashboard: health that looks at real work, closed doors, and an end within seconds."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, StreamingResponse
from pydantic import SecretStr

from framework.errors import SettingsError
from framework.log import LogBuffer
from framework.memory.store import Store
from framework.settings import Settings
from framework.web.app import create_app
from framework.web.context import DashboardContext
from framework.web.guard import is_loopback
from framework.web.server import ServerHandle, serve
from tests.fakes import board
from tests.fakes.board import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def context(store: Store, clock: Clock) -> DashboardContext:
    return DashboardContext(
        store=store, settings=Settings(), log=LogBuffer(), controls=board.Controls(), clock=clock, started=clock()
    )


@pytest.fixture
def web() -> Iterator[Callable[[FastAPI], httpx2.Client]]:
    open_ones: list[Any] = []

    def start(app: FastAPI) -> httpx2.Client:
        handle = serve(app, "127.0.0.1", 0)
        assert handle.wait_until_started()
        client = httpx2.Client(base_url=handle.url, trust_env=False, timeout=20)
        open_ones.extend((client.close, handle.stop))
        return client

    yield start
    for close in open_ones:
        close()


def test_a_healthy_daemon_says_so(context: DashboardContext, web) -> None:
    answer = web(create_app(context)).get("/healthz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


def test_overdue_hunts_make_health_fail_but_not_readiness(context: DashboardContext, clock: Clock, web) -> None:
    client = web(create_app(context))
    clock.now += timedelta(seconds=context.settings.interval) + timedelta(minutes=16)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert "no hunt for 31 minutes" in answer.text
    assert client.get("/readyz").status_code == 200
    context.store.start_hunt("h")
    assert client.get("/healthz").status_code == 200


def test_a_pause_is_no_illness(context: DashboardContext, clock: Clock, web) -> None:
    client = web(create_app(context))
    clock.now += timedelta(days=3)
    context.controls.pause()
    assert client.get("/healthz").status_code == 200


def test_a_database_that_cannot_be_written_makes_health_and_readiness_fail(context, clock: Clock, web) -> None:
    client = web(create_app(context))
    context.store.close()
    clock.now += timedelta(minutes=1)
    for path in ("/healthz", "/readyz"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert "closed" in answer.text


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "deals.example"])
def test_an_address_that_others_can_reach_needs_a_password(context: DashboardContext, host: str) -> None:
    open_door = DashboardContext(store=context.store, settings=Settings(host=host), log=LogBuffer())
    with pytest.raises(SettingsError, match="DEALHOUND_PASSWORD"):
        create_app(open_door)
    closed = Settings(host=host, password=SecretStr("long enough"))
    assert create_app(DashboardContext(store=context.store, settings=closed, log=LogBuffer()))


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("LOCALHOST", True), ("localhost.evil.example", False),
     ("", False), ("10.0.0.1", False), ("127.0.0.1.evil.example", False)],
)  # fmt: skip
def test_loopback_is_told_from_its_imitations(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_a_foreign_name_that_points_here_is_refused(context: DashboardContext, web) -> None:
    client = web(create_app(context))
    assert client.get("/healthz", headers={"host": "rebound.example"}).status_code == 421
    assert client.get("/healthz", headers={"host": "localhost:1234"}).status_code == 200


def test_requests_that_another_sites_page_makes_are_refused(context: DashboardContext, web) -> None:
    client = web(create_app(context))
    own = f"http://127.0.0.1:{client.base_url.port}"
    assert client.get("/healthz", headers={"origin": "https://evil.example"}).status_code == 403
    assert client.get("/healthz", headers={"origin": "null"}).status_code == 403
    assert client.get("/healthz", headers={"origin": own}).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/docs", "/redoc", "/gradio_api/upload", "/gradio_api/file=/etc/passwd", "/gradio_api/info", "/gradio_api/runs",
     "/gradio_api/proxy=http://127.0.0.1/", "/gradio_api/vibe-edit/", "/monitoring", "/ui/../app.py", "/ui/app.py",
     "/static/../../etc/passwd", "/custom_component/x", "/.env", "//evil.example/"],
)  # fmt: skip
def test_no_path_leads_to_files_or_to_what_the_page_does_not_need(context: DashboardContext, web, path: str) -> None:
    assert web(create_app(context)).get(path).status_code == 404


def test_a_huge_body_is_refused_before_it_is_read(context: DashboardContext, web) -> None:
    client = web(create_app(context))
    assert client.post("/api/anything", content=b"x" * 1_000_001).status_code == 413


def test_every_answer_carries_the_security_headers(context: DashboardContext, web) -> None:
    client = web(create_app(context))
    for path in ("/healthz", "/nothing", "/ui/page.js"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "http" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "server" not in headers


def test_the_pages_own_scripts_get_a_nonce_that_is_new_each_time(context: DashboardContext, web) -> None:
    def mount(app: FastAPI) -> None:
        @app.get("/")
        def page() -> HTMLResponse:
            return HTMLResponse("<script>1</script>ä<script src=x></script>")

    client = web(create_app(context, mount))
    first, second = client.get("/"), client.get("/")
    nonce = first.headers["content-security-policy"].split("'nonce-")[1].split("'")[0]
    assert first.text.count(f'<script nonce="{nonce}"') == 2
    assert nonce not in second.text


def test_the_server_ends_while_a_stream_is_open(context: DashboardContext) -> None:
    def mount(app: FastAPI) -> None:
        @app.get("/api/stream")
        async def stream() -> StreamingResponse:
            async def drops() -> Any:
                import asyncio

                while True:
                    yield b"drop"
                    await asyncio.sleep(3600)

            return StreamingResponse(drops())

    handle = serve(create_app(context, mount), "127.0.0.1", 0)
    assert handle.wait_until_started()
    arrived = threading.Event()
    listener = threading.Thread(target=_listen, args=(handle, arrived))
    listener.start()
    assert arrived.wait(20)
    assert handle.stop()
    listener.join(10)
    assert not listener.is_alive()


def _listen(handle: ServerHandle, arrived: threading.Event) -> None:
    try:
        with httpx2.stream("GET", f"{handle.url}api/stream", trust_env=False, timeout=60) as answer:
            for _ in answer.iter_raw():
                arrived.set()
    except httpx2.RemoteProtocolError:
        pass


def test_a_port_in_use_is_named_with_the_fix(context: DashboardContext) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SettingsError, match="DEALHOUND_PORT"):
        serve(create_app(context), "127.0.0.1", taken.getsockname()[1])
