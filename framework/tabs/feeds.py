"""Feeds: their health; following new ones, checking all, OPML. The acts on one feed are buttons in its row."""

from __future__ import annotations

from typing import Any

from framework.tabs.board import Board
from framework.tabs.look import HTML, QUIET, saying
from framework.views.feeds import opml_tools
from framework.web.desk import Desk
from framework.web.pages import Pages


def feeds_tab(gr: Any, board: Board, pages: Pages, desk: Desk) -> None:
    """Build the tab."""
    with board.tab("Feeds"):
        with gr.Row(elem_classes=["dh-controls"]):
            url = gr.Textbox(label="Feed address", placeholder="https://…", scale=4, min_width=220, max_length=2000)
            add = gr.Button("Add", variant="primary", scale=0, min_width=110)
            check = gr.Button("Check all now", scale=0, min_width=170)
        said = gr.HTML(**HTML)
        board.show("feeds", pages.feeds)
        gr.HTML(opml_tools(), elem_id="dh-opml", **HTML)
        gr.on([add.click, url.submit], saying(desk.add_feed), url, said, **QUIET)
        check.click(saying(lambda: desk.check_feed("")), None, said, **QUIET)
        board.refresh_on(said.change)
