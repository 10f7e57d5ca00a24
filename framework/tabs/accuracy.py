"""Accuracy: the last evaluation's tables and plots."""

from __future__ import annotations

from typing import Any

from framework.tabs.board import Board
from framework.tabs.look import QUIET, plot_data
from framework.web.pages import Pages

_MOST_PLOTS = 7


def accuracy_tab(gr: Any, board: Board, pages: Pages) -> None:
    """Build the tab; the plots are drawn when it is looked at."""

    def draw() -> list[Any]:
        figures = pages.accuracy_plots()[:_MOST_PLOTS]
        drawn = [gr.update(value=plot_data(figure), visible=True) for figure in figures]
        return drawn + [gr.update(visible=False)] * (_MOST_PLOTS - len(figures))

    with board.tab("Accuracy") as tab:
        board.show("accuracy", pages.accuracy)
        with gr.Row(elem_classes=["dh-plots"]):
            plots = [
                gr.Plot(show_label=False, container=False, visible=False, min_width=420) for _ in range(_MOST_PLOTS)
            ]
        tab.select(draw, None, plots, **QUIET)
