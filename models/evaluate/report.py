"""The evaluation as one self-contained HTML page with plots, for reading in a browser without a network."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from framework.views.plots import accuracy_plots
from models.page import page, plots, table

_COLUMNS = (("ratio", "ratio", "{:.3f}"), ("rmsle", "RMSLE", "{:.3f}"), ("mae", "MAE", "${:,.2f}"))
_MORE = (("median_error", "median error", "${:,.2f}"), ("close", "within $40 or 20%", "{:.1%}"))


def write_html(report: Mapping[str, Any]) -> str:
    """The whole page. Everything that comes from data is escaped."""
    tables = "\n".join(_accuracy_table(name, part) for name, part in report["slices"].items())
    judges = "\n".join(_judge_table(name, part) for name, part in report["slices"].items())
    return page(
        "Dealhound: accuracy",
        "How accurate is Dealhound?",
        f"<p class=note>{report['products']:,} products that no member was trained on.</p>"
        f"<h2>Estimates</h2>{tables}<h2>Alerts</h2>{judges}<h2>Plots</h2>{plots(accuracy_plots(report))}",
    )


def text_table(report: Mapping[str, Any]) -> str:
    """The accuracy figures as a plain table for a terminal."""
    lines = []
    for name, part in report["slices"].items():
        lines.append(f"{name} ({part['count']} products)")
        lines.append(f"  {'':24s}{'ratio':>8s}{'RMSLE':>8s}{'MAE':>10s}{'median':>10s}{'close':>8s}")
        for who, row in part["accuracy"].items():
            if "ratio" in row:
                figures = f"{row['ratio']:8.3f}{row['rmsle']:8.3f}{row['mae']:10.2f}{row['median_error']:10.2f}"
                lines.append(f"  {who:24s}{figures}{row['close']:8.1%}")
        cover, alert = part["coverage"], part["judge"]["judge"]
        fifths = " ".join(f"{share:.0%}" for share in cover["fifths"])
        lines.append(f"  80% ranges cover {cover['whole']:.1%} (by fifth of price: {fifths})")
        lines.append(f"  alerts: precision {alert['precision']:.2f} at recall {alert['recall']:.2f}")
    return "\n".join(lines)


def _accuracy_table(name: str, part: Mapping[str, Any]) -> str:
    columns = _COLUMNS + _MORE
    rows = [
        [who, *(form.format(row[key]) for key, _, form in columns)]
        for who, row in part["accuracy"].items()
        if "ratio" in row
    ]
    return f"<h3>{escape(name)} ({part['count']:,})</h3>" + table(["", *(title for _, title, _ in columns)], rows)


def _judge_table(name: str, part: Mapping[str, Any]) -> str:
    rows = []
    for key, label in (("judge", "with list prices"), ("judge_without_claims", "text alone")):
        for who in ("judge", "reference", "trusting_claims"):
            line = part[key][who]
            share = (f"{line['precision']:.3f}", f"{line['recall']:.3f}")
            rows.append([f"{who.replace('_', ' ')}, {label}", str(line["alerts"]), *share])
    return f"<h3>{escape(name)}</h3>" + table(["", "alerts", "precision", "recall"], rows)
