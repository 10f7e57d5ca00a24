"""Access: the door holds against guessing, forged origins, stolen databases and stale cookies; the API behind it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from framework.log import LogBuffer, configure_logging
from framework.memory.feedback import Vote
from framework.memory.store import Store
from framework.settings import Settings
from framework.web.access import COOKIE, Access
from framework.web.app import create_app
from framework.web.context import DashboardContext
from framework.web.server import serve
from tests.fakes import board
from tests.fakes.board import Clock

PASSWORD = "correct horse battery"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'memory.db'}", clock=clock) as opened:
        yield opened


@pytest.fixture
def start(store: Store, clock: Clock) -> Iterator[Callable[..., httpx2.Client]]:
    opened: list[Any] = []

    def client(password: str | None = None, **parts: Any) -> httpx2.Client:
        settings = Settings(password=SecretStr(password) if password else None)
        context = DashboardContext(
            store=store, settings=settings, log=LogBuffer(), clock=clock, started=clock(), **parts
        )
        handle = serve(create_app(context), "127.0.0.1", 0)
        assert handle.wait_until_started()
        web = httpx2.Client(base_url=handle.url, trust_env=False, timeout=20)
        opened.extend((web.close, handle.stop))
        return web

    yield client
    for close in opened:
        close()


def _log_in(web: httpx2.Client, password: str = PASSWORD) -> httpx2.Response:
    return web.post("/login", data={"password": password})


def test_without_a_session_nothing_but_health_and_the_log_in_is_shown(start) -> None:
    web = start(PASSWORD)
    assert web.get("/").headers["location"] == "/login"
    for path in (
        "/api/opportunities",
        "/api/openapi.json",
        "/metrics",
        "/feed.xml",
        "/ui/page.js",
        "/gradio_api/queue/data",
    ):
        assert web.get(path).status_code == 401
    assert web.get("/healthz").status_code == 200
    assert 'type="password"' in web.get("/login").text


def test_the_right_password_opens_and_logging_out_closes(start) -> None:
    web = start(PASSWORD)
    answer = _log_in(web)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert web.get("/api/opportunities").status_code == 200
    stolen = web.cookies[COOKIE]
    web.post("/logout")
    web.cookies.set(COOKIE, stolen)
    assert web.get("/api/opportunities").status_code == 401


def test_no_script_can_read_the_cookie_and_other_sites_cannot_use_it(start) -> None:
    cookie = _log_in(start(PASSWORD)).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_another_site_can_neither_log_in_nor_act_with_the_owners_cookie(start) -> None:
    web = start(PASSWORD)
    _log_in(web)
    for path in ("/login", "/logout", "/api/feeds"):
        assert web.post(path, headers={"origin": "https://evil.example"}).status_code == 403
    assert web.get("/api/feeds").json() == []


def test_a_planted_cookie_is_not_taken_over_and_an_older_session_ends(start) -> None:
    web, fresh = start(PASSWORD), start(PASSWORD)
    planted = web.post("/login", data={"password": PASSWORD}, headers={"cookie": f"{COOKIE}=planted"})
    first = planted.cookies[COOKIE]
    assert first != "planted"
    _log_in(web)
    assert web.cookies[COOKIE] != first
    for ended in ("planted", first):
        assert fresh.get("/api/feeds", headers={"cookie": f"{COOKIE}={ended}"}).status_code == 401


def test_a_forged_host_leads_nowhere(start) -> None:
    web = start(PASSWORD)
    forged = {"host": "evil.example", "x-forwarded-host": "evil.example"}
    for answer in (web.get("/", headers=forged), web.post("/login", data={"password": PASSWORD}, headers=forged)):
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/")
        assert "evil" not in str(answer.headers) + answer.text


def test_no_secret_of_a_visitor_gets_into_the_log(start, store: Store, clock: Clock, tmp_path: Path) -> None:
    buffer = configure_logging("info", tmp_path / "logs", console=False)
    web = start(PASSWORD)
    token = Access(store, PASSWORD, clock).new_token("script")
    _log_in(web, "a wrong password")
    _log_in(web)
    web.get("/api/feeds", headers={"authorization": f"Bearer {token}"})
    web.get(f"/api/nothing?token={token}", headers={"authorization": f"Bearer {token}x"})
    store.close()
    assert web.get("/api/feeds").status_code == 503
    written = json.dumps(buffer.lines()) + (tmp_path / "logs" / "dealhound.log").read_text()
    assert "web_listening" in written
    for secret in ("a wrong password", PASSWORD, web.cookies[COOKIE], token):
        assert secret not in written


def test_guessing_is_rationed_while_open_sessions_go_on(start, clock: Clock) -> None:
    web, owner = start(PASSWORD), start(PASSWORD)
    _log_in(owner)
    codes = [_log_in(web, f"guess {number}").status_code for number in range(7)]
    assert codes == [403] * 5 + [429] * 2
    refused = _log_in(web)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 901
    assert owner.get("/api/feeds").status_code == 200
    clock.now += timedelta(minutes=16)
    assert _log_in(web).status_code == 303


def test_guessing_from_many_addresses_is_rationed_too(store: Store, clock: Clock) -> None:
    access = Access(store, PASSWORD, clock)
    for number in range(50):
        assert access.wait(f"10.0.0.{number}") == 0
        access.log_in("guess", f"10.0.0.{number}")
    assert access.wait("10.0.1.1") > 0


@pytest.mark.parametrize(
    "body", [b"", b"password=", b"password", b"a=1&" * 50, b"password=" + b"x" * 5000, b"\xff\xfe"]
)
def test_a_malformed_log_in_is_a_wrong_password(start, body: bytes) -> None:
    web = start(PASSWORD)
    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert web.post("/login", content=body, headers=kind).status_code == 403


@pytest.mark.parametrize("cookie", ["", "x", '"', "=;=;", f"{COOKIE}=", f"{COOKIE}=forged", f"{COOKIE}=\xff"])
def test_a_forged_or_malformed_cookie_opens_nothing(start, cookie: str) -> None:
    web = start(PASSWORD)
    assert web.get("/api/feeds", headers={b"cookie": cookie.encode("latin-1")}).status_code == 401


def test_a_session_ends_after_a_month_and_with_a_new_password(store: Store, clock: Clock) -> None:
    access = Access(store, PASSWORD, clock)
    secret = access.log_in(PASSWORD, "a")
    assert access.knows_session(secret)
    assert Access(store, PASSWORD, clock).knows_session(secret), "a restart keeps it"
    assert not Access(store, "another", clock).knows_session(secret)
    clock.now += timedelta(days=31)
    assert not access.knows_session(secret)


def test_the_memory_holds_no_secret_that_opens_the_door(store: Store, clock: Clock, tmp_path: Path) -> None:
    access = Access(store, PASSWORD, clock)
    secrets = [access.log_in(PASSWORD, "a"), access.new_token("script"), PASSWORD]
    content = b"".join(path.read_bytes() for path in tmp_path.glob("memory.db*"))
    assert not [secret for secret in secrets if secret.encode() in content]


def test_a_token_opens_the_api_until_it_is_ended(start, store: Store, clock: Clock) -> None:
    access = Access(store, PASSWORD, clock)
    token = access.new_token("script")
    web = start(PASSWORD)
    assert web.get("/api/feeds", headers={"authorization": f"Bearer {token}"}).status_code == 200
    assert web.get("/api/feeds", headers={"authorization": f"Bearer {token}x"}).status_code == 401
    assert web.get("/api/feeds", headers={"authorization": f"Basic {token}"}).status_code == 401
    assert access.end_token("script")
    assert not access.end_token("script")
    assert web.get("/api/feeds", headers={"authorization": f"Bearer {token}"}).status_code == 401


def test_the_api_lists_searches_sorts_and_pages(start, store: Store) -> None:
    board.fill(store, 9)
    web = start()
    first = web.get("/api/opportunities", params={"limit": 4, "order": "price"}).json()
    prices = [float(item["opportunity"]["deal"]["price"]["amount"]) for item in first["items"]]
    assert first["total"] == 9
    assert prices == sorted(prices)
    assert len(web.get("/api/opportunities", params={"search": "monitor"}).json()["items"]) == 1
    identity = first["items"][0]["opportunity"]["id"]
    assert web.get(f"/api/opportunities/{identity}").json()["opportunity"]["id"] == identity
    assert {feed["status"] for feed in web.get("/api/feeds").json()} == {"ok", "failing"}
    assert web.get("/api/entries", params={"verdict": "skipped"}).json()[0]["reason"] == "a sale of many products"
    assert web.get("/api/hunts").json()[0]["id"] == "hunt-1"


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=9999", "offset=-1", "order=x", "days=0", "days=1e9", "search=" + "x" * 201, "samples=maybe"],
)
def test_unusable_parameters_are_named(start, query: str) -> None:
    answer = start().get(f"/api/opportunities?{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][1] == query.split("=")[0]


def test_feedback_is_stored_and_unknown_deals_and_words_are_refused(start, store: Store) -> None:
    board.add_opportunity(store, 1)
    identity = store.opportunities(1)[0].opportunity.id
    web = start()
    assert web.post(f"/api/opportunities/{identity}/feedback", json={"word": "bad"}).json() == {"said": "Noted"}
    assert store.vote_on(identity) is Vote.BAD
    assert web.post("/api/opportunities/unknown/feedback", json={"word": "bad"}).status_code == 404
    assert web.post(f"/api/opportunities/{identity}/feedback", json={"word": "so-so"}).status_code == 422


def test_sending_again_and_pricing_are_offered_only_where_they_work(start, store: Store) -> None:
    board.add_opportunity(store, 1)
    identity = store.opportunities(1)[0].opportunity.id
    bare = start()
    assert bare.post(f"/api/opportunities/{identity}/resend").status_code == 409
    assert bare.post("/api/price", json={"descriptions": ["a kettle"]}).status_code == 409
    estimate = board.valuation(0).estimate
    full = start(resend=lambda known: f"again {known}", price=lambda texts: [estimate, "too short"])
    assert full.post(f"/api/opportunities/{identity}/resend").json() == {"said": f"again {identity}"}
    assert full.post("/api/opportunities/unknown/resend").status_code == 404
    priced = full.post("/api/price", json={"descriptions": ["headphones", "x"]}).json()
    assert [item["failure"] for item in priced] == [None, "too short"]
    assert float(priced[0]["estimate"]["value"]) == 320
    for wrong in ({"descriptions": []}, {"descriptions": [" "]}, {"descriptions": ["x"] * 33}, {}, []):
        assert full.post("/api/price", json=wrong).status_code == 422


def test_a_feed_is_added_by_the_api_and_what_is_no_web_address_is_not(start, store: Store) -> None:
    web = start()
    assert web.post("/api/feeds", json={"url": " https://new.example/rss "}).status_code == 201
    assert web.post("/api/feeds", json={"url": "file:///etc/passwd"}).status_code == 409
    assert [feed.url for feed in store.feeds()] == ["https://new.example/rss"]


def test_a_broken_database_is_said_and_not_shown_as_a_crash(start, store: Store) -> None:
    web = start()
    store.close()
    answer = web.get("/api/opportunities")
    assert answer.status_code == 503
    assert "closed" in answer.json()["detail"]
