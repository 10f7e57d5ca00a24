"""Settings: what is set up and how to mend it, a test message, and the thresholds and quiet hours to change."""

from __future__ import annotations

from typing import Any

from framework.settings import Settings
from framework.settings_file import CHANGEABLE, as_text
from framework.tabs.board import Board
from framework.tabs.look import HTML, QUIET, saying
from framework.views.status import preferences_heading
from framework.web.context import Preferences
from framework.web.desk import Desk
from framework.web.pages import Pages

_LABELS = {
    "min_discount_pct": "Least discount, %",
    "min_discount": "Least discount, $",
    "min_probability": "Least probability",
    "precision_wish": "Share of good alerts",
    "again_pct": "Told again if cheaper by, %",
    "max_alerts": "Alerts per hunt",
    "timezone": "Time zone",
    "quiet_hours": "Quiet hours",
    "daily_cap": "Alerts per day",
    "cooldown": "Pause between alerts, s",
    "digest_at": "Daily digest at",
}
_EXAMPLES = {
    "min_probability": "as evaluated",
    "precision_wish": "0.8",
    "quiet_hours": "22:00-07:00",
    "daily_cap": "no limit",
    "digest_at": "18:00",
}


def settings_tab(gr: Any, board: Board, pages: Pages, desk: Desk) -> None:
    """Build the tab."""
    with board.tab("Settings") as tab:
        if desk.can_test:
            test = gr.Button("Send a test notification", scale=0, min_width=240)
            answer = gr.HTML(**HTML)
            test.click(desk.test_notification, None, answer, **QUIET)
        board.show("status", pages.status)
        if desk.preferences is not None:
            _form(gr, board, tab, desk, desk.preferences)
        board.show("usage", pages.usage)
        board.show("settings", pages.settings)


def _form(gr: Any, board: Board, tab: Any, desk: Desk, preferences: Preferences) -> None:
    gr.HTML(preferences_heading(), **HTML)
    fixed = preferences.fixed()
    with gr.Row(elem_classes=["dh-form"]):
        fields = [_field(gr, name, fixed.get(name)) for name in CHANGEABLE]
    keep = gr.Button("Keep", variant="primary", scale=0, min_width=150)
    said = gr.HTML(**HTML)
    known = gr.State(None)  # what was in force when last read: only what differs from that is a wish

    def in_force() -> list[str]:
        return [_wish(preferences.settings(), name) for name in CHANGEABLE]

    def save(filled: list[str] | None, *values: str) -> str:
        if filled is None:
            return "The settings are still being read: press again in a moment."
        fields = zip(CHANGEABLE, filled, values, strict=True)
        changed = {name: value for name, before, value in fields if value != before}
        return desk.change_settings(changed) if changed else "Nothing was changed."

    tab.select(lambda: [in_force(), *in_force()], None, [known, *fields], **QUIET)
    keep.click(saying(save), [known, *fields], said, **QUIET).then(in_force, None, known, **QUIET)
    board.refresh_on(said.change)


def _field(gr: Any, name: str, fixed_by: str | None) -> Any:
    default = _EXAMPLES.get(name) or as_text(Settings.model_fields[name].default)
    description = Settings.model_fields[name].description
    return gr.Textbox(
        label=_LABELS[name],
        placeholder=default,
        info=f"Set by {fixed_by}" if fixed_by else description,
        interactive=fixed_by is None,
        min_width=220,
        max_length=60,
    )


def _wish(settings: Settings, name: str) -> str:
    """The value in force where it is not the default, which the empty field stands for."""
    value = getattr(settings, name)
    return "" if value == Settings.model_fields[name].default else as_text(value)
