"""The evaluation as one self-contained HTML page with plots, for reading in a browser without a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:1080px;margin:2rem auto;padding:0 1rem;color:#1a1a1a}
table{border-collapse:collapse;margin:1rem 0}th,td{padding:.3rem .7rem;border-bottom:1px solid #ddd;text-align:right}
th:first-child,td:first-child{text-align:left}h2{margin-top:2.5rem}.note{color:#555}
"""
_COLUMNS = (("ratio", "ratio", "{:.3f}"), ("rmsle", "RMSLE", "{:.3f}"), ("mae", "MAE", "${:,.2f}"))
_MORE = (("median_error", "median error", "${:,.2f}"), ("close", "within $40 or 20%", "{:.1%}"))


def write_html(report: Mapping[str, Any]) -> str:
    """The whole page. Everything that comes from data is escaped."""
    import plotly.io
    import plotly.offline

    figures = [
        _accuracy_bars(report),
        _scatter(report),
        _coverage(report),
        _curve(report),
        _reliability(report),
        _by_price(report),
        _by_category(report),
    ]
    plots = "\n".join(plotly.io.to_html(figure, full_html=False, include_plotlyjs=False) for figure in figures)
    tables = "\n".join(_accuracy_table(name, part) for name, part in report["slices"].items())
    judges = "\n".join(_judge_table(name, part) for name, part in report["slices"].items())
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Dealhound: accuracy</title><style>{_STYLE}</style>"
        f"<script>{plotly.offline.get_plotlyjs()}</script><h1>How accurate is Dealhound?</h1>"
        f"<p class=note>{report['products']:,} products that no member was trained on.</p>"
        f"<h2>Estimates</h2>{tables}<h2>Alerts</h2>{judges}<h2>Plots</h2>{plots}</html>"
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


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"


def _accuracy_table(name: str, part: Mapping[str, Any]) -> str:
    columns = _COLUMNS + _MORE
    rows = [
        [who, *(form.format(row[key]) for key, _, form in columns)]
        for who, row in part["accuracy"].items()
        if "ratio" in row
    ]
    return f"<h3>{escape(name)} ({part['count']:,})</h3>" + _table(["", *(title for _, title, _ in columns)], rows)


def _judge_table(name: str, part: Mapping[str, Any]) -> str:
    rows = []
    for key, label in (("judge", "with list prices"), ("judge_without_claims", "text alone")):
        for who in ("judge", "reference", "trusting_claims"):
            line = part[key][who]
            share = (f"{line['precision']:.3f}", f"{line['recall']:.3f}")
            rows.append([f"{who.replace('_', ' ')}, {label}", str(line["alerts"]), *share])
    return f"<h3>{escape(name)}</h3>" + _table(["", "alerts", "precision", "recall"], rows)


def _figure(title: str, x: str, y: str, draw: Callable[[Any, Any], None], **layout: Any) -> Any:
    import plotly.graph_objects as go

    figure = go.Figure()
    draw(figure, go)
    figure.update_layout(title=title, xaxis_title=x, yaxis_title=y, template="plotly_white", height=440, **layout)
    return figure


def _accuracy_bars(report: Mapping[str, Any]) -> Any:
    def draw(figure: Any, go: Any) -> None:
        for name, part in report["slices"].items():
            rows = {who: row["ratio"] for who, row in part["accuracy"].items() if "ratio" in row}
            figure.add_trace(go.Bar(name=name, x=list(rows), y=list(rows.values())))

    return _figure("Mean absolute error beside always saying the mean (lower is better)", "", "ratio", draw)


def _scatter(report: Mapping[str, Any]) -> Any:
    truth, said = zip(*report["scatter"], strict=True) if report["scatter"] else ((), ())

    def draw(figure: Any, go: Any) -> None:
        figure.add_trace(
            go.Scatter(x=truth, y=said, mode="markers", marker={"size": 4, "opacity": 0.4}, name="product")
        )
        ends = [1, 5000]
        figure.add_trace(go.Scatter(x=ends, y=ends, mode="lines", name="exact"))

    log_axes = {"xaxis_type": "log", "yaxis_type": "log"}
    return _figure("Truth against estimate", "price ($)", "estimate ($)", draw, **log_axes)


def _coverage(report: Mapping[str, Any]) -> Any:
    def draw(figure: Any, go: Any) -> None:
        for name, part in report["slices"].items():
            shares = part["coverage"]["fifths"]
            figure.add_trace(go.Bar(name=name, x=[f"fifth {i + 1}" for i in range(len(shares))], y=shares))
        figure.add_hline(y=0.8, line_dash="dot")

    return _figure("Share of true prices inside the 80% range", "by price, cheapest first", "share", draw)


def _curve(report: Mapping[str, Any]) -> Any:
    def draw(figure: Any, go: Any) -> None:
        for name, part in report["slices"].items():
            for key, label in (("judge", "with list prices"), ("judge_without_claims", "text alone")):
                points = part[key]["curve"]
                recall, precision = [point["recall"] for point in points], [point["precision"] for point in points]
                figure.add_trace(go.Scatter(x=recall, y=precision, mode="lines", name=f"{name}, {label}"))
            rivals = (part["judge"][who] for who in ("judge", "reference", "trusting_claims"))
            marks = [(line["recall"], line["precision"]) for line in rivals]
            x, y = zip(*marks, strict=True)
            text = ["at the default", "reference's rule", "trusting the claim"]
            figure.add_trace(go.Scatter(x=x, y=y, text=text, mode="markers+text", name=name, textposition="top center"))

    return _figure("Precision by recall of the alerts", "recall of discounts of 30% and more", "precision", draw)


def _reliability(report: Mapping[str, Any]) -> Any:
    def draw(figure: Any, go: Any) -> None:
        for name, part in report["slices"].items():
            groups = part["judge_without_claims"]["reliability"]
            x, y = [group["said"] for group in groups], [group["happened"] for group in groups]
            figure.add_trace(go.Scatter(x=x, y=y, mode="lines+markers", name=name))
        figure.add_trace(go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line_dash="dot", name="honest"))

    return _figure("Is the probability honest? (text alone, tenths by probability)", "said", "happened", draw)


def _by_price(report: Mapping[str, Any]) -> Any:
    def draw(figure: Any, go: Any) -> None:
        rows = report["by_price"]
        labels = [f"${row['from']:,.0f} to {row['to']:,.0f}" for row in rows]
        figure.add_trace(go.Bar(x=labels, y=[row["median_error_pct"] for row in rows]))

    return _figure("Error by price", "", "median error (%)", draw)


def _by_category(report: Mapping[str, Any]) -> Any:
    def draw(figure: Any, go: Any) -> None:
        rows = sorted(report["by_category"], key=lambda row: row["median_error_pct"])
        figure.add_trace(go.Bar(x=[row["category"] for row in rows], y=[row["median_error_pct"] for row in rows]))

    return _figure("Error by category", "", "median error (%)", draw)
