"""``evaluate``, ``data`` and ``train``: from raw products to measured models."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from agents.terminal.output import Home, Json, agreed, fields, hound, show_object
from framework.errors import SettingsError

app = typer.Typer()
data_app = typer.Typer(help="Training data from raw products: curated, reported, shared.", no_args_is_help=True)
train_app = typer.Typer(help="(Re)build the models from a JSONL of priced products.", no_args_is_help=True)


@app.command()
def evaluate(
    data: Annotated[Path | None, typer.Option("--data", exists=True, dir_okay=False)] = None,
    models: Annotated[list[str] | None, typer.Option("--models", help="Members to compare; default all.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Use at most so many products.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write the report with plots here.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before calls that cost money.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Accuracy, calibration and alert precision on priced products."""
    from agents.commands import text, training

    with hound(home, log_level="warning") as assembled:
        # A script that has no one to ask is told the cost and goes on: it called for just this.
        ask = sys.stdin.isatty() and not yes
        report = training.evaluate(assembled, data, models or [], limit, html, lambda cost: agreed(cost, not ask))
        show_object(report, as_json, text.evaluation)


Data = Annotated[Path, typer.Option("--data", exists=True, dir_okay=False, help="Priced products, JSONL or JSONL.gz.")]
CuratedFolder = Annotated[Path, typer.Argument(exists=True, file_okay=False, help="What data build made.")]


