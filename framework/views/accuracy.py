"""How accurate the estimates and the alerts are, from the last evaluation's report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from framework.views.markup import Html, empty, join, table, tag

_COLUMNS = (
    ("Median error", "median_error", "${:,.2f}"),
    ("Mean error", "mae", "${:,.2f}"),
    ("RMSLE", "rmsle", "{:.3f}"),
)
_CLOSE = ("Within $40 or 20%", "close", "{:.0%}")


def accuracy_tables(report: Mapping[str, Any] | None) -> Html:
    """Errors of each member and of the whole, the honesty of the ranges, and the quality of the alerts, by kind."""
    if not report or not report.get("slices"):
        return empty("Not evaluated yet", "Run ", tag("code", "./dealhound evaluate"), " to measure the estimates.")
    note = tag("p", f"Measured on {report.get('products', 0):,} products that no estimator was trained on.")
    return join(note, [_slice(name, part) for name, part in report["slices"].items()])


def _slice(name: str, part: Mapping[str, Any]) -> Html:
    columns = (*_COLUMNS, _CLOSE)
    rows = [
        (who, *(_figure(row.get(key), form) for _, key, form in columns))
        for who, row in part.get("accuracy", {}).items()
    ]
    return tag(
        "section",
        tag("h2", f"{name} ({part.get('count', 0):,})"),
        table(f"Accuracy on {name}", ("Who", *(title for title, _, _ in columns)), rows),
        tag("p", _ranges(part.get("coverage", {})), " ", _alerts(part.get("judge", {})), class_="dh-muted"),
    )


def _ranges(coverage: Mapping[str, Any]) -> str:
    return f"Of its 80% ranges {_figure(coverage.get('whole'), '{:.0%}')} held the true price."


def _alerts(judged: Mapping[str, Any]) -> str:
    line = judged.get("judge", {})
    right, found = _figure(line.get("precision"), "{:.0%}"), _figure(line.get("recall"), "{:.0%}")
    return f"Of its alerts {right} were real bargains; of the big bargains it found {found}."


def _figure(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)
