"""The settings of a QLoRA fine-tuning, with defaults for a base of about 3 billion parameters on one 16 to 24 GB GPU.

The method is that of Dettmers and others, "QLoRA: Efficient Finetuning of Quantized LLMs" (2023): the base frozen in
4-bit NormalFloat with doubly quantized constants, low-rank adapters trained in 16 or 32 bits on top.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from framework.errors import SettingsError

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
FEED_FORWARD = ("gate_proj", "up_proj", "down_proj")


class QloraSettings(BaseModel):
    """Each field can be set in the file given by ``--config``, or by ``--set name=value``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    r: int = Field(32, ge=1, le=1024, description="rank of the adapters")
    alpha: int = Field(64, ge=1, description="scale of the adapters; they count alpha / r")
    dropout: float = Field(0.1, ge=0, lt=1, description="dropout before the adapters")
    target_modules: tuple[str, ...] = Field(
        (*ATTENTION, *FEED_FORWARD), min_length=1, description="the linear layers that get an adapter"
    )
    bits: Literal[4, 8, 16] = Field(4, description="bits of the frozen base on a GPU; on a CPU it is always 32")
    double_quant: bool = Field(True, description="quantize the quantization constants too (4 bits)")

    max_tokens: int = Field(180, ge=16, le=448, description="tokens of a description; what is longer is cut")
    epochs: float = Field(1.0, gt=0, description="passes over the products")
    max_steps: int = Field(-1, ge=-1, description="end after so many steps; -1: by epochs")
    batch: int = Field(8, ge=1, description="products at once on the device")
    accumulate: int = Field(4, ge=1, description="batches to a step")
    learning_rate: float = Field(1e-4, gt=0, description="highest learning rate")
    schedule: Literal["cosine", "linear", "constant", "constant_with_warmup"] = Field(
        "cosine", description="how the learning rate goes on"
    )
    warmup: float = Field(0.03, ge=0, lt=1, description="share of the steps in which the learning rate rises")
    weight_decay: float = Field(0.001, ge=0)
    max_grad_norm: float = Field(0.3, gt=0)
    optimizer: str = Field("auto", description="auto: paged_adamw_32bit on a GPU, adamw_torch on a CPU")
    gradient_checkpointing: bool = Field(True, description="less memory for a third more time (on a GPU)")
    seed: int = 0

    save_steps: int = Field(500, ge=1, description="steps between two checkpoints (and evaluations of the loss)")
    keep: int = Field(3, ge=1, description="checkpoints that are kept")
    log_steps: int = Field(10, ge=1)
    track: Literal["none", "wandb", "tensorboard"] = Field("none", description="where the curves go")
    run_name: str | None = None
    push_to: str | None = Field(None, description="Hugging Face repository (private) that gets every checkpoint")
    dev_limit: int = Field(500, ge=8, description="products that the result is measured on")


def read_settings(config: Path | None, overrides: Sequence[str], **defaults: Any) -> QloraSettings:
    """``defaults``, then the TOML file ``config``, then ``name=value`` texts; the later win.

    Raises ``SettingsError`` that names what does not fit.
    """
    values: dict[str, Any] = dict(defaults)
    if config is not None:
        try:
            values |= tomllib.loads(config.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(f"{config} cannot be read as TOML: {error}") from error
    for override in overrides:
        name, is_pair, value = override.partition("=")
        if not is_pair:
            raise SettingsError(f"--set needs name=value, not {override!r}")
        values[name.strip()] = _value(value.strip())
    try:
        return QloraSettings(**values)
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in fault["loc"])
        raise SettingsError(f"QLoRA setting {name}: {fault['msg']}; docs/training.md lists them") from error


def _value(text: str) -> Any:
    """``0.1``, ``true`` and ``["q_proj"]`` as what they mean, anything else as text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
