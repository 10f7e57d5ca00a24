"""Learn how neighbours are weighted, from training products priced by the other training products.

Each product of a sample is asked of all the others (none of its own product line); the network that scores neighbours
learns to make the weighted mean of their log prices the product's own. In three of four steps part of the neighbours
is hidden, so that the weights hold for thinner catalogues too.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import structlog
import torch
from torch import nn

from models.artifact import SHIPPED, Manifest, as_json, write_artifact
from models.attention import FEATURES, NAME, RARITY_STEP, TABLE, AttentionModel, features, profile
from models.catalogue import CatalogueItem, Neighbour
from models.data.products import Product
from models.encoder import Vectors
from models.exact import ExactIndex
from models.knn import KnnRule

log = structlog.get_logger("train.attention")

Floats = npt.NDArray[np.float64]

HUBER = 0.7  # errors in log price beyond this count by their size, not its square
KEPT = (1.0, 1.0, 0.5, 0.15)  # shares of the neighbours that a step may see


@dataclass(frozen=True, slots=True)
class AttentionSettings:
    """Size of the sample, of the network and of the training."""

    queries: int = 22_000
    units: int = 16
    steps: int = 2_000
    batch: int = 512
    learning_rate: float = 0.02
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Lessons:
    """Sampled products as tensors: features (product, neighbour, feature), neighbours' log prices, truth, weight."""

    features: torch.Tensor
    logs: torch.Tensor
    truth: torch.Tensor
    weight: torch.Tensor


def train_attention(
    products: Sequence[Product],
    items: Sequence[CatalogueItem],
    vectors: Vectors,
    weights: Floats,
    *,
    settings: AttentionSettings | None = None,
    folder: Path = SHIPPED,
    data_sha256: str | None = None,
) -> Manifest:
    """Fit on products, their catalogue items, vectors and row weights (all in one order), and write the artifact."""
    chosen = settings or AttentionSettings()
    rarity = word_rarity([item.description for item in items])
    lessons = gather_lessons(products, items, vectors, weights, rarity.astype(np.float64) * RARITY_STEP, chosen)
    model, error = fit(lessons, rarity, chosen)
    return write_artifact(
        NAME,
        as_json(model.model_dump(mode="json")),
        suffix=".weights.json",
        folder=folder,
        source=f"attention over neighbours, learned from {len(lessons.truth)} products priced by the others",
        data_sha256=data_sha256,
        metrics={"log_error": round(error, 4)},
        settings={"features": list(FEATURES), "units": chosen.units, "steps": chosen.steps, "seed": chosen.seed},
        libraries=("torch", "numpy"),
    )


def word_rarity(texts: Sequence[str]) -> npt.NDArray[np.uint8]:
    """Inverse document frequency of each hashed word, in steps of ``RARITY_STEP``."""
    counts = np.bincount(np.concatenate([np.unique(profile(text).words) for text in texts]), minlength=TABLE)
    return np.clip(np.rint(np.log((len(texts) + 1) / (counts + 1)) / RARITY_STEP), 0, 255).astype(np.uint8)


def gather_lessons(
    products: Sequence[Product],
    items: Sequence[CatalogueItem],
    vectors: Vectors,
    weights: Floats,
    rarity: Floats,
    settings: AttentionSettings,
) -> Lessons:
    """The neighbours of a sample of products, without their own product lines."""
    rng = np.random.default_rng(settings.seed)
    rows = rng.permutation(len(products))[: settings.queries]
    k = min(KnnRule().k, len(items) - 1)
    group = {item.id: product.group for item, product in zip(items, products, strict=True)}
    index = ExactIndex(items, vectors)
    seen, logs, kept = [], [], []
    for start in range(0, len(rows), 512):
        part = rows[start : start + 512]
        for row, near in zip(part, index.query(vectors[part], 2 * k), strict=True):
            others = [item for item in near if group[item.id] != products[row].group][:k]
            if len(others) == k:
                seen.append(features(items[row].description, others, rarity).astype(np.float32))
                logs.append(_logs(others))
                kept.append(row)
        log.info("neighbours_gathered", done=min(start + 512, len(rows)), of=len(rows))
    truth = np.log([products[row].price for row in kept])
    arrays = (np.stack(seen), np.stack(logs), truth, weights[kept])
    return Lessons(*(torch.from_numpy(array.astype(np.float32)) for array in arrays))


def _logs(near: Sequence[Neighbour]) -> Floats:
    return np.log([item.price for item in near])


def fit(lessons: Lessons, rarity: npt.NDArray[np.uint8], settings: AttentionSettings) -> tuple[AttentionModel, float]:
    """The network after training, and its root mean squared error in log price on the lessons."""
    torch.manual_seed(settings.seed)
    mean, deviation = lessons.features.mean((0, 1)), lessons.features.std((0, 1)) + 1e-6
    scaled = (lessons.features - mean) / deviation
    hidden, out = nn.Linear(scaled.shape[2], settings.units), nn.Linear(settings.units, 1, bias=False)
    network = nn.Sequential(hidden, nn.Tanh(), out)
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=1e-4)
    for step in range(settings.steps):
        rows = torch.randint(0, len(scaled), (settings.batch,))
        keep = torch.rand(len(rows), scaled.shape[1]) < torch.tensor(KEPT)[torch.randint(0, len(KEPT), (len(rows), 1))]
        keep[:, -1] = True
        said = _attend(network, scaled[rows], lessons.logs[rows], keep)
        loss = nn.functional.huber_loss(said, lessons.truth[rows], delta=HUBER, reduction="none")
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * min(1.0, (step + 1) / 50) * (1 - step / settings.steps)
        optimizer.zero_grad()
        (loss * lessons.weight[rows]).mean().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    with torch.no_grad():
        said = _attend(network, scaled, lessons.logs, torch.ones(scaled.shape[:2], dtype=torch.bool))
        error = float(((said - lessons.truth) ** 2).mean().sqrt())
    model = AttentionModel(
        rarity=base64.b64encode(rarity.tobytes()),
        mean=_plain(mean),
        deviation=_plain(deviation),
        hidden=[_plain(row) for row in hidden.weight],
        hidden_bias=_plain(hidden.bias),
        out=_plain(out.weight[0]),
    )
    return model, error


def _attend(network: nn.Module, scaled: torch.Tensor, logs: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
    scores = network(scaled).squeeze(-1).masked_fill(~keep, -1e4)
    said: torch.Tensor = (torch.softmax(scores, dim=1) * logs).sum(1)
    return said


def _plain(tensor: torch.Tensor) -> list[float]:
    return [round(float(value), 6) for value in tensor.detach()]
