"""Map: the catalogue by likeness with the latest deals on it, flat or in depth."""

from __future__ import annotations

from typing import Any

from framework.tabs.board import Board
from framework.tabs.look import HTML, QUIET, plot_data
from framework.views.map import not_laid_out
from framework.web.pages import Pages

_FLAT, _DEEP = "2-D", "3-D"


def map_tab(gr: Any, board: Board, pages: Pages) -> None:
    """Build the tab; the map is drawn when it is looked at."""

    def draw(form: str) -> tuple[Any, Any]:
        figure = pages.map(deep=form == _DEEP)
        if figure is None:
            return gr.update(visible=False), gr.update(visible=True)
        return gr.update(value=plot_data(figure), visible=True), gr.update(visible=False)

    with board.tab("Map") as tab:
        form = gr.Radio([_FLAT, _DEEP], value=_FLAT, label="The catalogue by likeness, with the latest deals on it")
        waiting = gr.HTML(not_laid_out(), elem_id="dh-map-waiting", **HTML)
        plot = gr.Plot(show_label=False, container=False, visible=False, elem_id="dh-map")
        gr.on([tab.select, form.change], draw, form, [plot, waiting], **QUIET)
