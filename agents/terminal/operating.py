"""Looking after it: ``notify``, ``tokens``, ``doctor``, ``backup``, ``restore``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agents.terminal.output import Home, Json, hound, show, show_object

app = typer.Typer()
notify_app = typer.Typer(help="Notifications.", no_args_is_help=True)
tokens_app = typer.Typer(
    help="Tokens of programs that use the API of a dashboard with a password.", no_args_is_help=True
)


@notify_app.command("test")
def notify_test(home: Home = None, as_json: Json = False) -> None:
    """Send a test notification through every channel that is set up."""
    from agents.commands import operating, text

    with hound(home) as assembled:
        rows = operating.notify_test(assembled)
        show(rows, as_json, text.channel_line)
        if any(row["status"] == "failed" for row in rows):
            raise typer.Exit(1)


@notify_app.command("log")
def notify_log(limit: Annotated[int, typer.Option(min=1)] = 50, home: Home = None, as_json: Json = False) -> None:
    """Each attempt to send a message, newest first, and what the service said."""
    from agents.commands import operating, text

    with hound(home, log_level="warning") as assembled:
        show(operating.delivery_log(assembled, limit), as_json, text.delivery_line, "Nothing was sent yet.")


@tokens_app.command("add")
def tokens_add(name: str, home: Home = None, as_json: Json = False) -> None:
    """Make a token, to be sent as "Authorization: Bearer TOKEN"; it is shown this once."""
    from agents.commands import operating

    with hound(home, log_level="warning") as assembled:
        show_object(operating.add_token(assembled, name), as_json, lambda row: str(row["token"]))


@tokens_app.command("list")
def tokens_list(home: Home = None, as_json: Json = False) -> None:
    """The names of the tokens."""
    from agents.commands import operating

    with hound(home, log_level="warning") as assembled:
        show(operating.tokens(assembled), as_json, lambda row: str(row["name"]), "No tokens.")


@tokens_app.command("remove")
def tokens_remove(name: str, home: Home = None, as_json: Json = False) -> None:
    """End a token."""
    from agents.commands import operating

    with hound(home, log_level="warning") as assembled:
        show_object(operating.remove_token(assembled, name), as_json, lambda row: f"{row['name']} is ended")


@app.command()
def doctor(home: Home = None, as_json: Json = False) -> None:
    """What is set up, what is degraded and how to fix it."""
    from agents.commands import operating, text

    with hound(home, log_level="error") as assembled:
        rows = operating.doctor(assembled)
        show(rows, as_json, text.check_line)
        if any(row["status"] == "failed" for row in rows):
            raise typer.Exit(1)


@app.command()
def backup(file: Path, home: Home = None, as_json: Json = False) -> None:
    """Save the whole state to FILE; safe while the daemon runs."""
    from agents.commands import operating

    with hound(home) as assembled:
        show_object(
            operating.backup(assembled, file), as_json, lambda row: f"Saved {row['bytes']:,} bytes to {row['file']}"
        )


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)], home: Home = None, as_json: Json = False
) -> None:
    """Put a saved state back; the daemon must not be running."""
    from agents.commands import operating

    with hound(home) as assembled:
        show_object(operating.restore(assembled, file), as_json, lambda row: f"Restored {row['file']}")
