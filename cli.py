"""Dealhound's command line: the commands of ``agents.terminal``, and those that concern this checkout.

Data goes to stdout (with ``--json`` one object, or one JSON line per item, and nothing else), logs to stderr. Exit
status: 0 done, 1 it ran and failed, 2 unusable arguments or settings. Everything heavy is imported inside the commands,
so that ``--help`` answers at once.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import typer

from agents.terminal import feeds, hunting, memory, operating, setup, specialist, training
from agents.terminal.output import Home
from framework.errors import DealhoundError, SettingsError

ROOT = Path(__file__).resolve().parent

app = typer.Typer(
    name="dealhound",
    help="Watches deal feeds, works out what things are really worth, and tells you only of real bargains.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
checkout = typer.Typer()


@app.command()
def run(home: Home = None) -> None:
    """The daemon: scheduled hunts, messages, dashboard and health, until it is told to stop."""
    import logging

    import scheduler

    status = scheduler.main(home)
    # All is closed and recorded. What the interpreter would do now (wait for idle threads, take models and databases
    # apart) has taken up to half a minute on a busy machine, which a service manager answers with a kill.
    logging.shutdown()
    sys.stdout.flush()
    os._exit(status)


@checkout.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def test(context: typer.Context) -> None:
    """Run the tests; further arguments go to pytest."""
    raise typer.Exit(subprocess.call([sys.executable, "-m", "pytest", *context.args], cwd=ROOT))


@checkout.command()
def check() -> None:
    """Lint, formatting, types and import directions."""
    commands = (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"], ["lint-imports"])
    programs = Path(sys.executable).parent
    failed = [name for name, *arguments in commands if subprocess.call([programs / name, *arguments], cwd=ROOT)]
    if failed:
        raise typer.Exit(1)


for part in (hunting.app, training.app, setup.app, operating.app, checkout):
    app.add_typer(part)
for name, group in {
    "feeds": feeds.feeds_app,
    "memory": memory.memory_app,
    "train": training.train_app,
    "catalogue": specialist.catalogue_app,
    "specialist": specialist.specialist_app,
    "notify": operating.notify_app,
    "tokens": operating.tokens_app,
    "feedback": memory.feedback_app,
    "data": training.data_app,
}.items():
    app.add_typer(group, name=name)


def main() -> None:
    """Run a command; what it raises becomes a sentence on stderr and an exit status."""
    try:
        app(prog_name="dealhound")  # its own name, not cli.py: for help texts and shell completion
    except SettingsError as error:
        typer.echo(f"dealhound: {error}", err=True)
        sys.exit(2)
    except DealhoundError as error:
        typer.echo(f"dealhound: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:  # the reader of our output, such as `head`, has enough
        sys.exit(1)


if __name__ == "__main__":
    main()
