"""Live: the agents at work, what they did last, and their log."""

from __future__ import annotations

from typing import Any

from framework.tabs.board import Board
from framework.tabs.look import HTML, QUIET, saying
from framework.views.live import AGENTS, LEVELS
from framework.web.desk import Desk
from framework.web.pages import Pages

LABEL = "Live"
_EVERYONE = "everyone"


def live_tab(gr: Any, board: Board, pages: Pages, desk: Desk) -> None:
    """Build the tab. Only the button asks for a hunt; looking never does."""
    with board.tab(LABEL):
        if desk.controls is not None:
            _controls(gr, board, desk)
        board.show("live", pages.live)
        with gr.Row():
            level = gr.Dropdown(list(LEVELS), value="info", label="Log from level", min_width=140)
            agent = gr.Dropdown([_EVERYONE, *AGENTS], value=_EVERYONE, label="Log of", min_width=140)
        board.show("log", lambda least, who: pages.log(least, None if who == _EVERYONE else who), level, agent)
        board.refresh_on(level.change, agent.change)


def _controls(gr: Any, board: Board, desk: Desk) -> None:
    with gr.Row(elem_classes=["dh-controls"]):
        hunt = gr.Button("Hunt now", variant="primary", scale=0, min_width=150)
        pause = gr.Button("Pause or resume", scale=0, min_width=190)
        said = gr.HTML(**HTML)
    for button, act in ((hunt, desk.hunt_now), (pause, desk.pause_or_resume)):
        button.click(saying(act), None, said, **QUIET)
    board.refresh_on(said.change)
