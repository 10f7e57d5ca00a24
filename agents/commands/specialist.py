"""``specialist deploy`` and ``specialist export``, and the training of the large specialist."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from agents.assemble import Hound
from framework.errors import EstimatorUnavailable, SettingsError, TrainingError
from framework.settings import Settings

if TYPE_CHECKING:
    from models.train.gguf.quantize import Quantization

APP = Path(__file__).resolve().parents[2] / "models" / "modal_app.py"
IDLE_SECONDS = 300  # that an idle container on Modal goes on running
# US dollars an hour by Modal's price list of 2025, to give an idea; https://modal.com/pricing has today's.
HOURLY = {"T4": 0.59, "L4": 0.80, "A10": 1.10, "L40S": 1.95, "A100-40GB": 2.10, "A100-80GB": 2.50, "H100": 3.95}

Run = Callable[[Sequence[str], dict[str, str]], int]


def train_qlora(
    hound: Hound,
    data: Path,
    out: Path | None,
    base: str | None,
    config: Path | None,
    overrides: Sequence[str],
    resume: bool,
) -> dict[str, Any]:
    """Fine-tune an adapter. Raises ``SettingsError`` without the ``large`` extra or without a base."""
    if base is None:
        raise SettingsError("--method qlora needs --base, such as --base meta-llama/Llama-3.2-3B")
    with needs_extra("large"):
        from models.train.qlora.settings import read_settings
        from models.train.qlora.training import train_qlora as train
    folder = out or hound.specialists.adapter
    log = structlog.get_logger("dealhound").bind(agent="specialist")
    manifest = train(
        data,
        folder,
        base,
        read_settings(config, overrides),
        work=hound.settings.state / "training" / "qlora",
        resume=resume,
        token=hub_token(hound.settings),
        on_progress=lambda report: log.info("training", **report),
    )
    return {"folder": str(folder), **manifest.model_dump(mode="json")}


def export(
    hound: Hound, adapter: Path | None, out: Path | None, quantization: Quantization | None, llama_cpp: Path | None
) -> dict[str, Any]:
    """Merge the adapter into its base; as a GGUF file where a ``quantization`` is given, else as a folder."""
    started = time.perf_counter()
    source = adapter or hound.specialists.adapter
    with needs_extra("large"):
        from models.train.qlora.merge import merge_adapter
    if quantization is None:
        folder = out or hound.own_models / "specialist-merged"
        merge_adapter(source, folder, token=hub_token(hound.settings))
        return {"folder": str(folder), "seconds": round(time.perf_counter() - started, 1)}
    from models.train.gguf.export import export_gguf

    file = out or hound.specialists.gguf
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".export-") as work:
        merged = Path(work) / "merged"
        merge_adapter(source, merged, token=hub_token(hound.settings))
        export_gguf(merged, file, quantization, llama_cpp=llama_cpp)
    size, seconds = file.stat().st_size, round(time.perf_counter() - started, 1)
    return {"file": str(file), "bytes": size, "quantization": quantization, "seconds": seconds}


def deploy(hound: Hound, agreed: Callable[[str], bool], run: Run | None = None) -> dict[str, Any]:
    """Put the specialist's app on Modal. ``agreed`` is asked first, with what it will cost.

    Raises ``SettingsError`` without a token, ``EstimatorUnavailable`` when Modal does not take the app.
    """
    settings = hound.settings
    if settings.modal_token is None and not _stored_token():
        raise SettingsError(
            "Modal needs a token: make one on modal.com (Settings, API tokens), then set MODAL_TOKEN_ID and "
            "MODAL_TOKEN_SECRET"
        )
    if not agreed(cost_note(settings)):
        raise TrainingError("Nothing was deployed: it was not agreed to")
    status = (run or _run)([sys.executable, "-m", "modal", "deploy", str(APP)], deploy_environment(hound))
    if status != 0:
        raise EstimatorUnavailable("specialist", "Modal did not take the app (its own words are above)")
    return {
        "app": settings.modal_app,
        "gpu": settings.modal_gpu,
        "model": settings.modal_adapter or settings.modal_base,
    }


def deploy_environment(hound: Hound) -> dict[str, str]:
    """What the app is told of the settings: the names are those in ``models/modal_app.py``."""
    settings = hound.settings
    wanted = {
        "SPECIALIST_APP": settings.modal_app,
        "SPECIALIST_BASE": settings.modal_base,
        "SPECIALIST_ADAPTER": settings.modal_adapter,
        "SPECIALIST_GPU": settings.modal_gpu,
        "SPECIALIST_IDLE_SECONDS": str(IDLE_SECONDS),
        "SPECIALIST_MAX_TOKENS": _max_tokens(hound.specialists.adapter),
        "HF_TOKEN": hub_token(settings),
    }
    if settings.modal_token is not None:
        wanted["MODAL_TOKEN_ID"], wanted["MODAL_TOKEN_SECRET"] = settings.modal_token
    return {name: value for name, value in wanted.items() if value}


def cost_note(settings: Settings) -> str:
    """What the app costs, in words."""
    hourly = HOURLY.get(settings.modal_gpu)
    rate = f"about ${hourly:.2f} an hour" if hourly else "what modal.com/pricing says"
    note = (
        f"Modal charges {rate} for a {settings.modal_gpu} while it works and for {IDLE_SECONDS // 60} minutes after; "
        "nothing while there is no container."
    )
    if settings.modal_keep_warm and hourly:
        start, end = (hour.hour + hour.minute / 60 for hour in settings.modal_keep_warm)
        hours = (end - start) % 24 or 24
        note += f" Kept warm for {hours:g} hours a day (modal_keep_warm): about ${hours * hourly:.2f} a day."
    return note


def hub_token(settings: Settings) -> str | None:
    """The Hugging Face token, where one is set."""
    return settings.hf_token.get_secret_value() if settings.hf_token else None


@contextmanager
def needs_extra(extra: str) -> Iterator[None]:
    """A missing library as a ``SettingsError`` that names the extra to install."""
    try:
        yield
    except ImportError as error:
        raise SettingsError(f"This needs {error.name}: run ./dealhound setup {extra}") from error


def _max_tokens(adapter: Path) -> str | None:
    """How much of a description the owner's own adapter was trained to read."""
    from models.train.qlora.manifest import MANIFEST, AdapterManifest

    return str(AdapterManifest.read(adapter).max_tokens) if (adapter / MANIFEST).is_file() else None


def _stored_token() -> bool:
    """Whether ``modal token set`` stored one."""
    from modal.config import config

    return bool(config.get("token_id") and config.get("token_secret"))


def _run(command: Sequence[str], environment: dict[str, str]) -> int:
    return subprocess.call(command, env={**os.environ, **environment}, stdout=sys.stderr)  # noqa: S603 - fixed words
