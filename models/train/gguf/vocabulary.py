"""The tokenizer of a model folder as GGUF metadata: byte-level BPE with the splitting rule of Llama 3."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from framework.errors import TrainingError

# How Llama 3 splits text before merging; llama.cpp knows it as "llama-bpe".
LLAMA3_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def add_vocabulary(writer: Any, folder: Path, size: int) -> None:
    """Write tokens, merges and special tokens of ``tokenizer.json``; ``size`` is the model's count of embeddings.

    Raises ``TrainingError`` for a tokenizer of another kind: llama.cpp would split text differently than training did.
    """
    import gguf

    described = _described(folder)
    tokens: list[str] = [f"[PAD{number}]" for number in range(size)]
    types = [gguf.TokenType.UNUSED] * size
    for token, number in described["model"]["vocab"].items():
        tokens[number], types[number] = token, gguf.TokenType.NORMAL
    for added in described["added_tokens"]:
        tokens[added["id"]] = added["content"]
        types[added["id"]] = gguf.TokenType.CONTROL if added["special"] else gguf.TokenType.USER_DEFINED
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in described["model"]["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    _add_special_tokens(writer, folder, tokens)


def _described(folder: Path) -> dict[str, Any]:
    try:
        described: dict[str, Any] = json.loads((folder / "tokenizer.json").read_bytes())
    except (OSError, ValueError) as error:
        raise TrainingError(f"{folder} holds no tokenizer.json: {error}") from error
    splits = LLAMA3_SPLIT in json.dumps(described.get("pre_tokenizer"), ensure_ascii=False).replace("\\\\", "\\")
    if described["model"].get("type") != "BPE" or not splits:
        raise TrainingError(
            f"The tokenizer in {folder} is not that of Llama 3; convert the model with llama.cpp's own script: "
            "./dealhound specialist export --llama-cpp FOLDER"
        )
    return described


def _add_special_tokens(writer: Any, folder: Path, tokens: list[str]) -> None:
    from tokenizers import Tokenizer

    config = json.loads((folder / "tokenizer_config.json").read_bytes())
    adds_begin = bool(Tokenizer.from_file(str(folder / "tokenizer.json")).encode("").ids)
    for name, add in (("bos_token", writer.add_bos_token_id), ("eos_token", writer.add_eos_token_id)):
        token = config.get(name)
        text = token.get("content") if isinstance(token, dict) else token
        if text in tokens:
            add(tokens.index(text))
    writer.add_add_bos_token(adds_begin)
