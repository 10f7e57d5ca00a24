"""Writes a model folder of transformers as a GGUF file, for models of the Llama architecture.

llama.cpp's own ``convert_hf_to_gguf.py`` is in no wheel, only in its source tree: where the owner has that tree,
``./dealhound specialist export --llama-cpp FOLDER`` runs it, for any architecture. This module covers the case that
matters here without it, the fine-tuned Llama 3 and its kin, with the ``gguf`` package that llama.cpp publishes. What is
written where follows that script: tensor names by ``gguf``'s own map, queries and keys reordered for llama.cpp's
rotary embedding (pairs of neighbours instead of halves), the frequency factors of Llama 3.1, a byte-level BPE
vocabulary. One tensor at a time is in memory.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from framework.errors import TrainingError
from models.specialist.llama_cpp import MAX_TOKENS_KEY
from models.train.gguf.vocabulary import add_vocabulary
from models.train.qlora.manifest import MANIFEST, AdapterManifest

Array = npt.NDArray[Any]


_OTHERS = "convert it with llama.cpp's own script: ./dealhound specialist export --llama-cpp FOLDER"


def convert(folder: Path, out: Path, *, kind: Literal["f16", "f32"] = "f16") -> None:
    """Write the model in ``folder`` to ``out``; matrices are stored as ``kind``, vectors as 32-bit floats.

    Raises ``TrainingError`` for a folder that holds no Llama model or a tokenizer of another kind.
    """
    import gguf

    logging.getLogger("gguf").setLevel(logging.WARNING)  # else it lists what it writes
    config = _config(folder)
    writer = gguf.GGUFWriter(str(out), "llama")
    _add_parameters(writer, config, folder)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16 if kind == "f16" else gguf.LlamaFileType.ALL_F32)
    add_vocabulary(writer, folder, config["vocab_size"])
    files = _tensor_files(folder)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config["num_hidden_layers"])
    # Twice over the files: all shapes are written first, then the numbers, one tensor at a time.
    for name, array in _tensors(files, config, names, kind):
        writer.add_tensor_info(name, array.shape, array.dtype, array.nbytes)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for _, array in _tensors(files, config, names, kind):
        writer.write_tensor_data(array)
    writer.close()


def _config(folder: Path) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError) as error:
        raise TrainingError(f"{folder} holds no model of transformers: {error}") from error
    if config.get("architectures") != ["LlamaForCausalLM"]:
        raise TrainingError(f"{folder} is a {config.get('architectures')}, not a LlamaForCausalLM; {_OTHERS}")
    return config


def _add_parameters(writer: Any, config: dict[str, Any], folder: Path) -> None:
    heads = config["num_attention_heads"]
    writer.add_name(folder.name)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.get("num_key_value_heads") or heads)
    writer.add_key_length(_head_width(config))
    writer.add_value_length(_head_width(config))
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_dimension_count(_head_width(config))
    writer.add_rope_freq_base(_rope(config)["rope_theta"])
    writer.add_vocab_size(config["vocab_size"])
    if (folder / MANIFEST).is_file():
        writer.add_uint32(MAX_TOKENS_KEY, AdapterManifest.read(folder).max_tokens)


def _head_width(config: dict[str, Any]) -> int:
    return int(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"])


def _rope(config: dict[str, Any]) -> dict[str, Any]:
    """The rotary embedding's parameters, as transformers 5 and as 4 write them."""
    scaling = config.get("rope_parameters") or config.get("rope_scaling") or {}
    return {"rope_theta": config.get("rope_theta") or 10_000.0, "rope_type": "default", **scaling}


def _tensor_files(folder: Path) -> list[Path]:
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise TrainingError(f"{folder} holds no safetensors; merge the adapter first")
    return files


def _tensors(files: list[Path], config: dict[str, Any], names: Any, kind: str) -> Iterator[tuple[str, Array]]:
    """Every tensor under llama.cpp's name, in its layout and type."""
    from safetensors import safe_open

    rope = _rope(config)
    if rope["rope_type"] == "llama3":
        yield "rope_freqs.weight", frequency_factors(rope, _head_width(config))
    elif rope["rope_type"] != "default":
        raise TrainingError(f"Rotary embeddings of the kind {rope['rope_type']} are not known here; {_OTHERS}")
    matrix = np.float16 if kind == "f16" else np.float32
    for file in files:
        with safe_open(file, framework="pt") as tensors:
            for name in tensors.keys():  # noqa: SIM118 - no mapping, it only has keys()
                array = _in_layout(name, tensors.get_tensor(name).float().numpy(), config)
                yield _renamed(name, names), array.astype(matrix if array.ndim > 1 else np.float32)


def _renamed(name: str, names: Any) -> str:
    renamed: str | None = names.get_name(name, try_suffixes=(".weight", ".bias"))
    if renamed is None:
        raise TrainingError(f"The tensor {name} belongs to no Llama model; {_OTHERS}")
    return renamed


def _in_layout(name: str, array: Array, config: dict[str, Any]) -> Array:
    """Queries and keys with the two halves of every head interleaved; all else as it is."""
    heads = config["num_attention_heads"]
    if ".k_proj." in name:
        heads = config.get("num_key_value_heads") or heads
    elif ".q_proj." not in name:
        return array
    halves = array.reshape(heads, 2, array.shape[0] // heads // 2, *array.shape[1:])
    return halves.swapaxes(1, 2).reshape(array.shape)


def frequency_factors(rope: dict[str, Any], width: int) -> npt.NDArray[np.float32]:
    """By how much each rotary frequency is divided in Llama 3.1 and later (Llama's ``apply_scaling``): long waves by
    ``factor``, short ones not at all, those between by a blend of both."""
    turns = rope["rope_theta"] ** (-np.arange(0, width, 2) / width)
    trained = rope["original_max_position_embeddings"]
    low, high = rope["low_freq_factor"], rope["high_freq_factor"]
    waves = trained * turns / (2 * np.pi)  # of each frequency in the trained context
    smooth = np.clip((waves - low) / (high - low), 0, 1)
    return np.asarray(1 / ((1 - smooth) / rope["factor"] + smooth), dtype=np.float32)
