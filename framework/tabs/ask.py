"""Ask: a conversation with the language model about deals, worth and feeds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from framework.tabs.board import Board
from framework.tabs.look import HTML, QUIET
from framework.views.ask import Turn, conversation, nobody_to_ask
from framework.web.context import AskModel
from framework.web.talk import talk


def ask_tab(gr: Any, board: Board, ask: AskModel | None) -> None:
    """Build the tab; without a language model it says how to set one up."""
    with board.tab("Ask"):
        shown = gr.HTML(nobody_to_ask() if ask is None else conversation([]), elem_id="dh-talk", **HTML)
        if ask is not None:
            _conversation(gr, ask, shown)


def _conversation(gr: Any, ask: AskModel, shown: Any) -> None:
    def answer(question: str, before: list[Turn]) -> Iterator[tuple[str, list[Turn], str]]:
        for turns in talk(ask, question or "", before):
            yield "", turns, conversation(turns)

    turns = gr.State([])
    with gr.Row(elem_classes=["dh-controls"]):
        question = gr.Textbox(label="Question", scale=4, min_width=220, max_length=4000)
        send = gr.Button("Send", variant="primary", scale=0, min_width=110)
        fresh = gr.Button("Start over", scale=0, min_width=140)
    asked = gr.on(
        [question.submit, send.click],
        answer,
        [question, turns],
        [question, turns, shown],
        trigger_mode="once",
        concurrency_limit=4,
        **QUIET,
    )
    fresh.click(lambda: ("", [], conversation([])), None, [question, turns, shown], cancels=[asked], **QUIET)
