"""Fine-tunes a base model by QLoRA: ``./dealhound train specialist --method qlora --base NAME``.

trl's trainer does the work. The loss falls on the completion alone, which is the price and the end of the text. Every
checkpoint can be gone on from, and goes to the Hugging Face hub where a repository is set.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import structlog
from peft import LoraConfig
from transformers import PrinterCallback, TrainerCallback
from transformers.trainer_utils import get_last_checkpoint
from trl import SFTConfig, SFTTrainer

from framework.errors import SettingsError, TrainingError
from models.data.hub import Hub
from models.data.products import Product, file_sha256
from models.train.qlora.base import half_type, load_base, load_tokenizer, on_gpu
from models.train.qlora.evaluation import measure
from models.train.qlora.examples import as_dataset, load_splits
from models.train.qlora.manifest import AdapterManifest
from models.train.qlora.pricer import TransformersPricer
from models.train.qlora.settings import QloraSettings

_log = structlog.get_logger(__name__)
QUESTION_TOKENS = 64  # more than the question and the price around a description take

Progress = Callable[[dict[str, float]], None]


def train_qlora(
    data: Path,
    out: Path,
    base: str,
    settings: QloraSettings,
    *,
    work: Path,
    resume: bool = False,
    token: str | None = None,
    on_progress: Progress = lambda report: None,
) -> AdapterManifest:
    """Train an adapter for ``base``, write it to ``out``, and measure it on the ``dev`` products.

    Checkpoints are kept in ``work``; ``resume`` goes on from the last. ``token`` is the hub's. Raises
    ``TrainingError`` for a base or data that cannot be used, ``SettingsError`` for a tracker that is not installed,
    ``HubError`` where the hub does not take the adapter (which is in ``out`` then).
    """
    _require_tracker(settings.track)
    checkpoint = _checkpoint(work, resume)
    hub = Hub(token)
    if settings.push_to:
        hub.make(settings.push_to, private=True, kind="model")  # what cannot be pushed is found out before the work
    train, dev = load_splits(data)
    tokenizer, prices = load_tokenizer(base, token)
    _log.info("training", base=base, train=len(train), dev=len(dev), gpu=on_gpu(), resume=checkpoint or "no")
    trainer = _trainer(base, settings, tokenizer, train, dev[: settings.dev_limit], work, token, on_progress)
    trainer.train(resume_from_checkpoint=checkpoint)
    out.mkdir(parents=True, exist_ok=True)
    trainer.save_model(str(out))
    pricer = TransformersPricer(trainer.model, tokenizer, prices, max_tokens=settings.max_tokens)
    manifest = AdapterManifest(
        base=base,
        created=datetime.now(UTC).date(),
        data_sha256=file_sha256(data),
        products=len(train),
        max_tokens=settings.max_tokens,
        settings=settings.model_dump(mode="json"),
        metrics=measure(pricer, dev[: settings.dev_limit], train),
        versions={name: version(name) for name in ("torch", "transformers", "peft", "trl", "bitsandbytes")},
    )
    manifest.write(out)
    if settings.push_to:
        hub.push(out, settings.push_to, ["*"], private=True, message="The finished adapter", kind="model")
    return manifest


def _trainer(
    base: str,
    settings: QloraSettings,
    tokenizer: Any,
    train: Sequence[Product],
    dev: Sequence[Product],
    work: Path,
    token: str | None,
    on_progress: Progress,
) -> SFTTrainer:
    trainer = SFTTrainer(
        model=load_base(base, settings, token),
        args=_arguments(settings, work, token),
        train_dataset=as_dataset(train, tokenizer, settings.max_tokens),
        eval_dataset=as_dataset(dev, tokenizer, settings.max_tokens),
        processing_class=tokenizer,
        peft_config=LoraConfig(
            r=settings.r,
            lora_alpha=settings.alpha,
            lora_dropout=settings.dropout,
            target_modules=list(settings.target_modules),
            task_type="CAUSAL_LM",
        ),
        callbacks=[_Report(on_progress)],
    )
    trainer.remove_callback(PrinterCallback)  # it prints to stdout, where our JSON goes
    return trainer


def _arguments(settings: QloraSettings, work: Path, token: str | None) -> SFTConfig:
    gpu = on_gpu()
    half = str(half_type()) if gpu else ""
    optimizer = ("paged_adamw_32bit" if gpu else "adamw_torch") if settings.optimizer == "auto" else settings.optimizer
    return SFTConfig(
        output_dir=str(work),
        completion_only_loss=True,
        max_length=settings.max_tokens + QUESTION_TOKENS,
        num_train_epochs=settings.epochs,
        max_steps=settings.max_steps,
        per_device_train_batch_size=settings.batch,
        per_device_eval_batch_size=settings.batch,
        gradient_accumulation_steps=settings.accumulate,
        activation_checkpointing=settings.gradient_checkpointing and gpu,
        train_sampling_strategy="group_by_length",
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.schedule,
        warmup_steps=settings.warmup,
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        optim=optimizer,
        use_cpu=not gpu,
        bf16=half == "torch.bfloat16",
        fp16=half == "torch.float16",
        dataloader_pin_memory=gpu,
        seed=settings.seed,
        logging_steps=settings.log_steps,
        eval_strategy="steps",
        eval_steps=settings.save_steps,
        save_steps=settings.save_steps,
        save_total_limit=settings.keep,
        report_to=settings.track,
        run_name=settings.run_name,
        push_to_hub=settings.push_to is not None,
        hub_model_id=settings.push_to,
        hub_strategy="every_save",
        hub_private_repo=True,
        hub_token=token,
        disable_tqdm=True,
    )


class _Report(TrainerCallback):
    """Hands the trainer's log lines on."""

    def __init__(self, on_progress: Progress) -> None:
        self._on_progress = on_progress

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        numbers = {name: value for name, value in (logs or {}).items() if isinstance(value, int | float)}
        self._on_progress({"step": state.global_step, "steps": state.max_steps, **numbers})


def _checkpoint(work: Path, resume: bool) -> str | None:
    """The checkpoint to go on from. Raises ``TrainingError`` when it is not clear what is wanted."""
    last: str | None = get_last_checkpoint(str(work)) if work.is_dir() else None
    if resume and last is None:
        raise TrainingError(f"There is no checkpoint in {work} to go on from; train without --resume")
    if last and not resume:
        raise TrainingError(f"{work} holds checkpoints of an earlier training: add --resume, or remove that folder")
    return last


def _require_tracker(track: str) -> None:
    if track != "none" and importlib.util.find_spec(track) is None:
        raise SettingsError(f"track = {track!r} needs the package {track}: .venv/bin/pip install {track}")
