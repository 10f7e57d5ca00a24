"""Behind a reverse proxy that serves the dashboard under a path of its own, such as https://home.example/deals/."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


class RootPath:
    """ASGI middleware: says every request where the server stands, whether the proxy cuts the path off or not."""

    def __init__(self, app: ASGIApp, *, path: str) -> None:
        self._app = app
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            inner = scope["path"].removeprefix(self._path) if self._is_inside(scope["path"]) else scope["path"]
            scope = {**scope, "root_path": self._path, "path": inner or "/"}
        await self._app(scope, receive, send)

    def _is_inside(self, path: str) -> bool:
        return path == self._path or path.startswith(f"{self._path}/")
