"""Which requests are let in at all: the right host, the right origin, a known path.

Without a password the server answers only under loopback names: a web page that points its own name at 127.0.0.1 (DNS
rebinding) is refused, and so is who comes through a proxy. Requests that another site's page makes are refused by their
origin, which browsers send and pages cannot forge
(https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html).
Of the paths that Gradio opens only those are let through that the dashboard's page itself asks for: no file access, no
uploads, no proxy, no API pages.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from framework.votelinks import PATH as VOTE_PATH

_PAGE = {"/", "/config", "/theme.css", "/robots.txt"}
_PAGE_CALLS = {f"/gradio_api/{name}" for name in ("queue/join", "queue/data", "cancel", "reset", "startup-events")}
_OURS = {
    *("/healthz", "/readyz", "/metrics", "/login", "/logout"),
    *("/favicon.ico", "/manifest.json", "/feed.xml", "/feed.json"),
}
_FOLDERS = ("/ui/", "/page/", "/api/", "/static/", "/assets/", "/gradio_api/heartbeat/", f"{VOTE_PATH}/")
_SIGNED = f"{VOTE_PATH}/"  # its links are signed, so that another name for this server opens nothing else
_MOST_BODY = 1_000_000


class Guard:
    """ASGI middleware that refuses what no honest visitor of the dashboard sends."""

    def __init__(self, app: ASGIApp, *, any_host: bool) -> None:
        self._app = app
        self._any_host = any_host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await (self._refusal(scope) or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        local = is_loopback(_name(host)) and _comes_from_here(scope)
        if not self._any_host and not local and not scope["path"].startswith(_SIGNED):
            return PlainTextResponse("Use a loopback address, such as http://127.0.0.1, or set a password", 421)
        if not _same_origin(headers, host):
            return PlainTextResponse("Requests from other sites are refused", 403)
        if not _known(scope["path"]):
            return PlainTextResponse("There is nothing here", 404)
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > _MOST_BODY:
            return PlainTextResponse("That is too much", 413)
        return None


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own loopback."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _comes_from_here(scope: Scope) -> bool:
    """Whether the visitor is on this machine; one that a proxy names is not, even where the proxy is."""
    client = scope.get("client")
    return client is None or is_loopback(client[0])


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _same_origin(headers: Headers, host: str) -> bool:
    """Browsers name the origin with every request that could change something; other clients name none."""
    if headers.get("sec-fetch-site") == "same-origin":
        return True
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2].lower() == host.lower()


def _known(path: str) -> bool:
    return path in _PAGE | _PAGE_CALLS | _OURS or (path.startswith(_FOLDERS) and ".." not in path)
