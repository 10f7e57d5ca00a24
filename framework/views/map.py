"""The map of the catalogue as a plotly figure: products by category, with the deals where their likes are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from framework.atlas import Atlas, Place
from framework.deals import Opportunity, Similar
from framework.views.markup import Html, empty, tag
from framework.views.plots import BARE, INK, plain

# Twenty hues that stay apart on white and on near-black.
_COLOURS = (
    "#4e79a7", "#f28e2b", "#e15759", "#76b7b2", "#59a14f", "#edc948", "#b07aa1", "#ff9da7", "#9c755f", "#8a8f98",
    "#1f9bcf", "#d37295", "#86bc4b", "#c7832a", "#6a6ecf", "#38a39b", "#b5544b", "#a0a63c", "#7f5fa8", "#4aa5d8",
)  # fmt: skip
_LETTER, _LINE = 0.0075, 0.035  # size of a letter and a line of the labels, as shares of the drawing


@dataclass(frozen=True)
class MapDeals:
    """The opportunities to stand on the map, and what they are together."""

    opportunities: Sequence[Opportunity]
    label: str = "Deals"


def map_figure(atlas: Atlas, deals: MapDeals, *, deep: bool = False) -> dict[str, Any]:
    """A figure in plotly's own JSON form. A deal stands at the middle of its nearest catalogue products."""
    by_category: dict[str, list[Place]] = defaultdict(list)
    for place in atlas.places:
        by_category[place.category or "other"].append(place)
    traces = [
        _products(name, places, _COLOURS[index % len(_COLOURS)], deep)
        for index, (name, places) in enumerate(sorted(by_category.items()))
    ]
    traces.append(_deals(_located(atlas, deals.opportunities), deals.label, deep))
    return {"data": traces, "layout": _layout([] if deep else _labels(by_category), deep)}


def not_laid_out() -> Html:
    """What stands in the tab before there is a map."""
    return empty(
        "The map is not drawn yet",
        "Laying it out takes a minute the first time: open this tab again then. An empty catalogue has no map; "
        "fill it with ",
        tag("code", "./dealhound catalogue add products.jsonl"),
        ".",
    )


def _products(name: str, places: Sequence[Place], colour: str, deep: bool) -> dict[str, Any]:
    return {
        **_coordinates([place.deep if deep else place.flat for place in places], deep),
        "name": plain(name),
        "mode": "markers",
        "marker": {"size": 3 if deep else 6, "color": colour, "opacity": 0.75},
        "text": [plain(f"{_short(place.description)} · ${place.price:,.0f}") for place in places],
        "hovertemplate": "%{text}<extra>" + plain(name) + "</extra>",
        "showlegend": deep,  # flat, the names stand on the map
    }


def _deals(located: Sequence[tuple[Opportunity, tuple[float, ...]]], label: str, deep: bool) -> dict[str, Any]:
    return {
        **_coordinates([place[2:] if deep else place[:2] for _, place in located], deep),
        "name": plain(f"{label} ({len(located)})"),
        "mode": "markers",
        "marker": {
            "size": 6 if deep else 14,
            "symbol": "diamond" if deep else "star",
            "color": "#ff3b6b",
            "line": {"width": 1, "color": "#ffffff"},
        },
        "text": [
            plain(f"{_short(o.deal.title)} · {o.deal.price} (−{o.judgement.discount_pct:.0f}%)") for o, _ in located
        ],
        "hovertemplate": "<b>%{text}</b><extra>deal</extra>",
    }


def _coordinates(points: Sequence[Sequence[float]], deep: bool) -> dict[str, Any]:
    axes = ("x", "y", "z") if deep else ("x", "y")
    columns = {axis: [point[index] for point in points] for index, axis in enumerate(axes)}
    return {"type": "scatter3d" if deep else "scatter", **columns}


def _located(atlas: Atlas, opportunities: Iterable[Opportunity]) -> list[tuple[Opportunity, tuple[float, ...]]]:
    """The opportunities whose similar products are on the map, each with its place: two figures flat, three deep."""
    places = {place.description: place for place in atlas.places}
    located = []
    for opportunity in opportunities:
        estimate = opportunity.valuation.estimate
        middle = _middle(places, estimate.similar if estimate else ())
        if middle is not None:
            located.append((opportunity, middle))
    return located


def _middle(places: Mapping[str, Place], similar: Sequence[Similar]) -> tuple[float, ...] | None:
    """The mean of the similar products' places (2-D and 3-D at once), the more alike the heavier."""
    found = [(places[s.description], max(s.similarity, 0.01) ** 8) for s in similar if s.description in places]
    if not found:
        return None
    total = sum(weight for _, weight in found)
    rows = [((*place.flat, *place.deep), weight) for place, weight in found]
    return tuple(sum(row[axis] * weight for row, weight in rows) / total for axis in range(5))


def _labels(by_category: Mapping[str, Sequence[Place]]) -> list[dict[str, Any]]:
    """The names of the categories, each at the median of its products; of names that would overlap the larger's."""
    everywhere = [place.flat for places in by_category.values() for place in places]
    spans = [max(axis) - min(axis) or 1.0 for axis in zip(*everywhere, strict=True)]
    kept: list[tuple[float, float, float]] = []  # middle (x, y) and half the width, as shares of the drawing
    labels = []
    for name, places in sorted(by_category.items(), key=lambda item: -len(item[1])):
        x, y = (sorted(place.flat[axis] for place in places)[len(places) // 2] for axis in (0, 1))
        box = (x / spans[0], y / spans[1], len(name) * _LETTER / 2)
        if any(abs(box[0] - other[0]) < box[2] + other[2] and abs(box[1] - other[1]) < _LINE for other in kept):
            continue
        kept.append(box)
        font = {"size": 11, "color": INK}
        labels.append({"x": x, "y": y, "text": plain(name), "showarrow": False, "yshift": 14, "font": font})
    return labels


def _layout(labels: Sequence[dict[str, Any]], deep: bool) -> dict[str, Any]:
    bare = {"visible": False, "showgrid": False, "zeroline": False}
    axes: dict[str, Any] = (
        {"scene": {"xaxis": bare, "yaxis": bare, "zaxis": bare}} if deep else {"xaxis": bare, "yaxis": bare}
    )
    return {
        **axes,
        **BARE,
        "annotations": list(labels),
        "margin": {"l": 0, "r": 0, "t": 8, "b": 0},
        "height": 640,
        "legend": {"y": 0.5, "itemsizing": "constant"} if deep else {"orientation": "h", "y": 0.0, "x": 0.0},
        "hoverlabel": {"align": "left"},
        "dragmode": "orbit" if deep else "pan",
    }


def _short(words: str) -> str:
    return words if len(words) <= 70 else words[:69] + "…"
