"""Hunting and judging at the terminal: ``hunt``, ``scan``, ``price``, ``judge``, ``ask``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agents.terminal.output import Home, Json, hound, show, show_object
from framework.errors import SettingsError

app = typer.Typer()

JsonlFile = Annotated[Path | None, typer.Option("--file", exists=True, dir_okay=False, help="JSON lines.")]
Sources = Annotated[list[str], typer.Argument(help="URLs or files.")]


@app.command()
def hunt(
    feed: Annotated[list[str] | None, typer.Option("--feed", help="Hunt these URLs or files only.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """One hunt; prints the deals it judged."""
    from agents.commands import hunting, text

    with hound(home) as assembled:
        report = hunting.hunt(assembled, feed or [])
        show(hunting.judged_rows(report), as_json, text.judged_line)
        if not as_json:
            typer.echo(text.hunt_summary(report))
        if feed and report.feeds_failed == len(feed):  # the owner asked for just these, and none could be read
            raise typer.Exit(1)


@app.command()
def scan(sources: Sources, home: Home = None, as_json: Json = False) -> None:
    """Read feeds and pages into deals; nothing is priced, nothing remembered."""
    from agents.commands import hunting, text

    with hound(home) as assembled:
        show(hunting.scan(assembled, sources), as_json, text.reading_line, "No entries.")


@app.command()
def price(
    texts: Annotated[list[str] | None, typer.Argument(metavar="[TEXT]...", help="Descriptions of products.")] = None,
    file: JsonlFile = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Estimate what products are worth; a line of FILE has id and description."""
    from agents.commands import pricing, text

    with hound(home, log_level="warning") as assembled:
        show(pricing.price(assembled, texts or [], file), as_json, text.estimate_line)


@app.command()
def judge(file: JsonlFile = None, home: Home = None, as_json: Json = False) -> None:
    """Value offers and decide; a line of FILE has id, description, price and what else is known."""
    from agents.commands import pricing, text

    if file is None:
        raise SettingsError("judge needs --file with one offer per line: id, description, price")
    with hound(home, log_level="warning") as assembled:
        show(pricing.judge_offers(assembled, file), as_json, text.offer_line)


@app.command()
def ask(question: str, home: Home = None, as_json: Json = False) -> None:
    """Ask in plain words about deals, worth, feeds and verdicts (needs a language model)."""
    from agents.commands import asking, text

    with hound(home, log_level="warning") as assembled:
        *_, answer = asking.ask(assembled, question)
        show_object({"question": question, "answer": answer}, as_json, text.answer)
