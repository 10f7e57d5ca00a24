"""A served dashboard over a made-up memory, as the browser's tests visit it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from pydantic import SecretStr

from agents.assemble import Hound
from agents.commands.preferences import OwnerPreferences
from framework.log import configure_logging
from framework.memory.store import Store
from framework.progress import ProgressBoard
from framework.settings import Settings
from framework.web.context import DashboardContext
from framework.web.server import ServerHandle, serve
from tests.fakes import board
from tests.fakes.hostile import TITLES


class Daemon:
    """The dashboard, its memory, and what its buttons did. ``fill`` puts deals into the memory."""

    def __init__(
        self,
        folder: Path,
        fill: Callable[[Store], None],
        *,
        password: str | None = None,
        root_path: str = "",
        **more: Any,
    ) -> None:
        import dashboard

        self.store = Store.open(f"sqlite:///{folder / 'memory.db'}")
        fill(self.store)
        self.controls = board.Controls()
        self.progress = ProgressBoard()
        self.resent: list[str] = []
        settings = Settings(home=folder, password=SecretStr(password) if password else None, root_path=root_path)
        offered: dict[str, Any] = {
            "checks": board.checks,
            "atlas": board.atlas,
            "test_notification": board.checks,
            "resend": self._resend,
            "evaluation": board.evaluation,
            "ask": board.ask,
            "usage": lambda: "Today: 12 calls",
            "preferences": OwnerPreferences(Hound(settings)),
        }
        context = DashboardContext(
            store=self.store,
            settings=settings,
            log=configure_logging(console=False),
            controls=self.controls,
            progress=self.progress,
            **(offered | more),
        )
        structlog.get_logger("dealhound").bind(agent="scanner").warning("read <b>failed</b>", entry=TITLES[0])
        self.server: ServerHandle = serve(dashboard.create_app(context), "127.0.0.1", 0)
        assert self.server.wait_until_started(120)

    def _resend(self, opportunity_id: str) -> str:
        self.resent.append(opportunity_id)
        return "It is sent again."

    def __enter__(self) -> Daemon:
        return self

    def __exit__(self, *exc_info: object) -> None:
        stopped = self.server.stop()
        self.store.close()
        assert stopped


def usual(store: Store) -> None:
    """Thirty deals, and four whose title and address attack the page."""
    board.fill(store, 30)
    for number, title in enumerate(TITLES[:4], start=100):
        board.add_opportunity(store, number, title, url=f"javascript:window.hacked={number}")
