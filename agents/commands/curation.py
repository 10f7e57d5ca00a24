"""``data build, push, pull, report``: training data from raw products."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import structlog

from agents.assemble import Hound
from framework.errors import SettingsError
from models.data.curate import card, sources
from models.data.curate import report as reports
from models.data.curate.amazon import amazon
from models.data.curate.build import Progress
from models.data.curate.build import build as curate
from models.data.curate.plan import Plan
from models.data.curate.window import SHIPPED
from models.data.hub import Hub

_SECONDS_BETWEEN_LINES = 5.0


def build(
    hound: Hound,
    out: Path | None,
    *,
    categories: Sequence[str] = (),
    files: Sequence[Path] = (),
    rehearsal: int | None = None,
    tokenizer: str | None = None,
    workers: int | None = None,
    **choices: Any,
) -> dict[str, Any]:
    """Curate the sources named; ``choices`` are those of ``Plan`` (``None``: its default). Returns the report.

    Raises ``SettingsError`` when no source is named or a choice cannot work.
    """
    hub = _hub(hound)
    named = [amazon(hub, category) for category in categories]
    named += [sources.files(files)] if files else []
    named += [sources.rehearsal(rehearsal)] if rehearsal else []
    if not named:
        raise SettingsError("Name a source: --category (Amazon Reviews 2023), --file, or --rehearsal")
    plan = Plan(tokenizer=_tokenizer(hub, tokenizer), **{k: v for k, v in choices.items() if v is not None})
    folder = out or hound.settings.state / "curated"
    report = curate(
        sources.joined(named),
        plan,
        folder,
        workers=workers or os.cpu_count() or 1,
        on_progress=_now_and_then(structlog.get_logger("dealhound")),
    )
    return {"folder": str(folder), **report}


def push(hound: Hound, folder: Path, repository: str, public: bool) -> dict[str, Any]:
    """Put a curated folder on the hub, for the owner's eyes unless ``public``."""
    return {"address": card.push(_hub(hound), folder, repository, private=not public)}


def pull(hound: Hound, repository: str, folder: Path | None) -> dict[str, Any]:
    """Fetch a curated folder from the hub."""
    into = folder or hound.settings.state / "curated"
    return {"folder": str(into), **card.pull(_hub(hound), repository, into)}


def report(folder: Path) -> dict[str, Any]:
    """The report of a curated folder; its page is written anew."""
    found = reports.read_report(folder)
    (folder / reports.PAGE).write_text(reports.html_report(found), encoding="utf-8")
    return {"folder": str(folder), **found}


def text(row: dict[str, Any]) -> str:
    """A report for people, with where to look on."""
    return f"{reports.text_report(row)}\nPlots: {Path(row['folder']) / reports.PAGE}"


def _hub(hound: Hound) -> Hub:
    token = hound.settings.hf_token
    return Hub(token.get_secret_value() if token else None)


def _tokenizer(hub: Hub, name: str | None) -> Path:
    """The ``tokenizer.json`` meant by a path or by the name of a model on the hub."""
    if name is None:
        return SHIPPED
    path = Path(name).expanduser()
    if path.suffix == ".json" or path.exists():
        return path / "tokenizer.json" if path.is_dir() else path
    return hub.fetch(name, "tokenizer.json", kind="model")


def _now_and_then(log: Any) -> Callable[[Progress], None]:
    last = time.monotonic()

    def tell(progress: Progress) -> None:
        nonlocal last
        if time.monotonic() - last >= _SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            log.info("reading", records=progress.records, per_second=round(progress.rate))

    return tell
