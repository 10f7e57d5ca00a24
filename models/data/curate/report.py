"""The report of a curation: what came in, what was left out and why, and both skews before and after."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from framework.errors import TrainingError
from models.data.curate.balance import PRICE_BANDS
from models.data.curate.part import TOKEN_STEP
from models.page import figure, page, plots, table

FILE, PAGE = "report.json", "report.html"
_SHOWN_CATEGORIES = 30
_STEP = 2_000 ** (1 / PRICE_BANDS)  # see balance.price_band

Report = Mapping[str, Any]


def read_report(folder: Path) -> dict[str, Any]:
    """The report in a folder that was built. Raises ``TrainingError`` where there is none."""
    try:
        report: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{folder} holds no report of a curation; run ./dealhound data build first") from error
    return report


def text_report(report: Report) -> str:
    """The figures for a terminal."""
    written, cost = report["written"], report["cost"]
    lines = [
        f"{report['source']}: {report['records']:,} records",
        *(f"  {count:>11,}  {reason}" for reason, count in _drops(report)),
        *(f"  {count:>11,}  written to {split}" for split, count in written.items()),
        f"{_skew('before', report['before'])}",
        f"{_skew('after', report['after'])}",
        f"{cost['records_read_now']:,} records read in {cost['read_seconds']:,} s ({cost['records_per_second']:,}/s, "
        f"{cost['workers']} workers), {cost['total_seconds']:,} s in all; memory {cost['peak_mib']:,} MiB, "
        f"{cost['peak_worker_mib']:,} MiB in the largest worker",
    ]
    return "\n".join(lines)


def html_report(report: Report) -> str:
    """The page with plots. Everything that comes from data is escaped."""
    rows = [[reason, f"{count:,}"] for reason, count in _drops(report)]
    rows += [[f"written to {split}", f"{count:,}"] for split, count in report["written"].items()]
    settings = [[name, json.dumps(value)] for name, value in report["settings"].items()]
    cost = [[name.replace("_", " "), f"{value:,}"] for name, value in report["cost"].items()]
    figures = [_prices(report), _categories(report), _tokens(report)]
    return page(
        "Dealhound: curation",
        "What the models learn from",
        f"<p class=note>{escape(report['source'])}: {report['records']:,} records.</p>"
        f"<h2>Records</h2>{table(['', 'records'], rows)}<h2>Before and after</h2>{plots(figures)}"
        f"<h2>Settings</h2>{table(['', ''], settings)}<h2>Cost</h2>{table(['', ''], cost)}",
    )


def _drops(report: Report) -> list[tuple[str, int]]:
    return [(reason, count) for reason, count in report["dropped"].items() if count]


def _skew(when: str, part: Report) -> str:
    """Both skews in a line: the middle price band, and the share of the largest category."""
    prices, categories = part["prices"], part["categories"]
    total = max(sum(prices), 1)
    middle = next((n for n in range(len(prices)) if sum(prices[: n + 1]) * 2 >= total), 0)
    name, count = next(iter(categories.items()), ("none", 0))
    share = count / max(sum(categories.values()), 1)
    dear = sum(count for number, count in enumerate(prices) if _from(number) >= 100) / total
    return f"  {when}: half cost up to ${_from(middle + 1):,.0f}, {dear:.0%} over $100; {share:.0%} are {name}"


def _from(band: int) -> float:
    return float(0.5 * _STEP**band)


def _shares(counts: Sequence[int]) -> list[float]:
    total = max(sum(counts), 1)
    return [count / total for count in counts]


def _bars(report: Report, title: str, x: str, labels: Sequence[str], key: str) -> Any:
    def draw(drawn: Any, go: Any) -> None:
        for when in ("before", "after"):
            drawn.add_trace(go.Bar(name=when, x=list(labels), y=_shares(report[when][key])))

    return figure(title, x, "share of the records", draw)


def _prices(report: Report) -> Any:
    labels = [f"${_from(band):,.0f} to {_from(band + 1):,.0f}" for band in range(PRICE_BANDS)]
    return _bars(report, "Prices", "", labels, "prices")


def _tokens(report: Report) -> Any:
    labels = [str(TOKEN_STEP * number) for number in range(len(report["before"]["tokens"]))]
    return _bars(report, "Length of the texts", "tokens, from", labels, "tokens")


def _categories(report: Report) -> Any:
    before, after = report["before"]["categories"], report["after"]["categories"]
    names = list(before)[:_SHOWN_CATEGORIES]

    def draw(drawn: Any, go: Any) -> None:
        for when, counts in (("before", before), ("after", after)):
            total = max(sum(counts.values()), 1)
            labels, shares = [escape(name) for name in names], [counts.get(name, 0) / total for name in names]
            drawn.add_trace(go.Bar(name=when, x=labels, y=shares))

    return figure(f"Categories (the {len(names)} largest)", "", "share of the records", draw)
