"""Reports as self-contained HTML pages with plots, for reading in a browser without a network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:1080px;margin:2rem auto;padding:0 1rem;color:#1a1a1a}
table{border-collapse:collapse;margin:1rem 0}th,td{padding:.3rem .7rem;border-bottom:1px solid #ddd;text-align:right}
th:first-child,td:first-child{text-align:left}h2{margin-top:2.5rem}.note{color:#555}
"""


def page(title: str, heading: str, body: str) -> str:
    """A whole page; ``body`` is HTML, the rest is escaped."""
    import plotly.offline

    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title><style>{_STYLE}</style>"
        f"<script>{plotly.offline.get_plotlyjs()}</script><h1>{escape(heading)}</h1>{body}</html>"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """An HTML table; every cell is escaped."""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"


def figure(title: str, x: str, y: str, draw: Callable[[Any, Any], None], **layout: Any) -> Any:
    """A plotly figure; ``draw`` gets it and ``plotly.graph_objects``."""
    import plotly.graph_objects as go

    drawn = go.Figure()
    draw(drawn, go)
    drawn.update_layout(title=title, xaxis_title=x, yaxis_title=y, template="plotly_white", height=440, **layout)
    return drawn


def plots(figures: Iterable[Any]) -> str:
    """The figures as HTML for a ``page``."""
    import plotly.io

    return "\n".join(plotly.io.to_html(drawn, full_html=False, include_plotlyjs=False) for drawn in figures)
