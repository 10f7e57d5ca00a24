"""``memory`` and ``feedback``: what was surfaced, and the owner's word on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from agents.terminal.output import Home, Json, hound, show, show_object

memory_app = typer.Typer(help="What was surfaced so far.", no_args_is_help=True)
feedback_app = typer.Typer(help="Your word on opportunities, and what is learnt from it.", no_args_is_help=True)


@memory_app.command("show")
def memory_show(limit: Annotated[int, typer.Option(min=1)] = 50, home: Home = None, as_json: Json = False) -> None:
    """The opportunities, newest first."""
    from agents.commands import memory, text

    with hound(home, log_level="warning") as assembled:
        show(memory.listing(assembled, limit), as_json, text.judged_line, "Nothing yet. Start a hunt: ./dealhound hunt")


@memory_app.command("import")
def memory_import(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)], home: Home = None, as_json: Json = False
) -> None:
    """Import opportunities from a memory.json, the course's plain format included."""
    from agents.commands import memory

    with hound(home) as assembled:
        show_object(memory.import_json(assembled, file), as_json, lambda row: f"{row['imported']} imported")


@memory_app.command("export")
def memory_export(file: Annotated[Path | None, typer.Argument(dir_okay=False)] = None, home: Home = None) -> None:
    """Write every opportunity in memory.json's format, to FILE or to stdout."""
    from agents.commands import memory

    with hound(home, log_level="warning") as assembled:
        exported = memory.export_json(assembled)
    if file is None:
        typer.echo(exported)
    else:
        file.write_text(exported, encoding="utf-8")


@feedback_app.command("list")
def feedback_list(home: Home = None, as_json: Json = False) -> None:
    """What was learnt from your votes, and the votes."""
    from agents.commands import feedback, text

    with hound(home, log_level="warning") as assembled:
        show(feedback.listing(assembled), as_json, text.feedback_line, "No votes yet.")


@feedback_app.command("vote")
def feedback_vote(
    identity: Annotated[str, typer.Argument(metavar="ID", help="An opportunity, by the id in memory.json.")],
    word: Annotated[Literal["good", "bad", "bought", "hide"], typer.Argument()],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Say what you think of an opportunity."""
    from agents.commands import feedback, text
    from framework.memory.feedback import Vote

    with hound(home, log_level="warning") as assembled:
        show_object(feedback.vote(assembled, identity, Vote(word)), as_json, text.feedback_said)


@feedback_app.command("undo")
def feedback_undo(
    what: Annotated[str, typer.Argument(help='An opportunity\'s id, or a learnt kind such as "merchant:walgrove".')],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Take back your votes on an opportunity, or a kind of deals that is left out."""
    from agents.commands import feedback, text

    with hound(home, log_level="warning") as assembled:
        show_object(feedback.undo(assembled, what), as_json, text.feedback_said)


@feedback_app.command("reset")
def feedback_reset(home: Home = None, as_json: Json = False) -> None:
    """Forget all that was learnt; only votes from now on teach anything."""
    from agents.commands import feedback, text

    with hound(home, log_level="warning") as assembled:
        show_object(feedback.reset(assembled), as_json, text.feedback_said)
