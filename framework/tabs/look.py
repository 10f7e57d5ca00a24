"""Gradio as the dashboard uses it: imported without its habits, themed, and mounted without what is not needed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

from framework.views.markup import Html, tag

_QUIET = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    # Gradio keeps its last events and summarises all of them after each one, for a page that is not served here.
    "GRADIO_ANALYTICS_MAX_EVENTS": "1",
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": str(10**12),
}
# The page's own files; addresses are relative, so that it works behind a proxy's path too.
_HEAD = (
    '<link rel="stylesheet" href="ui/page.css"><link rel="icon" href="ui/icon.svg"><script src="ui/page.js"></script>'
)
_FONTS = ("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "DejaVu Sans", "sans-serif")

_SESSIONS = 200  # pages whose state is remembered, the latest first

# How every event is wired: no spinner over what is re-read all the time, and no entry in an API.
QUIET = {"show_progress": "hidden", "api_visibility": "private"}
HTML = {"elem_classes": ["dh"], "padding": False, "apply_default_css": False}


def gradio() -> Any:
    """Gradio, without analytics, look-ups or statistics; it reads these variables when it is imported."""
    os.environ.update(_QUIET)
    import gradio as library

    return library


def mount(app: FastAPI, blocks: Any, root_path: str = "") -> None:
    """Put the dashboard at "/" of an app, without anything of Gradio's that the page does not need."""
    gr = gradio()
    _add_short_heartbeat(app)
    blocks.state_session_capacity = _SESSIONS
    gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        root_path=root_path or None,
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        enable_monitoring=False,
        mcp_server=False,
        head=_HEAD,
        theme=_theme(gr),
        app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
    )


def _add_short_heartbeat(app: FastAPI) -> None:
    """Answer the page's heartbeat once, instead of by a stream that stays open as long as the page.

    Browsers keep at most six connections to one server: with a stream per page the sixth open tab never loads. What
    the stream is for, to forget a closed page's state, the limit of remembered sessions does too.
    """

    @app.get("/gradio_api/heartbeat/{session}", include_in_schema=False)
    def heartbeat(session: str) -> PlainTextResponse:
        return PlainTextResponse("data: ALIVE\n\n", media_type="text/event-stream")


def saying(act: Callable[..., str]) -> Callable[..., Html]:
    """An act whose sentence is shown, and read out by screen readers."""

    def said(*values: Any) -> Html:
        return tag("p", act(*values), class_="dh-said", role="status")

    return said


def plot_data(figure: dict[str, Any]) -> Any:
    """A figure in plotly's JSON form as Gradio's plot takes it, without building it in Python first."""
    from gradio.components.plot import PlotData

    return PlotData(type="plotly", plot=json.dumps(figure))


def _theme(gr: Any) -> Any:
    theme = gr.themes.Base(
        primary_hue="teal", neutral_hue="slate", font=_FONTS, font_mono=("ui-monospace", "monospace")
    )
    teal, deeper = "#0f766e", "#115e59"  # white on them is readable
    return theme.set(
        button_primary_background_fill=teal,
        button_primary_background_fill_dark=teal,
        button_primary_background_fill_hover=deeper,
        button_primary_background_fill_hover_dark=deeper,
        block_info_text_color="#5a6675",
        block_info_text_color_dark="#9aa7b8",
    )
