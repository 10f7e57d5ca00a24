"""A client of a Chroma server, with the two things that chromadb's own lacks: a time limit and a login from the URL."""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

PORT = 8000


def connect(url: str, timeout: float) -> Any:
    """A client of the server at ``url``; every answer may take ``timeout`` seconds.

    A user and password in the URL are sent as HTTP's basic authentication: Chroma has none of its own, a proxy in
    front of it may. Raises what chromadb or httpx raise when the server does not answer.
    """
    import chromadb
    import httpx
    from chromadb.config import Settings

    parts = urlsplit(url)
    headers = _authorization(parts)
    # chromadb asks the server while it is being built, and waits for ever: so we ask first.
    httpx.get(f"{without_login(url)}/api/v2/heartbeat", headers=headers, timeout=timeout).raise_for_status()
    client: Any = chromadb.HttpClient(
        host=parts.hostname or "localhost",
        port=parts.port or PORT,
        ssl=parts.scheme == "https",
        settings=Settings(anonymized_telemetry=False),
        headers=headers,
    )
    client._server._session.timeout = httpx.Timeout(timeout)
    return client


def without_login(url: str) -> str:
    """The server of a URL without the credentials that it may carry."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or PORT}"


def _authorization(parts: SplitResult) -> dict[str, str]:
    if not parts.username:
        return {}
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {b64encode(login.encode()).decode()}"}
