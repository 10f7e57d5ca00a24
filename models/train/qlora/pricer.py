"""Prices with a model of transformers, by the probabilities of its next token: for evaluation, and to compare with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from models.data.prompts import prompt
from models.specialist.token_prices import PriceBelief, PriceTokens
from models.train.qlora.base import PLAIN, clip


class TransformersPricer:
    """A causal language model with its tokenizer. ``max_tokens`` is how much of a description it reads."""

    def __init__(self, model: Any, tokenizer: Any, prices: PriceTokens, *, max_tokens: int, batch: int = 16) -> None:
        self._model, self._tokenizer, self._prices = model, tokenizer, prices
        self._max_tokens, self._batch = max_tokens, batch

    def beliefs(self, texts: Sequence[str]) -> list[PriceBelief]:
        """What the model believes of each description."""
        self._model.eval()
        beliefs: list[PriceBelief] = []
        for start in range(0, len(texts), self._batch):
            beliefs += self._batch_beliefs(texts[start : start + self._batch])
        return beliefs

    @torch.inference_mode()
    def _batch_beliefs(self, texts: Sequence[str]) -> list[PriceBelief]:
        prompts = [prompt(text) for text in clip(self._tokenizer, texts, self._max_tokens)]
        # Padded on the left, the last position is each prompt's own last token.
        inputs = self._tokenizer(prompts, **PLAIN, return_tensors="pt", padding=True, padding_side="left")
        logits = self._model(**inputs.to(self._model.device), logits_to_keep=1, use_cache=False).logits[:, -1]
        return [self._prices.belief(row) for row in logits.float().cpu().numpy()]
