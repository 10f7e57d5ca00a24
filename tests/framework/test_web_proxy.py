"""Behind a real reverse proxy: under a path of its own, over https, and never open to the world without a password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr, ValidationError

from framework.log import LogBuffer
from framework.memory.store import Store
from framework.settings import Settings
from framework.web.access import COOKIE
from framework.web.app import create_app
from framework.web.context import DashboardContext
from framework.web.server import serve
from tests.fakes.proxy import ReverseProxy

PASSWORD = "correct horse battery"


@contextmanager
def behind_proxy(folder: Path, *, password: str | None = PASSWORD, **proxy: object) -> Iterator[httpx2.Client]:
    settings = Settings(password=SecretStr(password) if password else None, root_path="/deals")
    with Store.open(f"sqlite:///{folder / 'memory.db'}") as store:
        handle = serve(
            create_app(DashboardContext(store=store, settings=settings, log=LogBuffer())),
            "127.0.0.1",
            0,
            settings.trusted_proxies,
        )
        assert handle.wait_until_started()
        with (
            ReverseProxy(handle.url, "/deals", **proxy) as front,  # type: ignore[arg-type]
            httpx2.Client(base_url=front.url, trust_env=False, timeout=20) as web,
        ):
            yield web
        handle.stop()


@pytest.mark.parametrize("strip", [True, False])
def test_everything_stays_under_the_proxys_path(tmp_path: Path, strip: bool) -> None:
    with behind_proxy(tmp_path, strip=strip) as web:
        assert web.get("").headers["location"] == "/deals/login"
        inside = web.post("login", data={"password": PASSWORD})
        assert inside.headers["location"] == "/deals/"
        assert "path=/deals/" in inside.headers["set-cookie"].lower()
        assert web.get("api/feeds").json() == []
        assert web.get("ui/page.css").status_code == 200
        assert web.get("healthz").status_code == 200
        assert f"<link>{web.base_url}</link>".encode() in web.get("feed.xml").content
        assert web.get("api/openapi.json").json()["servers"] == [{"url": "/deals"}]
        assert web.get("api/../../healthz").status_code == 404
        left = web.post("logout")
        assert left.headers["location"] == "/deals/login"
        assert COOKIE not in web.cookies


def test_over_https_the_cookie_is_for_https_only(tmp_path: Path) -> None:
    with behind_proxy(tmp_path, proto="https") as web:
        assert "secure" in web.post("login", data={"password": PASSWORD}).headers["set-cookie"].lower()


def test_the_proxys_visitors_are_rationed_one_by_one(tmp_path: Path) -> None:
    settings = Settings(password=SecretStr(PASSWORD))
    with Store.open(f"sqlite:///{tmp_path / 'memory.db'}") as store:
        app = create_app(DashboardContext(store=store, settings=settings, log=LogBuffer()))
        handle = serve(app, "127.0.0.1", 0, settings.trusted_proxies)
        assert handle.wait_until_started()
        with httpx2.Client(base_url=handle.url, trust_env=False, timeout=20) as web:
            guesser, owner = {"x-forwarded-for": "203.0.113.9"}, {"x-forwarded-for": "198.51.100.7"}
            for _ in range(6):
                last = web.post("/login", data={"password": "guess"}, headers=guesser)
            assert last.status_code == 429
            assert web.post("/login", data={"password": PASSWORD}, headers=owner).status_code == 303
        handle.stop()


def test_without_a_password_nobody_comes_in_through_a_proxy(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'memory.db'}") as store:
        app = create_app(DashboardContext(store=store, settings=Settings(), log=LogBuffer()))
        handle = serve(app, "127.0.0.1", 0, ["127.0.0.1"])
        assert handle.wait_until_started()
        with httpx2.Client(base_url=handle.url, trust_env=False, timeout=20) as web:
            assert web.get("/healthz", headers={"x-forwarded-for": "203.0.113.9"}).status_code == 421
            assert web.get("/healthz").status_code == 200
        handle.stop()


@pytest.mark.parametrize("path", ["deals", "/deals/", "//evil.example", "/a b", "/<x>", "/deals?x"])
def test_a_root_path_that_is_none_is_refused(path: str) -> None:
    with pytest.raises(ValidationError):
        Settings(root_path=path)
