"""Loads a base model for training: 4-bit NF4 on a GPU, plain 32-bit floats on a CPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from datasets import disable_progress_bars
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
from transformers.utils.logging import disable_progress_bar

from framework.errors import TrainingError
from models.specialist.token_prices import PriceTokens
from models.train.qlora.settings import QloraSettings

# What is trained is told by our own log; the libraries' bars would stand between its lines.
disable_progress_bars()
disable_progress_bar()

PLAIN = {"split_special_tokens": True}  # control tokens in a product's text are text: it must not end its own question


def on_gpu() -> bool:
    """Whether training runs on a GPU."""
    return bool(torch.cuda.is_available())


def load_tokenizer(base: str, token: str | None = None) -> tuple[Any, PriceTokens]:
    """The tokenizer of ``base`` (a folder or a hub name) and its price tokens.

    Raises ``TrainingError`` when it cannot be loaded, or has no single token for each number up to 999.
    """
    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(base, token=token)
    except (OSError, ValueError) as error:
        raise TrainingError(_not_loaded(base)) from error
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    prices = PriceTokens.find(lambda text: tokenizer(text, add_special_tokens=False)["input_ids"], base)
    return tokenizer, prices


def load_base(base: str, settings: QloraSettings, token: str | None = None) -> Any:
    """The frozen base. Raises ``TrainingError`` when it cannot be loaded."""
    wishes: dict[str, Any] = {"dtype": torch.float32}
    if on_gpu():
        wishes = {"dtype": half_type(), "device_map": "auto", "quantization_config": _quantization(settings)}
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(base, token=token, **wishes)
    except (OSError, ValueError) as error:
        raise TrainingError(_not_loaded(base)) from error
    model.config.use_cache = False
    return model


def half_type() -> torch.dtype:
    """The 16-bit type that the GPU is good at: bfloat16 from Ampere on, else float16 (the T4)."""
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


def _quantization(settings: QloraSettings) -> BitsAndBytesConfig | None:
    if settings.bits == 16:
        return None
    if settings.bits == 8:
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=settings.double_quant,
        bnb_4bit_compute_dtype=half_type(),
    )


def clip(tokenizer: Any, texts: Sequence[str], most: int) -> list[str]:
    """The texts cut to their first ``most`` tokens, so that the question's end is never what is cut off."""
    encoded = tokenizer(list(texts), **PLAIN, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    return [
        # A character that tokens beyond the cut belong to as well is left out.
        text if len(spans) <= most else text[: min(spans[most - 1][1], spans[most][0])]
        for text, spans in zip(texts, encoded, strict=True)
    ]


def _not_loaded(base: str) -> str:
    return (
        f"The base model {base} cannot be loaded: give a folder or a name on the Hugging Face hub; "
        "gated models need HF_TOKEN and that you accepted their terms there"
    )
