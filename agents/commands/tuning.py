"""``train frontier``: a chat model fine-tuned on prices at OpenAI, from data to the owner's settings.

Each step is written into ``state/tuning/order.json`` before the next, so that the same command goes on after any stop
and never pays twice: files that were sent are not sent again, and a job that was started is found again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from agents.assemble import Hound
from framework.chat.openai_tuning import Event, Job, OpenAITuning, Order, TuningService
from framework.errors import ChatUnavailable, SettingsError, TrainingError
from framework.settings_file import change_settings, set_elsewhere
from models.data.products import load_products
from models.train.chat_data import ChatFile, check_chat, write_chat

DEFAULT_BASE = "gpt-4o-mini-2024-07-18"
# US dollars per million training tokens, as OpenAI listed them when this was written.
_PRICES = {
    "gpt-4o-mini-2024-07-18": Decimal("3"),
    "gpt-4o-2024-08-06": Decimal("25"),
    "gpt-4.1-nano-2025-04-14": Decimal("1.50"),
    "gpt-4.1-mini-2025-04-14": Decimal("5"),
    "gpt-4.1-2025-04-14": Decimal("25"),
}
_SETTING = "frontier_model"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the owner wants of a fine-tuning. ``limit`` is the most examples; a tenth of it is used for validation."""

    base: str = DEFAULT_BASE
    limit: int = 500
    epochs: int = 1
    suffix: str | None = "dealhound"
    wandb: str | None = None


def tune(
    hound: Hound, data: Path, wishes: Wishes, agreed: Callable[[str], bool], tell: Callable[[str], None]
) -> dict[str, Any]:
    """Make and check the data, say the cost and ask, start the job, follow it and set its model.

    Raises ``TrainingError`` for data that OpenAI would refuse, without agreement and for a job that failed;
    ``ChatError`` when the server refuses or stays away.
    """
    service = _service(hound)
    training, validation = _files(hound, data, wishes.limit)
    mark = _mark(training.path, validation.path if validation else None, wishes)
    job = service.find(mark)
    if job is None:
        if not agreed(_cost(training, validation, wishes)):
            raise TrainingError("Nothing was sent and nothing is billed: it was not agreed to")
        job = _started(hound, service, training, validation, wishes, mark, tell)
    else:
        tell(f"This very job exists already: {job.id} ({job.status})")
    return _followed(hound, service, job, tell)


def resume(hound: Hound, identity: str | None, tell: Callable[[str], None]) -> dict[str, Any]:
    """Follow a job again, the last one without ``identity``, and set its model."""
    service = _service(hound)
    return _followed(hound, service, service.job(_identity(hound, identity)), tell)


def cancel(hound: Hound, identity: str | None) -> dict[str, Any]:
    """Stop a job, the last one without ``identity``."""
    return asdict(_service(hound).cancel(_identity(hound, identity)))


def undo(hound: Hound) -> dict[str, Any]:
    """Set the model back to what it was before the last fine-tuning."""
    kept = _kept(hound)
    if "before" not in kept:
        raise SettingsError("There is nothing to undo: no fine-tuned model was set")
    before = kept.pop("before")
    change_settings(hound.settings.home, {_SETTING: before}, changeable=(_SETTING,))
    _keep(hound, kept)
    return {_SETTING: before}


def _service(hound: Hound) -> TuningService:
    settings = hound.settings
    if settings.openai_api_key is None:
        raise SettingsError("Fine-tuning needs an OpenAI account: set OPENAI_API_KEY")
    return OpenAITuning(
        settings.openai_api_key.get_secret_value(),
        base_url=settings.llm_base_url,
        timeout=settings.llm_timeout,
        proxy=settings.proxy,
    )


