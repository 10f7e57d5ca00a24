"""Security headers on every answer, and a fresh nonce on the page's own scripts.

The policy lets nothing in from other hosts and runs only scripts that the server itself wrote into the page, so that
markup that slipped through somewhere still could not act. Two concessions to Gradio 6: its HTML component evaluates a
template (``'unsafe-eval'``; the values put in are no code), and its components set styles inline. Framing is refused.
"""

from __future__ import annotations

import secrets
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; manifest-src 'self'; "
    "worker-src 'self' blob:; form-action 'self'; base-uri 'self'; frame-ancestors 'none'; object-src 'none'"
)
_FIXED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
_DROPPED = {"server", "access-control-allow-origin", "access-control-allow-credentials"}


class SecurityHeaders:
    """ASGI middleware; it streams everything but HTML pages, which get the nonce."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Answer(send).send)


class _Answer:
    """One answer on its way out: an HTML page is held back until it is whole."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._nonce = secrets.token_urlsafe(16)
        self._held: Message | None = None
        self._page = b""

    async def send(self, message: Message) -> None:
        """Pass one message on, with our headers."""
        if message["type"] == "http.response.start":
            kind = _headers(message).get("content-type", "")
            message["headers"] = self._with_ours(message["headers"])
            if kind.startswith("text/html"):
                self._held = message
                return
        elif self._held is not None and message["type"] == "http.response.body":
            self._page += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_page(self._held)
            return
        await self._send(message)

    async def _send_page(self, start: Message) -> None:
        page = self._page.replace(b"<script", f'<script nonce="{self._nonce}"'.encode())
        kept = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
        start["headers"] = [*kept, (b"content-length", str(len(page)).encode())]
        await self._send(start)
        await self._send({"type": "http.response.body", "body": page})

    def _with_ours(self, headers: Any) -> list[tuple[bytes, bytes]]:
        ours = {**_FIXED, "content-security-policy": _POLICY.format(nonce=self._nonce)}
        kept = [(name, value) for name, value in headers if name.lower().decode("latin-1") not in {*_DROPPED, *ours}]
        return kept + [(name.encode(), value.encode()) for name, value in ours.items()]


def _headers(message: Message) -> dict[str, str]:
    return {name.lower().decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]}
