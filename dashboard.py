"""The dashboard: Gradio tabs over the daemon's memory, on the one port with API and health.

Every part shows what ``framework.web.pages`` reads from the memory; a timer re-reads, open tabs share each reading, and
only what changed is sent. Buttons that act call the daemon's controls, which return at once: no page runs a hunt.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from framework.tabs import look
from framework.tabs.accuracy import accuracy_tab
from framework.tabs.ask import ask_tab
from framework.tabs.board import Board
from framework.tabs.deals import deals_tab
from framework.tabs.feeds import feeds_tab
from framework.tabs.live import LABEL as LIVE
from framework.tabs.live import live_tab
from framework.tabs.map import map_tab
from framework.tabs.settings import settings_tab
from framework.web.app import create_app as create_web_app
from framework.web.context import AskModel, DashboardContext
from framework.web.desk import Desk
from framework.web.pages import Pages
from framework.web.parts import add_parts


def create_app(context: DashboardContext) -> FastAPI:
    """The whole app: health, metrics, API, and the dashboard at "/". Raises ``SettingsError``."""
    pages = Pages(context)
    desk = Desk(context, pages.shared.forget)

    def mount(app: FastAPI) -> None:
        add_parts(app, pages, desk)
        look.mount(app, build(pages, desk, context.ask), context.settings.root_path)

    return create_web_app(context, mount)


def build(pages: Pages, desk: Desk, ask: AskModel | None) -> Any:
    """The page: its tabs over one daemon."""
    gr = look.gradio()
    with gr.Blocks(title="Dealhound", analytics_enabled=False, fill_width=True) as blocks:
        board = Board(gr, blocks, watched=LIVE)
        board.show("header", pages.header)
        with gr.Tabs():
            deals_tab(gr, board, pages)
            live_tab(gr, board, pages, desk)
            ask_tab(gr, board, ask)
            feeds_tab(gr, board, pages, desk)
            map_tab(gr, board, pages)
            accuracy_tab(gr, board, pages)
            settings_tab(gr, board, pages, desk)
        board.wire()
    return blocks
