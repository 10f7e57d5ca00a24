"""The evaluation as figures in plotly's own JSON form: for the Accuracy tab, and for the page that evaluate writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from framework.views.markup import text

Figure = dict[str, Any]

INK = "#7c8696"  # readable on white and on near-black
BARE: Figure = {  # no background of its own: the page's shows through
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "font": {"color": INK},
    "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": INK, "activecolor": "#1f9bcf", "remove": ["lasso", "select"]},
}
_COLOURS = ("#1f9bcf", "#e2803a", "#59a14f", "#b07aa1")
_GRID = "#8884"
_DOLLARS = {"type": "log", "dtick": 1, "tickprefix": "$"}  # an axis
_SHARE = {"tickformat": ".0%"}  # an axis
_JUDGES = {"judge": "with list prices", "judge_without_claims": "text alone"}
_RULES = {"judge": "default", "reference": "reference's rule", "trusting_claims": "trusting the claim"}


def accuracy_plots(report: Mapping[str, Any]) -> list[Figure]:
    """All figures that the report has the data for."""
    drawn = (_scatter, _ratios, _coverage, _curve, _reliability, _by_price, _by_category)
    return [figure for draw in drawn if (figure := draw(report)) is not None]


def _scatter(report: Mapping[str, Any]) -> Figure | None:
    points: Sequence[Sequence[float]] = report.get("scatter", ())
    if not points:
        return None
    truth, said = [point[0] for point in points], [point[1] for point in points]
    ends = [min(truth), max(truth)]
    products = {
        "type": "scatter",
        "mode": "markers",
        "x": truth,
        "y": said,
        "name": "product",
        "marker": {"size": 4, "opacity": 0.45, "color": _COLOURS[0]},
        "hovertemplate": "costs $%{x:,.2f}<br>estimated $%{y:,.2f}<extra></extra>",
    }
    axes = {"xaxis": _axis("true price", _DOLLARS), "yaxis": _axis("estimate", _DOLLARS)}
    return _figure("Estimates beside true prices", [products, _line(ends, ends, "exactly right", dash="dot")], axes)


def _ratios(report: Mapping[str, Any]) -> Figure | None:
    traces: list[Figure] = []
    for name, part in _slices(report):
        rows = {who: row["ratio"] for who, row in part.get("accuracy", {}).items() if "ratio" in row}
        if rows:
            traces.append(_bars(list(rows), list(rows.values()), name, len(traces)))
    axes = {"yaxis": _axis("error, beside always saying the mean")}
    return _figure("Mean absolute error (lower is better)", traces, axes)


def _coverage(report: Mapping[str, Any]) -> Figure | None:
    traces: list[Figure] = []
    for name, part in _slices(report):
        shares = part.get("coverage", {}).get("fifths")
        if shares:
            traces.append(_bars([f"fifth {i + 1}" for i in range(len(shares))], shares, name, len(traces)))
    axes = {"xaxis": _axis("by true price, cheapest first"), "yaxis": _axis("share", _SHARE)}
    honest = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0.8, "y1": 0.8, "line": _dots()}
    return _figure("True prices inside the 80% range", traces, {**axes, "shapes": [honest]})


def _curve(report: Mapping[str, Any]) -> Figure | None:
    traces: list[Figure] = []
    for name, part in _slices(report):
        for key, label in _JUDGES.items():
            points = part.get(key, {}).get("curve", ())
            if points:
                recall, precision = [point["recall"] for point in points], [point["precision"] for point in points]
                traces.append(_line(recall, precision, f"{name}, {label}", len(traces)))
        marks = [(_RULES[who], line) for who, line in part.get("judge", {}).items() if who in _RULES]
        if marks and traces:
            traces.append(_marks(name, marks))
    axes = {
        "xaxis": _axis("recall of discounts of 30% and more", _SHARE),
        "yaxis": _axis("alerts that are right", _SHARE),
    }
    return _figure("Alerts that are right, by bargains that are found", traces, axes)


def _marks(name: str, marks: Sequence[tuple[str, Mapping[str, float]]]) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": plain(f"{name}, rules"),
        "x": [line["recall"] for _, line in marks],
        "y": [line["precision"] for _, line in marks],
        "text": [label for label, _ in marks],
        "marker": {"size": 9, "symbol": "diamond", "color": INK},
        "hovertemplate": "%{text}: %{y:.0%} right, %{x:.0%} found<extra></extra>",
    }


def _reliability(report: Mapping[str, Any]) -> Figure | None:
    traces: list[Figure] = []
    for name, part in _slices(report):
        groups = part.get("judge_without_claims", {}).get("reliability", ())
        if groups:
            said, happened = [group["said"] for group in groups], [group["happened"] for group in groups]
            traces.append(_line(said, happened, name, len(traces), mode="lines+markers"))
    if traces:
        traces.append(_line([0, 1], [0, 1], "honest", dash="dot"))
    axes = {"xaxis": _axis("probability said, by tenths", _SHARE), "yaxis": _axis("share that came true", _SHARE)}
    return _figure("Is the probability honest?", traces, axes)


def _by_price(report: Mapping[str, Any]) -> Figure | None:
    rows = report.get("by_price", ())
    labels = [f"${row['from']:,.0f} to {row['to']:,.0f}" for row in rows]
    return _errors("Error by price", labels, rows)


def _by_category(report: Mapping[str, Any]) -> Figure | None:
    rows = sorted(report.get("by_category", ()), key=lambda row: row["median_error_pct"])
    return _errors("Error by category", [row["category"] for row in rows], rows)


def _errors(title: str, labels: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Figure | None:
    bars = _bars(labels, [row["median_error_pct"] for row in rows], "median error", 0)
    return _figure(title, [bars] if rows else [], {"yaxis": _axis("median error", {"ticksuffix": "%"})})


def _slices(report: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    slices: Mapping[str, Mapping[str, Any]] = report.get("slices", {})
    return slices.items()


def _figure(title: str, traces: Sequence[Figure], layout: Figure) -> Figure | None:
    """One figure in the common look; ``None`` without anything to draw."""
    if not traces:
        return None
    look = {
        "title": {"text": title, "font": {"size": 15}, "x": 0, "xref": "paper"},
        "height": 400,
        "margin": {"l": 60, "r": 10, "t": 44, "b": 90},
        "showlegend": len(traces) > 1,
        "legend": {"orientation": "h", "y": -0.24, "yanchor": "top", "x": 0},
    }
    axes = {"xaxis": _axis(""), "yaxis": _axis("")}
    return {"data": list(traces), "layout": {**BARE, **look, **axes, **layout}}


def _axis(title: str, kind: Mapping[str, Any] | None = None) -> Figure:
    return {"title": {"text": title}, "gridcolor": _GRID, "zerolinecolor": _GRID, "automargin": True, **(kind or {})}


def plain(words: str) -> str:
    """Plotly reads a little HTML in its texts and fills %{...}: neither may come from a product's description."""
    return text(words).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("%{", "% {")


def _bars(x: Sequence[str], y: Sequence[float], name: str, number: int) -> Figure:
    labels = [plain(label) for label in x]
    return {"type": "bar", "x": labels, "y": list(y), "name": plain(name), "marker": {"color": _colour(number)}}


def _line(
    x: Sequence[float], y: Sequence[float], name: str, number: int = 0, *, mode: str = "lines", dash: str | None = None
) -> Figure:
    line = _dots() if dash else {"color": _colour(number)}
    return {"type": "scatter", "mode": mode, "x": list(x), "y": list(y), "name": plain(name), "line": line}


def _dots() -> Figure:
    return {"color": INK, "dash": "dot"}


def _colour(number: int) -> str:
    return _COLOURS[number % len(_COLOURS)]