def _files(hound: Hound, data: Path, limit: int) -> tuple[ChatFile, ChatFile | None]:
    """The checked files for training and validation; conversations in ``data`` are taken as they are."""
    if _holds_conversations(data):
        return check_chat(data), None
    folder = _folder(hound)
    products = load_products(data)
    files = []
    for split, most in (("train", limit), ("dev", max(limit // 10, 10))):
        path = folder / f"{split}.jsonl"
        chosen = sorted((p for p in products if p.split == split), key=lambda p: hashlib.sha256(p.id.encode()).digest())
        write_chat(chosen, path, most)
        files.append(path)
    training, validation = files
    return check_chat(training), check_chat(validation) if validation.stat().st_size else None


def _holds_conversations(data: Path) -> bool:
    if data.suffix == ".gz":
        return False
    with data.open(encoding="utf-8", errors="replace") as file:
        return '"messages"' in file.readline(100_000)


def _mark(training: Path, validation: Path | None, wishes: Wishes) -> str:
    """A digest of the order: the same data and wishes give the same."""
    digest = hashlib.sha256(json.dumps(asdict(wishes), sort_keys=True).encode())
    for path in (training, validation):
        digest.update(path.read_bytes() if path else b"none")
    return digest.hexdigest()[:32]


def _cost(training: ChatFile, validation: ChatFile | None, wishes: Wishes) -> str:
    billed = training.tokens * wishes.epochs
    price = _PRICES.get(wishes.base)
    money = f"about ${price * billed / 1_000_000:.2f}" if price else "at a price of this model that is not known here"
    validated = f", {validation.examples:,} to validate" if validation else ""
    return (
        f"Fine-tuning {wishes.base} on {training.examples:,} examples{validated}: about {billed:,} tokens "
        f"({wishes.epochs} epochs), {money}. The texts are sent to OpenAI."
    )


def _started(
    hound: Hound,
    service: TuningService,
    training: ChatFile,
    validation: ChatFile | None,
    wishes: Wishes,
    mark: str,
    tell: Callable[[str], None],
) -> Job:
    kept = _kept(hound)
    if kept.get("mark") != mark:
        kept = {name: kept[name] for name in ("before",) if name in kept} | {"mark": mark}
    for name, file in (("training_file", training), ("validation_file", validation)):
        if file is not None and name not in kept:
            tell(f"Sending {file.path.name}: {file.examples:,} examples, {file.path.stat().st_size:,} bytes")
            kept[name] = service.upload(file.path)
            _keep(hound, kept)
    order = Order(
        wishes.base,
        kept["training_file"],
        mark,
        kept.get("validation_file"),
        wishes.epochs,
        wishes.suffix,
        wishes.wandb,
    )
    try:
        return service.start(order)
    except ChatUnavailable as error:
        raise ChatUnavailable(
            "fine-tuning",
            "It is not known whether the job was started, since the answer was lost; give the same command again, "
            "which finds the job if it was",
        ) from error


def _followed(hound: Hound, service: TuningService, job: Job, tell: Callable[[str], None]) -> dict[str, Any]:
    """Tell the events of a job until it ends, then set its model."""
    _keep(hound, _kept(hound) | {"job": job.id})
    tell(
        f"Job {job.id} goes on at OpenAI whatever happens here. "
        f"To follow it again: train frontier --resume --job {job.id}"
    )
    for said in service.follow(job.id):
        if isinstance(said, Job):
            job = said
        else:
            tell(_line(said))
    if job.model is None or job.status != "succeeded":
        why = f": {job.problem}" if job.problem else ""
        raise TrainingError(f"Job {job.id} ended as {job.status}{why}. The settings are as they were")
    return asdict(job) | {"settings": _set(hound, job.model)}


def _set(hound: Hound, model: str) -> str:
    """Write the model into the owner's settings; returns what to say of it."""
    kept = _kept(hound)
    if fixed := set_elsewhere(hound.settings.home, names=(_SETTING,)):
        return f"{_SETTING} is set by {fixed[_SETTING]}, which wins: set it to {model} there"
    if hound.settings.frontier_model != model:
        _keep(hound, kept | {"before": hound.settings.frontier_model, "model": model})
        change_settings(hound.settings.home, {_SETTING: model}, changeable=(_SETTING,))
    return (
        f'{_SETTING} = "{model}" is in dealhound.toml; a running daemon takes it after a restart. '
        "To undo: train frontier --undo"
    )


def _line(event: Event) -> str:
    at = datetime.fromtimestamp(event.at, UTC).strftime("%H:%M:%S")
    if event.step is not None and event.steps:
        loss = f", loss {event.loss:.3f}" if event.loss is not None else ""
        return f"{at} step {event.step:,} of {event.steps:,} ({event.step / event.steps:.0%}){loss}"
    return f"{at} {event.message}"


def _identity(hound: Hound, identity: str | None) -> str:
    known = identity or _kept(hound).get("job")
    if not known:
        raise SettingsError("No job was started from here; name one by its id (ftjob-...)")
    return str(known)


def _folder(hound: Hound) -> Path:
    folder = hound.settings.state / "tuning"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _kept(hound: Hound) -> dict[str, Any]:
    """What is known of the last order."""
    try:
        kept: dict[str, Any] = json.loads((_folder(hound) / "order.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise TrainingError(f"{_folder(hound) / 'order.json'} is damaged; remove it") from error
    return kept


def _keep(hound: Hound, kept: dict[str, Any]) -> None:
    path = _folder(hound) / "order.json"
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    os.replace(temporary, path)
