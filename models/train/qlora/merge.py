"""Merges an adapter into its base, as a plain model folder that any tool of transformers reads."""

from __future__ import annotations

from pathlib import Path

from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from framework.errors import TrainingError
from models.train.qlora.manifest import AdapterManifest


def merge_adapter(adapter: Path, out: Path, *, token: str | None = None) -> AdapterManifest:
    """Write base and adapter as one model to ``out``, in the base's own floating type; returns the manifest.

    The base is loaded whole, not in 4 bits: about 2 bytes of memory a parameter. Raises ``ArtifactError`` without an
    adapter, ``TrainingError`` when the base cannot be loaded.
    """
    manifest = AdapterManifest.read(adapter)
    try:
        base = AutoModelForCausalLM.from_pretrained(manifest.base, dtype="auto", token=token)
        tokenizer = AutoTokenizer.from_pretrained(str(adapter))
    except (OSError, ValueError) as error:
        raise TrainingError(f"The base model {manifest.base} cannot be loaded to be merged with {adapter}") from error
    merged = PeftModel.from_pretrained(base, str(adapter)).merge_and_unload()
    out.mkdir(parents=True, exist_ok=True)
    merged.save_pretrained(str(out), safe_serialization=True)
    tokenizer.save_pretrained(str(out))
    manifest.write(out)
    return manifest
