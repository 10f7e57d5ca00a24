"""The log-in page, and the door that sends everyone without a session there."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from framework.errors import DatabaseUnavailable
from framework.views.markup import Html, join, tag
from framework.votelinks import PATH as VOTE_PATH
from framework.web.access import COOKIE, Access
from framework.web.forms import read_form

_OPEN = {"/healthz", "/readyz", "/login", "/favicon.ico", "/manifest.json", "/ui/page.css", "/ui/icon.svg"}
_DAYS_30 = 30 * 86_400


class Door:
    """ASGI middleware: lets in who has a session or a token; pages are sent to the log-in, programs get 401."""

    def __init__(self, app: ASGIApp, *, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or turn it away."""
        if scope["type"] != "http" or not self._access.locked or _is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        await (self._turned_away(scope) or self._app)(scope, receive, send)

    def _turned_away(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        try:
            if self._access.knows_session(session_of(headers)) or self._access.knows_token(_token_of(headers)):
                return None
        except DatabaseUnavailable as error:
            return JSONResponse({"detail": str(error)}, 503)
        if scope["path"] == "/" and scope["method"] == "GET":
            return RedirectResponse(f"{scope.get('root_path', '')}/login", 303, headers={"cache-control": "no-store"})
        return JSONResponse({"detail": "Log in, or send a token"}, 401, headers={"www-authenticate": "Bearer"})


def _is_open(path: str) -> bool:
    """Paths without a log-in; the link in an alert carries its own permission."""
    return path in _OPEN or path.startswith(f"{VOTE_PATH}/")


def session_of(headers: Headers) -> str | None:
    """The session's secret that a browser sent."""
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return cookie.value if cookie else None


def _token_of(headers: Headers) -> str | None:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def add_login(app: FastAPI, access: Access) -> None:
    """Put the log-in page and the way out on the app."""

    @app.get("/login", include_in_schema=False)
    def page() -> HTMLResponse:
        return _page()

    @app.post("/login", include_in_schema=False)
    async def log_in(request: Request) -> Response:
        address = request.client.host if request.client else ""
        if wait := access.wait(address):
            answer = _page(f"Too many wrong passwords. Try again in {-(-wait // 60)} minutes.", 429)
            answer.headers["retry-after"] = str(wait)
            return answer
        secret = access.log_in((await read_form(request)).get("password", ""), address)
        if secret is None:
            return _page("That is not the password.", 403)
        if before := session_of(request.headers):  # one browser, one session: an older one, or a planted one, ends
            access.log_out(before)
        home = f"{request.scope.get('root_path', '')}/"
        inside = RedirectResponse(home, 303)
        secure = request.url.scheme == "https"
        inside.set_cookie(COOKIE, secret, max_age=_DAYS_30, path=home, httponly=True, samesite="lax", secure=secure)
        return inside

    @app.post("/logout", include_in_schema=False)
    def log_out(request: Request) -> Response:
        if secret := session_of(request.headers):
            access.log_out(secret)
        outside = RedirectResponse(f"{request.scope.get('root_path', '')}/login", 303)
        outside.delete_cookie(COOKIE, path=f"{request.scope.get('root_path', '')}/")
        return outside


def _page(said: str = "", status: int = 200) -> HTMLResponse:
    form = tag(
        "form",
        tag("h1", "Dealhound"),
        tag("label", "Password", for_="password"),
        tag("input", type="password", id="password", name="password", required=True, autofocus=True,
            autocomplete="current-password"),
        tag("button", "Log in", type="submit", class_="dh-button"),
        tag("p", said, role="alert", class_="dh-said"),
        method="post",
        action="login",
        class_="dh-login",
    )  # fmt: skip
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("title", "Dealhound: log in"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("link", rel="stylesheet", href="ui/page.css"),
        tag("link", rel="icon", href="ui/icon.svg"),
    )
    page = join(Html("<!doctype html>"), tag("html", head, tag("body", tag("main", form, class_="dh")), lang="en"))
    return HTMLResponse(page, status, headers={"cache-control": "no-store"})
