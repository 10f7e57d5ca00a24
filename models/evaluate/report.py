"""The evaluation as one self-contained HTML page with plots, for reading in a browser without a network."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from models.page import figure, page, plots, table

_COLUMNS = (("ratio", "ratio", "{:.3f}"), ("rmsle", "RMSLE", "{:.3f}"), ("mae", "MAE", "${:,.2f}"))
_MORE = (("median_error", "median error", "${:,.2f}"), ("close", "within $40 or 20%", "{:.1%}"))


def write_html(report: Mapping[str, Any]) -> str:
    """The whole page. Everything that comes from data is escaped."""
    figures = [
        _accuracy_bars(report),
        _scatter(report),
        _coverage(report),
        _curve(report),
        _reliability(report),
        _by_price(report),
        _by_category(report),
    ]
    tables = "\n".join(_accuracy_table(name, part) for name, part in report["slices"].items())
    judges = "\n".join(_judge_table(name, part) for name, part in report["slices"].items())
    return page(
        "Dealhound: accuracy",
        "How accurate is Dealhound?",
        f"<p class=note>{report['products']:,} products that no member was trained on.</p>"
        f"<h2>Estimates</h2>{tables}<h2>Alerts</h2>{judges}<h2>Plots</h2>{plots(figures)}",
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


def _accuracy_bars(report: Mapping[str, Any]) -> Any:
    def draw(drawn: Any, go: Any) -> None:
        for name, part in report["slices"].items():
            rows = {who: row["ratio"] for who, row in part["accuracy"].items() if "ratio" in row}
            drawn.add_trace(go.Bar(name=name, x=list(rows), y=list(rows.values())))

    return figure("Mean absolute error beside always saying the mean (lower is better)", "", "ratio", draw)


def _scatter(report: Mapping[str, Any]) -> Any:
    truth, said = zip(*report["scatter"], strict=True) if report["scatter"] else ((), ())

    def draw(drawn: Any, go: Any) -> None:
        drawn.add_trace(go.Scatter(x=truth, y=said, mode="markers", marker={"size": 4, "opacity": 0.4}, name="product"))
        ends = [1, 5000]
        drawn.add_trace(go.Scatter(x=ends, y=ends, mode="lines", name="exact"))

    log_axes = {"xaxis_type": "log", "yaxis_type": "log"}
    return figure("Truth against estimate", "price ($)", "estimate ($)", draw, **log_axes)


def _coverage(report: Mapping[str, Any]) -> Any:
    def draw(drawn: Any, go: Any) -> None:
        for name, part in report["slices"].items():
            shares = part["coverage"]["fifths"]
            drawn.add_trace(go.Bar(name=name, x=[f"fifth {i + 1}" for i in range(len(shares))], y=shares))
        drawn.add_hline(y=0.8, line_dash="dot")

    return figure("Share of true prices inside the 80% range", "by price, cheapest first", "share", draw)


def _curve(report: Mapping[str, Any]) -> Any:
    def draw(drawn: Any, go: Any) -> None:
        for name, part in report["slices"].items():
            for key, label in (("judge", "with list prices"), ("judge_without_claims", "text alone")):
                points = part[key]["curve"]
                recall, precision = [point["recall"] for point in points], [point["precision"] for point in points]
                drawn.add_trace(go.Scatter(x=recall, y=precision, mode="lines", name=f"{name}, {label}"))
            rivals = (part["judge"][who] for who in ("judge", "reference", "trusting_claims"))
            marks = [(line["recall"], line["precision"]) for line in rivals]
            x, y = zip(*marks, strict=True)
            text = ["at the default", "reference's rule", "trusting the claim"]
            drawn.add_trace(go.Scatter(x=x, y=y, text=text, mode="markers+text", name=name, textposition="top center"))

    return figure("Precision by recall of the alerts", "recall of discounts of 30% and more", "precision", draw)


def _reliability(report: Mapping[str, Any]) -> Any:
    def draw(drawn: Any, go: Any) -> None:
        for name, part in report["slices"].items():
            groups = part["judge_without_claims"]["reliability"]
            x, y = [group["said"] for group in groups], [group["happened"] for group in groups]
            drawn.add_trace(go.Scatter(x=x, y=y, mode="lines+markers", name=name))
        drawn.add_trace(go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line_dash="dot", name="honest"))

    return figure("Is the probability honest? (text alone, tenths by probability)", "said", "happened", draw)


def _by_price(report: Mapping[str, Any]) -> Any:
    def draw(drawn: Any, go: Any) -> None:
        rows = report["by_price"]
        labels = [f"${row['from']:,.0f} to {row['to']:,.0f}" for row in rows]
        drawn.add_trace(go.Bar(x=labels, y=[row["median_error_pct"] for row in rows]))

    return figure("Error by price", "", "median error (%)", draw)


def _by_category(report: Mapping[str, Any]) -> Any:
    def draw(drawn: Any, go: Any) -> None:
        rows = sorted(report["by_category"], key=lambda row: row["median_error_pct"])
        drawn.add_trace(go.Bar(x=[row["category"] for row in rows], y=[row["median_error_pct"] for row in rows]))

    return figure("Error by category", "", "median error (%)", draw)
