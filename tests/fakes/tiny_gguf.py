"""A language model of a few hundred kilobytes with random weights, as a GGUF file: it talks nonsense, fast.

A Llama of two layers over single bytes (the GPT-2 byte alphabet with a few merges). What such a model says has nothing
to do with what it was asked: whatever still ends well does not depend on the model.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

_WIDTH, _LAYERS, _HEADS, _KV_HEADS, _FEED = 64, 2, 4, 2, 128
_MERGES = ["t h", "th e", "i n", "e r", "a n", "o n", "r e", "e s", '{ "', '" :', '" ,']
_TEMPLATE = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}\n{% endfor %}<|assistant|>"


def _alphabet() -> list[str]:
    """GPT-2's printable stand-ins for all 256 bytes, in byte order."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(spare)) for byte in range(256)]


def make_gguf(path: Path, *, context: int = 4096, seed: int = 0) -> Path:
    """Write the model and return its path. The same seed gives the same model."""
    import gguf

    tokens = [*_alphabet(), *(merge.replace(" ", "") for merge in _MERGES), "<s>", "</s>"]
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name("tiny-nonsense")
    writer.add_context_length(context)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(_LAYERS)
    writer.add_feed_forward_length(_FEED)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_WIDTH // _HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.NORMAL] * (len(tokens) - 2) + [gguf.TokenType.CONTROL] * 2)
    writer.add_token_merges(_MERGES)
    writer.add_bos_token_id(len(tokens) - 2)
    writer.add_eos_token_id(len(tokens) - 1)
    writer.add_chat_template(_TEMPLATE)
    _add_weights(writer, len(tokens), np.random.default_rng(seed))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_weights(writer: object, vocabulary: int, random: np.random.Generator) -> None:
    def add(name: str, *shape: int) -> None:
        scale = 1.0 if len(shape) == 1 else 0.3
        values = np.ones(shape, np.float32) if len(shape) == 1 else random.normal(0, scale, shape).astype(np.float32)
        writer.add_tensor(name, values)  # type: ignore[attr-defined]

    key_width = _WIDTH // _HEADS * _KV_HEADS
    add("token_embd.weight", vocabulary, _WIDTH)
    add("output_norm.weight", _WIDTH)
    add("output.weight", vocabulary, _WIDTH)
    for layer in range(_LAYERS):
        block = f"blk.{layer}"
        add(f"{block}.attn_norm.weight", _WIDTH)
        add(f"{block}.attn_q.weight", _WIDTH, _WIDTH)
        add(f"{block}.attn_k.weight", key_width, _WIDTH)
        add(f"{block}.attn_v.weight", key_width, _WIDTH)
        add(f"{block}.attn_output.weight", _WIDTH, _WIDTH)
        add(f"{block}.ffn_norm.weight", _WIDTH)
        add(f"{block}.ffn_gate.weight", _FEED, _WIDTH)
        add(f"{block}.ffn_up.weight", _FEED, _WIDTH)
        add(f"{block}.ffn_down.weight", _WIDTH, _FEED)
