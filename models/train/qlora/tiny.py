"""A Llama of a few hundred thousand random weights with a tokenizer of its own: the rehearsal's base model.

It has what matters of the large one: the architecture, byte-level BPE by Llama 3's splitting rule, and one token for
each number up to 999. So the whole way from data to a GGUF file runs in seconds on any machine, without a network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from models.data.prompts import prompt
from models.specialist.token_prices import LARGEST
from models.train.gguf.vocabulary import LLAMA3_SPLIT

BEGIN, END = "<|begin_of_text|>", "<|end_of_text|>"
WORDS = 3_000  # tokens of the vocabulary, numbers included
_SPREAD = 0.25  # of the random weights: with the usual 0.02 a frozen random output layer could prefer no token
_NUMBER_WEIGHT = 1_000  # repetitions that put every number before the texts' own words


def make_tiny_base(folder: Path, texts: Iterable[str], *, width: int = 64, layers: int = 2, seed: int = 0) -> Path:
    """Write a random model to ``folder`` whose vocabulary suits ``texts``; returns the folder."""
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=_train_tokenizer(texts), bos_token=BEGIN, eos_token=END, pad_token=END
    )
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        initializer_range=_SPREAD,
        tie_word_embeddings=False,
    )
    folder.mkdir(parents=True, exist_ok=True)
    LlamaForCausalLM(config).save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))
    return folder


def _train_tokenizer(texts: Iterable[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(LLAMA3_SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=WORDS,
        special_tokens=[BEGIN, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_with_numbers(texts), trainer)
    begin = tokenizer.token_to_id(BEGIN)
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{BEGIN} $A", special_tokens=[(BEGIN, begin)])
    return tokenizer


def _with_numbers(texts: Iterable[str]) -> Iterator[str]:
    numbers = " ".join(str(number) for number in range(LARGEST + 1))
    for _ in range(_NUMBER_WEIGHT):
        yield numbers
    for text in texts:
        yield prompt(text)
