"""Dealhound's command line: parses arguments, calls ``agents.commands`` and prints what it returns.

Data goes to stdout (with ``--json`` one object, or one JSON line per item, and nothing else), logs to stderr. Exit
status: 0 done, 1 it ran and failed, 2 unusable arguments or settings. Everything heavy is imported inside the commands,
so that ``--help`` answers at once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from framework.errors import DealhoundError, SettingsError

if TYPE_CHECKING:
    from agents.assemble import Hound

ROOT = Path(__file__).resolve().parent

app = typer.Typer(
    name="dealhound",
    help="Watches deal feeds, works out what things are really worth, and tells you only of real bargains.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
feeds_app = typer.Typer(help="Feeds and their health.", no_args_is_help=True)
memory_app = typer.Typer(help="What was surfaced so far.", no_args_is_help=True)
train_app = typer.Typer(help="(Re)build the models from a JSONL of priced products.", no_args_is_help=True)
catalogue_app = typer.Typer(
    help="The products with known prices that estimates are compared with.", no_args_is_help=True
)
specialist_app = typer.Typer(help="The large specialist: as a file, or on Modal.", no_args_is_help=True)
notify_app = typer.Typer(help="Notifications.", no_args_is_help=True)
tokens_app = typer.Typer(
    help="Tokens of programs that use the API of a dashboard with a password.", no_args_is_help=True
)
feedback_app = typer.Typer(help="Your word on opportunities, and what is learnt from it.", no_args_is_help=True)
data_app = typer.Typer(help="Training data from raw products: curated, reported, shared.", no_args_is_help=True)
for name, group in {
    "feeds": feeds_app,
    "memory": memory_app,
    "train": train_app,
    "catalogue": catalogue_app,
    "specialist": specialist_app,
    "notify": notify_app,
    "tokens": tokens_app,
    "feedback": feedback_app,
    "data": data_app,
}.items():
    app.add_typer(group, name=name)

Json = Annotated[bool, typer.Option("--json", help="Print JSON lines.")]
Home = Annotated[
    Path | None, typer.Option("--home", help="Folder of all state (default: DEALHOUND_HOME or the checkout).")
]
Data = Annotated[Path, typer.Option("--data", exists=True, dir_okay=False, help="Priced products, JSONL or JSONL.gz.")]
JsonlFile = Annotated[Path | None, typer.Option("--file", exists=True, dir_okay=False, help="JSON lines.")]
Sources = Annotated[list[str], typer.Argument(help="URLs or files.")]


@contextmanager
def hound(home: Path | None = None, *, log_level: str | None = None, **overrides: Any) -> Iterator[Hound]:
    """The assembled set for one command, closed after it."""
    from agents.assemble import Hound
    from framework.log import configure_logging
    from framework.settings import load_settings

    settings = load_settings(home, **overrides)
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


# --- hunting ----------------------------------------------------------------------------------------------------------


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


# --- feeds ------------------------------------------------------------------------------------------------------------


@feeds_app.command("list")
def feeds_list(home: Home = None, as_json: Json = False) -> None:
    """The feeds that are followed."""
    from agents.commands import feeds, text

    with hound(home) as assembled:
        show(feeds.listing(assembled), as_json, text.feed_line, "No feeds yet. Add one: ./dealhound feeds add URL")


@feeds_app.command("add")
def feeds_add(
    url: str, title: Annotated[str | None, typer.Option()] = None, home: Home = None, as_json: Json = False
) -> None:
    """Follow a feed."""
    from agents.commands import feeds, text

    with hound(home) as assembled:
        show([feeds.add(assembled, url, title)], as_json, text.feed_line)


@feeds_app.command("remove")
def feeds_remove(url: str, home: Home = None, as_json: Json = False) -> None:
    """Stop following a feed; what was seen stays known."""
    from agents.commands import feeds, text

    with hound(home) as assembled:
        show([feeds.remove(assembled, url)], as_json, text.feed_line)


@feeds_app.command("check")
def feeds_check(
    urls: Annotated[list[str] | None, typer.Argument(help="Feeds to check; default all.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Fetch feeds now and explain what is seen; nothing is remembered."""
    from agents.commands import feeds, text

    with hound(home) as assembled:
        show(feeds.check(assembled, urls or []), as_json, text.feed_line, "No feeds to check.")


@feeds_app.command("import")
def feeds_import(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)], home: Home = None, as_json: Json = False
) -> None:
    """Add the feeds of an OPML file."""
    from agents.commands import feeds, text

    with hound(home) as assembled:
        show(feeds.import_opml(assembled, file), as_json, text.feed_line, "The file names no feed.")


