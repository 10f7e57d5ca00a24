"""What every command shares: its common options, the assembled hound, and printing for people or programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from agents.assemble import Hound

Json = Annotated[bool, typer.Option("--json", help="Print JSON lines.")]
Home = Annotated[
    Path | None, typer.Option("--home", help="Folder of all state (default: DEALHOUND_HOME or the checkout).")
]


@contextmanager
def hound(home: Path | None = None, *, log_level: str | None = None) -> Iterator[Hound]:
    """The assembled set for one command, closed after it."""
    from agents.assemble import Hound
    from framework.log import configure_logging
    from framework.settings import load_settings

    settings = load_settings(home)
    buffer = configure_logging(log_level or settings.log_level, settings.state / "logs", settings.secrets())
    with Hound(settings, log_buffer=buffer) as assembled:
        yield assembled


def show(rows: Iterable[dict[str, Any]], as_json: bool, line: Callable[[dict[str, Any]], str], empty: str = "") -> None:
    """Print rows as JSON lines, or each through ``line`` for people."""
    shown = 0
    for row in rows:
        typer.echo(json.dumps(row, ensure_ascii=False) if as_json else line(row))
        shown += 1
    if not shown and not as_json and empty:
        typer.echo(empty)


def show_object(value: dict[str, Any], as_json: bool, text: Callable[[dict[str, Any]], str]) -> None:
    """Print one object as JSON, or as text for people."""
    typer.echo(json.dumps(value, ensure_ascii=False) if as_json else text(value))


def fields(row: dict[str, Any]) -> str:
    """A row as text, a line for each of its fields."""
    return "\n".join(f"{key}: {value}" for key, value in row.items())


def agreed(cost: str, yes: bool) -> bool:
    """Say what it costs; whether the owner goes on."""
    typer.echo(cost, err=True)
    return yes or typer.confirm("Go on?", err=True)
