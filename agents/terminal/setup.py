"""``init``: the guided set-up."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from agents.terminal.output import Home, Json, show
from framework.errors import SettingsError

app = typer.Typer()


@app.command("init")
def set_up(
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask nothing: take --set, and keys from the environment; write what works.")
    ] = False,
    known: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting that is known already.")
    ] = None,
    untried: Annotated[bool, typer.Option("--untried", help="Write the answers without trying them out.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Short guided set-up: asks for keys, tries them out, writes .env and dealhound.toml."""
    from agents.commands import setup, text
    from framework.settings import load_settings

    if as_json and not yes:
        raise SettingsError("init --json needs --yes: questions and JSON do not go together")
    folder = load_settings(home).home
    tried = {"tried": setup.not_tried} if untried else {}
    rows = setup.set_up(folder, os.environ, setup.pairs(known or []), None if yes else Terminal(), **tried)
    if as_json or yes:
        show(rows, as_json, text.check_line)
    else:
        typer.echo(
            f"\nWritten to {folder}. Start with ./dealhound run; ./dealhound doctor says what is missing.", err=True
        )
    if any(row["status"] == "failed" for row in rows):
        raise typer.Exit(1)


class Terminal:
    """The owner at the terminal, for ``init``. Prompts go to stderr; what is private is not echoed."""

    def say(self, text: str) -> None:
        """Show a line."""
        typer.echo(text, err=True)

    def ask(self, question: str, *, private: bool) -> str:
        """One answer, empty for none."""
        return str(typer.prompt(question, default="", show_default=False, hide_input=private, err=True))

    def agrees(self, question: str) -> bool:
        """A yes or a no."""
        return typer.confirm(question, err=True)
