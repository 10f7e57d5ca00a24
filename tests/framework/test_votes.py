"""Signed links in alerts: they open one page, only its buttons vote, and nobody can make one up."""

from __future__ import annotations

import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr

from framework.log import LogBuffer
from framework.memory.feedback import Vote
from framework.memory.store import Store
from framework.settings import Settings
from framework.votelinks import VoteLinks, key_in
from framework.web.app import create_app
from framework.web.context import DashboardContext
from framework.web.server import serve
from tests.fakes import board

LINKS = VoteLinks(b"k" * 32, "https://deals.example")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'memory.db'}") as opened:
        board.fill(opened, 1)
        yield opened


@pytest.fixture(params=[None, "correct horse battery"])
def web(store: Store, request: pytest.FixtureRequest) -> Iterator[httpx2.Client]:
    settings = Settings(password=SecretStr(request.param) if request.param else None)
    context = DashboardContext(store=store, settings=settings, log=LogBuffer(), vote_links=LINKS)
    handle = serve(create_app(context), "127.0.0.1", 0)
    assert handle.wait_until_started()
    with httpx2.Client(base_url=handle.url, trust_env=False, timeout=20) as client:
        yield client
    handle.stop()


def path_of(store: Store) -> tuple[str, str]:
    identity = store.opportunities(1)[0].opportunity.id
    return identity, f"/vote/{identity}/{LINKS.signature(identity)}"


def test_looking_does_not_vote_and_each_button_does(store: Store, web: httpx2.Client) -> None:
    identity, path = path_of(store)
    page = web.get(path)
    assert page.status_code == 200
    assert "Corven ANC-700" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert web.head(path).status_code in (200, 405)
    assert store.vote_on(identity) is None
    for word in (Vote.GOOD, Vote.BAD, Vote.BOUGHT):
        assert "Noted" in web.post(path, data={"vote": word.value}).text
        assert store.vote_on(identity) is word
    assert store.votes()[0].via == "link"
    web.post(path, data={"vote": "hide"})
    assert store.count_opportunities() == 0
    web.post(path, data={"vote": "undo"})
    assert (store.count_opportunities(), store.vote_on(identity)) == (1, None)


@pytest.mark.parametrize("form", [{}, {"vote": "delete everything"}, {"vote": "good" * 2_000}])
def test_any_other_form_changes_nothing(store: Store, web: httpx2.Client, form: dict[str, str]) -> None:
    identity, path = path_of(store)
    assert web.post(path, data=form).status_code == 400
    assert store.vote_on(identity) is None


def test_a_forged_link_and_an_unknown_deal_look_the_same(store: Store, web: httpx2.Client) -> None:
    identity, path = path_of(store)
    forged = [
        path[:-1] + ("A" if path[-1] != "A" else "B"),
        f"/vote/{identity}/%C3%A9",
        f"/vote/{identity}/{VoteLinks(b'other').signature(identity)}",
        f"/vote/unknown/{LINKS.signature('unknown')}",
    ]
    answers = {(answer.status_code, answer.text) for answer in map(web.get, forged)}
    assert len(answers) == 1
    assert next(iter(answers))[0] == 404
    assert web.post(forged[0], data={"vote": "good"}).status_code == 404
    assert store.vote_on(identity) is None


def test_another_name_for_the_server_opens_signed_links_only(store: Store, web: httpx2.Client) -> None:
    _, path = path_of(store)
    foreign = {"host": "deals.example"}
    assert web.get(path, headers=foreign).status_code == 200
    assert web.get("/api/opportunities", headers=foreign).status_code in (401, 421)
    assert web.post(path, data={"vote": "good"}, headers={"origin": "https://evil.example"}).status_code == 403


def test_a_link_needs_a_public_address() -> None:
    assert VoteLinks(b"k").url("o1") is None
    url = LINKS.url("o1")
    assert url is not None
    assert url.startswith("https://deals.example/vote/o1/")
    assert len(url) < 80


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    keys: list[bytes] = []
    threads = [threading.Thread(target=lambda: keys.append(key_in(tmp_path / "state"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(keys)) == 1
    assert len(keys) == 8
    assert stat.S_IMODE((tmp_path / "state" / "vote.key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["vote.key"]