@feeds_app.command("export")
def feeds_export(file: Annotated[Path | None, typer.Argument(dir_okay=False)] = None, home: Home = None) -> None:
    """Write the feeds as OPML, to FILE or to stdout."""
    from agents.commands import feeds

    with hound(home) as assembled:
        opml = feeds.export_opml(assembled)
    if file is None:
        typer.echo(opml)
    else:
        file.write_text(opml, encoding="utf-8")


# --- memory -----------------------------------------------------------------------------------------------------------


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


# --- feedback ---------------------------------------------------------------------------------------------------------


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


# --- models -----------------------------------------------------------------------------------------------------------


@app.command()
def evaluate(
    data: Annotated[Path | None, typer.Option("--data", exists=True, dir_okay=False)] = None,
    models: Annotated[list[str] | None, typer.Option("--models", help="Members to compare; default all.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Use at most so many products.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write the report with plots here.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Accuracy, calibration and alert precision on priced products."""
    from agents.commands import text, training

    with hound(home, log_level="warning") as assembled:
        report = training.evaluate(assembled, data, models or [], limit, html)
        show_object(report, as_json, text.evaluation)


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


def _trained(row: dict[str, Any]) -> str:
    return "\n".join(f"{key}: {value}" for key, value in row.items())


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
        show_object(result, as_json, _trained)


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
        show_object(training.train_forest(assembled, data, out, seed), as_json, _trained)


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
            result = tuning.tune(assembled, data, wishes, lambda cost: yes or typer.confirm(cost, err=True), tell)
        show_object(result, as_json, _trained)


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
        result = training.train_blender(assembled, data, out, limit, lambda cost: yes or typer.confirm(cost, err=True))
        show_object(result, as_json, _trained)


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
        show_object(rehearsal.rehearse(assembled, data, limit), as_json, _trained)


@specialist_app.command("export")
def specialist_export(
    gguf: Annotated[bool, typer.Option("--gguf", help="As one GGUF file for llama.cpp, not as a folder.")] = False,
    quantization: Annotated[
        Literal["f32", "f16", "q8_0", "q5_k_m", "q4_k_m"], typer.Option(help="How small the file gets.")
    ] = "q4_k_m",
    adapter: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Default: the one trained.")
    ] = None,
    llama_cpp: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Convert with this llama.cpp source tree.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Default: your own models, in the state folder.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Merge the fine-tuned adapter into its base (needs ./dealhound setup large, with --gguf also local)."""
    from agents.commands import specialist

    with hound(home) as assembled:
        result = specialist.export(assembled, adapter, out, quantization if gguf else None, llama_cpp)
        show_object(result, as_json, _trained)


@specialist_app.command("deploy")
def specialist_deploy(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before what costs money.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Put the specialist on Modal, by the settings modal_app, modal_gpu, modal_base and modal_adapter."""
    from agents.commands import specialist

    with hound(home) as assembled:
        result = specialist.deploy(assembled, lambda cost: _agreed(cost, yes))
        show_object(result, as_json, _trained)


def _agreed(cost: str, yes: bool) -> bool:
    typer.echo(cost, err=True)
    return yes or typer.confirm("Go on?", err=True)


@catalogue_app.command("info")
def catalogue_info(home: Home = None, as_json: Json = False) -> None:
    """How many products there are, by category."""
    from agents.commands import catalogue, text

    with hound(home, log_level="warning") as assembled:
        show_object(catalogue.info(assembled), as_json, text.catalogue_info)


@catalogue_app.command("add")
def catalogue_add(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False)], home: Home = None, as_json: Json = False
) -> None:
    """Add priced products from JSONL files (description or title, price; optionally id, category, brand, as_of)."""
    from agents.commands import catalogue, text

    with hound(home) as assembled:
        show_object(catalogue.add(assembled, files), as_json, text.catalogue_info)


@catalogue_app.command("build")
def catalogue_build(home: Home = None, as_json: Json = False) -> None:
    """Rebuild the catalogue from the shipped products alone."""
    from agents.commands import catalogue, text

    with hound(home) as assembled:
        show_object(catalogue.build(assembled), as_json, text.catalogue_info)


# --- operating --------------------------------------------------------------------------------------------------------


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


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def test(context: typer.Context) -> None:
    """Run the tests; further arguments go to pytest."""
    raise typer.Exit(subprocess.call([sys.executable, "-m", "pytest", *context.args], cwd=ROOT))


@app.command()
def check() -> None:
    """Lint, formatting, types and import directions."""
    commands = (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"], ["lint-imports"])
    programs = Path(sys.executable).parent
    failed = [name for name, *arguments in commands if subprocess.call([programs / name, *arguments], cwd=ROOT)]
    if failed:
        raise typer.Exit(1)


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