@data_app.command("build")
def data_build(
    category: Annotated[
        list[str] | None, typer.Option("--category", help="A category of Amazon Reviews 2023, such as Appliances.")
    ] = None,
    file: Annotated[
        list[Path] | None, typer.Option("--file", exists=True, dir_okay=False, help="JSONL, CSV or Parquet.")
    ] = None,
    rehearsal: Annotated[int | None, typer.Option(min=1, help="So many made-up products; needs no network.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the result; default in the state folder.")] = None,
    size: Annotated[int | None, typer.Option(min=1, help="Products to draw; default half of what is clean.")] = None,
    prices: Annotated[tuple[float, float] | None, typer.Option(help="Least and most price in US dollars.")] = None,
    tokens: Annotated[tuple[int, int] | None, typer.Option(help="Least and most tokens of a text.")] = None,
    tokenizer: Annotated[
        str | None, typer.Option(help="A tokenizer.json, or a model on the hub; default the shipped WordPiece.")
    ] = None,
    strength: Annotated[float | None, typer.Option(help="Of the balance: 0 as found, 1 even; default 0.75.")] = None,
    similar: Annotated[float | None, typer.Option(help="Likeness of near duplicates; default 0.8.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; default one per core.")] = None,
    seed: int = 0,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Curate products into training data; stopped, the same command goes on from there."""
    from agents.commands import curation

    with hound(home) as assembled:
        built = curation.build(
            assembled,
            out,
            categories=category or [],
            files=file or [],
            rehearsal=rehearsal,
            tokenizer=tokenizer,
            workers=workers,
            size=size,
            prices=prices,
            tokens=tokens,
            strength=strength,
            similar=similar,
            seed=seed,
        )
        show_object(built, as_json, curation.text)


@data_app.command("push")
def data_push(
    folder: CuratedFolder,
    repository: Annotated[str, typer.Argument(metavar="OWNER/NAME")],
    public: Annotated[bool, typer.Option("--public", help="Let everyone see it; mind whose the texts are.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Put curated data on the Hugging Face hub (HF_TOKEN)."""
    from agents.commands import curation

    with hound(home) as assembled:
        pushed = curation.push(assembled, folder, repository, public)
        show_object(pushed, as_json, lambda row: f"Pushed to {row['address']}")


@data_app.command("pull")
def data_pull(
    repository: Annotated[str, typer.Argument(metavar="OWNER/NAME")],
    folder: Annotated[Path | None, typer.Argument(file_okay=False)] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Fetch curated data from the Hugging Face hub."""
    from agents.commands import curation

    with hound(home) as assembled:
        show_object(curation.pull(assembled, repository, folder), as_json, curation.text)


@data_app.command("report")
def data_report(folder: CuratedFolder, as_json: Json = False) -> None:
    """What a curation left out and why, and both skews before and after; writes the page with plots anew."""
    from agents.commands import curation

    show_object(curation.report(folder), as_json, curation.text)


@train_app.command("specialist")
def train_specialist(
    data: Data,
    size: Annotated[Literal["tiny", "cpu", "gpu"], typer.Option(help="How much to train.")] = "cpu",
    seed: int = 0,
    resume: Annotated[bool, typer.Option(help="Go on from the last checkpoint.")] = False,
    warm: Annotated[bool, typer.Option(help="Start from the shipped specialist.")] = False,
    method: Annotated[
        Literal["bundled", "qlora"], typer.Option(help="The bundled network, or an adapter for a large base.")
    ] = "bundled",
    base: Annotated[str | None, typer.Option(help="qlora: the base model, a folder or a name on the hub.")] = None,
    config: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="qlora: settings, a TOML file.")
    ] = None,
    setting: Annotated[list[str] | None, typer.Option("--set", help="qlora: one setting, name=value.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the artifacts; default your own, in the state folder.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Fine-tune a specialist (needs ./dealhound setup train, with --method qlora setup large)."""
    from agents.commands import specialist, training

    with hound(home) as assembled:
        if method == "qlora":
            result = specialist.train_qlora(assembled, data, out, base, config, setting or [], resume)
        else:
            result = training.train_specialist(assembled, data, out, size, seed, resume, warm)
        show_object(result, as_json, fields)


@train_app.command("forest")
def train_forest(
    data: Data,
    seed: int = 0,
    out: Annotated[Path | None, typer.Option(help="As above.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Train the random forest on embeddings (needs ./dealhound setup train)."""
    from agents.commands import training

    with hound(home) as assembled:
        show_object(training.train_forest(assembled, data, out, seed), as_json, fields)


@train_app.command("frontier")
def train_frontier(
    data: Annotated[
        Path | None, typer.Option("--data", exists=True, dir_okay=False, help="Priced products, or conversations.")
    ] = None,
    base: Annotated[str | None, typer.Option(help="The model to fine-tune; default gpt-4o-mini.")] = None,
    limit: Annotated[int, typer.Option(min=10, help="Use at most so many examples.")] = 500,
    epochs: Annotated[int, typer.Option(min=1, max=50)] = 1,
    suffix: Annotated[str, typer.Option(help="Part of the new model's name.")] = "dealhound",
    wandb: Annotated[str | None, typer.Option(metavar="PROJECT", help="Log to this Weights & Biases project.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it costs money.")] = False,
    resume: Annotated[bool, typer.Option(help="Follow a job again: --job, else the last one.")] = False,
    cancel: Annotated[bool, typer.Option(help="Stop a job: --job, else the last one.")] = False,
    undo: Annotated[bool, typer.Option(help="Set the model back to what it was before.")] = False,
    job: Annotated[str | None, typer.Option(help="A job by its id (ftjob-...).")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Fine-tune a chat model on prices at OpenAI and price with it (OPENAI_API_KEY); it costs money."""
    from agents.commands import tuning

    if (data is not None) + resume + cancel + undo != 1:
        raise SettingsError("Give one of --data, --resume, --cancel, --undo")

    def tell(line: str) -> None:
        typer.echo(line, err=True)

    with hound(home, log_level="warning") as assembled:
        if undo:
            result = tuning.undo(assembled)
        elif cancel:
            result = tuning.cancel(assembled, job)
        elif data is None:
            result = tuning.resume(assembled, job, tell)
        else:
            wishes = tuning.Wishes(base or tuning.DEFAULT_BASE, limit, epochs, suffix, wandb)
            result = tuning.tune(assembled, data, wishes, lambda cost: agreed(cost, yes), tell)
        show_object(result, as_json, fields)


@train_app.command("blender")
def train_blender(
    data: Data,
    limit: Annotated[int | None, typer.Option(min=50, help="Use at most so many priced items.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before calls that cost money.")] = False,
    out: Annotated[Path | None, typer.Option(help="As above.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Refit the blender and its ranges to the members that you have set up."""
    from agents.commands import training

    with hound(home) as assembled:
        result = training.train_blender(assembled, data, out, limit, lambda cost: agreed(cost, yes))
        show_object(result, as_json, fields)


@train_app.command("rehearse")
def train_rehearse(
    data: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Default: made-up products.")] = None,
    limit: Annotated[int, typer.Option(min=50, help="Train on so many products.")] = 400,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """The large specialist's whole way on a tiny model, offline (needs ./dealhound setup large local)."""
    from agents.commands import rehearsal

    with hound(home) as assembled:
        show_object(rehearsal.rehearse(assembled, data, limit), as_json, fields)
