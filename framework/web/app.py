"""The FastAPI app of the daemon: health, metrics, static files, API; the dashboard is mounted at its root."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, Response

from framework.errors import SettingsError
from framework.health import Check, CheckStatus, worst
from framework.settings import Settings
from framework.web.access import Access
from framework.web.api import add_api
from framework.web.context import DashboardContext
from framework.web.guard import Guard, is_loopback
from framework.web.headers import SecurityHeaders
from framework.web.health import Health
from framework.web.login import Door, add_login
from framework.web.metrics import add_metrics
from framework.web.proxy import RootPath
from framework.web.syndication import add_syndication
from framework.web.votes import add_votes

STATIC = Path(__file__).parent / "static"
_FILES = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}


def create_app(context: DashboardContext, mount: Callable[[FastAPI], None] | None = None) -> FastAPI:
    """The app around one daemon; ``mount`` puts the dashboard at "/" after all other paths.

    Raises ``SettingsError`` for an address that others can reach without a password.
    """
    require_password(context.settings)
    app = FastAPI(title="Dealhound", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    health = Health(context)
    _add_health(app, health)
    add_metrics(app, context, health)
    add_syndication(app, context)
    _add_files(app)
    add_api(app, context)
    password = context.settings.password
    access = Access(context.store, password.get_secret_value() if password else None, context.clock)
    add_login(app, access)
    if context.vote_links is not None:
        add_votes(app, context.store, context.vote_links)
    if mount is not None:
        mount(app)
    app.add_middleware(Door, access=access)
    app.add_middleware(Guard, any_host=context.settings.password is not None)
    app.add_middleware(SecurityHeaders)
    if context.settings.root_path:
        app.add_middleware(RootPath, path=context.settings.root_path)
    return app


def require_password(settings: Settings) -> None:
    """Raise ``SettingsError`` when others could reach the dashboard without a password."""
    if settings.password is None and not is_loopback(settings.host):
        raise SettingsError(
            f"Setting host is {settings.host}, which others can reach: set DEALHOUND_PASSWORD too, "
            "or use host 127.0.0.1"
        )


def _add_health(app: FastAPI, health: Health) -> None:
    @app.get("/healthz", tags=["operation"], responses={503: {"description": "Something needs the owner"}})
    def healthz() -> JSONResponse:
        """Whether the daemon does its work: the database takes writes, and hunts are not overdue."""
        return _answer(health.alive())

    @app.get("/readyz", tags=["operation"], responses={503: {"description": "Not ready"}})
    def readyz() -> JSONResponse:
        """Whether requests can be served: the database takes writes."""
        return _answer([health.database()])


def _answer(checks: list[Check]) -> JSONResponse:
    status = worst(checks)
    body = {"status": status.value, "checks": [check.model_dump(mode="json") for check in checks]}
    return JSONResponse(body, 503 if status is CheckStatus.FAILED else 200, headers={"cache-control": "no-store"})


def _add_files(app: FastAPI) -> None:
    @app.get("/ui/{name}", include_in_schema=False)
    def ui_file(name: str) -> Response:
        if name not in _FILES:
            return PlainTextResponse("There is nothing here", 404)
        return FileResponse(STATIC / name, media_type=_FILES[name], headers={"cache-control": "no-cache"})

    @app.get("/favicon.ico", include_in_schema=False)
    def favicon() -> FileResponse:
        return FileResponse(STATIC / "icon.svg", media_type="image/svg+xml")

    @app.get("/manifest.json", include_in_schema=False)
    def manifest() -> JSONResponse:
        icon = {"src": "ui/icon.svg", "sizes": "any", "type": "image/svg+xml"}
        return JSONResponse(
            {
                "name": "Dealhound",
                "short_name": "Dealhound",
                "start_url": "./",
                "display": "standalone",
                "icons": [icon],
            }
        )
