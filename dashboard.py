"""The dashboard: Gradio components wired to the pages. The only owner of gradio.

Every component shows what ``framework.web.pages`` reads from the memory; the timer re-reads, and only the parts that
changed are sent. Buttons that act call the daemon's controls, which return at once: no page ever runs a hunt.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

from framework.memory.records import OpportunityOrder
from framework.views.ask import Turn, conversation, nobody_to_ask
from framework.views.live import LEVELS
from framework.web.app import create_app as create_web_app
from framework.web.context import AskModel, DashboardContext
from framework.web.desk import Desk
from framework.web.pages import DealsQuery, Pages
from framework.web.talk import talk

if TYPE_CHECKING:
    import gradio

_REFRESH = 3  # seconds
_SESSIONS = 200  # pages whose state is remembered, the latest first
_ORDERS = [
    ("Newest", OpportunityOrder.NEWEST),
    ("Surest", OpportunityOrder.PROBABILITY),
    ("Biggest saving", OpportunityOrder.DISCOUNT),
    ("Biggest discount", OpportunityOrder.DISCOUNT_PCT),
    ("Lowest price", OpportunityOrder.PRICE),
]
_AGES = [("Any time", 0), ("Today", 1), ("This week", 7), ("This month", 31)]
_EVERYONE = "everyone"
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


def create_app(context: DashboardContext) -> FastAPI:
    """The whole app: health, metrics, API, and the dashboard at "/". Raises ``SettingsError``."""
    return create_web_app(context, lambda app: mount(app, build(context)))


def mount(app: FastAPI, blocks: gradio.Blocks) -> None:
    """Put the dashboard at "/" of an app, without anything of Gradio's that the page does not need."""
    gr = _gradio()
    _add_short_heartbeat(app)
    blocks.state_session_capacity = _SESSIONS
    gr.mount_gradio_app(
        app,
        blocks,
        path="/",
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


def build(context: DashboardContext) -> gradio.Blocks:
    """The page: its tabs over one daemon."""
    gr = _gradio()
    pages, desk = Pages(context), Desk(context)
    with gr.Blocks(title="Dealhound", analytics_enabled=False, fill_width=True) as blocks:
        board = _Board(gr, blocks)
        board.show("header", pages.header)
        with gr.Tabs():
            _deals_tab(gr, board, pages)
            _live_tab(gr, board, pages, desk)
            _ask_tab(gr, board, context.ask)
            _feeds_tab(gr, board, pages, desk)
            _map_tab(gr, pages)
            _accuracy_tab(gr, board, pages)
            _settings_tab(gr, board, pages, desk)
        board.wire()
    return blocks


def _gradio() -> Any:
    """Gradio, without analytics, look-ups or statistics; it reads these variables when it is imported."""
    os.environ.update(_QUIET)
    import gradio

    return gradio


def _theme(gr: Any) -> Any:
    fonts = ("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "DejaVu Sans", "sans-serif")
    theme = gr.themes.Base(primary_hue="teal", neutral_hue="slate", font=fonts, font_mono=("ui-monospace", "monospace"))
    return theme.set(button_primary_background_fill="#0f766e", button_primary_background_fill_hover="#115e59")


class _Board:
    """The parts of the page that are re-read by the timer; a part of a hidden tab waits until it is looked at."""

    def __init__(self, gr: Any, blocks: Any) -> None:
        self._gr = gr
        self._blocks = blocks
        self._parts: list[tuple[str, Any, Callable[..., str], int]] = []
        self._inputs: list[Any] = []
        self._tabs: dict[str, Any] = {}
        self._changes: list[Any] = []

    def tab(self, label: str) -> Any:
        """A tab whose parts are read while it is in front."""
        self._tabs[label] = tab = self._gr.Tab(label)
        return tab

    def show(self, name: str, read: Callable[..., str], *inputs: Any) -> None:
        """A part at this place of the page: what ``read`` makes of the inputs' values."""
        component = self._gr.HTML(elem_classes=["dh"], elem_id=f"dh-{name}", padding=False, apply_default_css=False)
        self._parts.append((next(reversed(self._tabs), ""), component, read, len(inputs)))
        self._inputs += inputs

    def refresh_on(self, *events: Any) -> None:
        """Read again at once when these happen."""
        self._changes += events

    def wire(self) -> None:
        """Connect the timer, the tabs and the page's start."""
        gr = self._gr
        front = gr.State(next(iter(self._tabs)))
        seen = gr.State([None] * len(self._parts))
        listen = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": 4}
        components = [component for _, component, _, _ in self._parts]
        for label, tab in self._tabs.items():
            tab.select(lambda label=label: label, None, front, show_progress="hidden", api_visibility="private").then(
                self._read, [front, seen, *self._inputs], [seen, *components], **listen
            )
        gr.on(
            [self._blocks.load, gr.Timer(_REFRESH).tick, *self._changes],
            self._read,
            [front, seen, *self._inputs],
            [seen, *components],
            **listen,
        )

    def _read(self, front: str, seen: list[int | None], *values: Any) -> list[Any]:
        fresh, rest = list(seen), list(values)
        shown: list[Any] = []
        for index, (tab, _, read, count) in enumerate(self._parts):
            arguments, rest = rest[:count], rest[count:]
            content = read(*arguments) if tab in ("", front) else None
            mark = hash(content) if content is not None else seen[index]
            shown.append(self._gr.skip() if mark == seen[index] else content)
            fresh[index] = mark
        return [fresh, *shown]


def _deals_tab(gr: Any, board: _Board, pages: Pages) -> None:
    def query(search: str, order: str, days: int, samples: bool, page: int) -> DealsQuery:
        return DealsQuery(search or "", OpportunityOrder(order), int(days) or None, bool(samples), int(page))

    with board.tab("Deals"):
        with gr.Row(equal_height=True):
            search = gr.Textbox(
                label="Search", placeholder="Words of the title", scale=3, min_width=200, max_length=200
            )
            order = gr.Dropdown(_ORDERS, value=OpportunityOrder.NEWEST, label="Order", scale=2, min_width=150)
            days = gr.Dropdown(_AGES, value=0, label="Found", scale=1, min_width=130)
            samples = gr.Checkbox(True, label="Show samples", scale=1, min_width=130)
        page = gr.State(0)
        filters = [search, order, days, samples]
        board.show("deals", lambda *values: pages.deals(query(*values)), *filters, page)
        with gr.Row():
            earlier = gr.Button("Previous page", size="sm")
            later = gr.Button("Next page", size="sm")
        quiet = {"show_progress": "hidden", "api_visibility": "private"}
        gr.on([each.change for each in filters], lambda: 0, None, page, **quiet)
        earlier.click(lambda now: max(0, now - 1), page, page, **quiet)
        later.click(
            lambda *values: min(values[-1] + 1, pages.page_count(query(*values)) - 1), [*filters, page], page, **quiet
        )
        board.refresh_on(page.change, *(each.change for each in filters))


def _live_tab(gr: Any, board: _Board, pages: Pages, desk: Desk) -> None:
    with board.tab("Live"):
        if desk.controls is not None:
            with gr.Row():
                hunt = gr.Button("Hunt now", variant="primary")
                pause = gr.Button("Pause or resume")
            said = gr.Markdown(elem_classes=["dh"])
            for button, act in ((hunt, desk.hunt_now), (pause, desk.pause_or_resume)):
                button.click(act, None, said, show_progress="hidden", api_visibility="private")
            board.refresh_on(said.change)
        board.show("live", pages.live)
        gr.Markdown("## Log")
        with gr.Row():
            level = gr.Dropdown(list(LEVELS), value="info", label="From level", min_width=140)
            agent = gr.Dropdown([_EVERYONE, *desk.agents()], value=_EVERYONE, label="Who", min_width=140)
        board.show("log", lambda least, who: pages.log(least, None if who == _EVERYONE else who), level, agent)
        board.refresh_on(level.change, agent.change)


def _ask_tab(gr: Any, board: _Board, ask: AskModel | None) -> None:
    look = {"elem_classes": ["dh"], "padding": False, "apply_default_css": False}
    with board.tab("Ask"):
        if ask is None:
            gr.HTML(nobody_to_ask(), elem_id="dh-talk", **look)
            return
        _conversation(gr, ask, gr.HTML(conversation([]), elem_id="dh-talk", **look))


def _conversation(gr: Any, ask: AskModel, shown: Any) -> None:
    def answer(question: str, before: list[Turn]) -> Iterator[tuple[str, list[Turn], str]]:
        for turns in talk(ask, question or "", before):
            yield "", turns, conversation(turns)

    turns = gr.State([])
    with gr.Row(equal_height=True):
        question = gr.Textbox(label="Question", scale=4, min_width=220, max_length=4000)
        send = gr.Button("Send", variant="primary", scale=1, min_width=90)
        fresh = gr.Button("Start over", scale=1, min_width=90)
    quiet = {"show_progress": "hidden", "api_visibility": "private"}
    asked = gr.on(
        [question.submit, send.click],
        answer,
        [question, turns],
        [question, turns, shown],
        trigger_mode="once",
        concurrency_limit=4,
        **quiet,
    )
    fresh.click(lambda: ("", [], conversation([])), None, [question, turns, shown], cancels=[asked], **quiet)


def _feeds_tab(gr: Any, board: _Board, pages: Pages, desk: Desk) -> None:
    with board.tab("Feeds"):
        with gr.Row(equal_height=True):
            url = gr.Textbox(label="Feed address", placeholder="https://…", scale=4, min_width=220, max_length=2000)
            add = gr.Button("Add", variant="primary", scale=1, min_width=90)
            check = gr.Button("Check now", scale=1, min_width=90)
            remove = gr.Button("Remove", variant="stop", scale=1, min_width=90)
        said = gr.Markdown(elem_classes=["dh"])
        board.show("feeds", pages.feeds)
        for button, act in ((add, desk.add_feed), (check, desk.check_feed), (remove, desk.remove_feed)):
            button.click(act, url, said, show_progress="hidden", api_visibility="private")
        board.refresh_on(said.change)


def _map_tab(gr: Any, pages: Pages) -> None:
    from gradio.components.plot import PlotData

    def draw(form: str) -> tuple[Any, Any]:
        figure = pages.map(deep=form == "3-D")
        if figure is None:
            return gr.skip(), gr.update(visible=True)
        return PlotData(type="plotly", plot=json.dumps(figure)), gr.update(visible=False)

    with gr.Tab("Map") as tab:
        form = gr.Radio(["2-D", "3-D"], value="2-D", label="The catalogue by likeness, with the newest deals on it")
        waiting = gr.Markdown("The map is being laid out, which takes a minute the first time. Open this tab again.")
        plot = gr.Plot(show_label=False, container=False)
        gr.on([tab.select, form.change], draw, form, [plot, waiting], api_visibility="private")


def _accuracy_tab(gr: Any, board: _Board, pages: Pages) -> None:
    from gradio.components.plot import PlotData

    def draw() -> Any:
        figure = pages.accuracy_plot()
        return gr.skip() if figure is None else PlotData(type="plotly", plot=json.dumps(figure))

    with board.tab("Accuracy") as tab:
        board.show("accuracy", pages.accuracy)
        plot = gr.Plot(show_label=False, container=False)
        tab.select(draw, None, plot, api_visibility="private")


def _settings_tab(gr: Any, board: _Board, pages: Pages, desk: Desk) -> None:
    with board.tab("Settings"):
        if desk.can_test:
            test = gr.Button("Send a test notification")
            answer = gr.HTML(elem_classes=["dh"], padding=False, apply_default_css=False)
            test.click(desk.test_notification, None, answer, api_visibility="private")
        board.show("status", pages.status)
        board.show("usage", pages.usage)
        board.show("settings", pages.settings)
