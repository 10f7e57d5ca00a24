"""Trains the specialist's wide half: a small network and a ridge regression over the same hashed features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse  # type: ignore[import-untyped]
from torch import Tensor

from models.data.features import Bags
from models.specialist import bins
from models.train.specialist_network import WideNetwork

GAIN = 4.0  # length of a text's vector of feature weights: starts the first layer at a useful scale


@dataclass(frozen=True, slots=True)
class WideSettings:
    """How the wide half trains. ``label_width`` is in bins; ``feature_dropout`` is the share hidden each time."""

    table: int = 2**17
    width: int = 36
    heads: int = 2
    epochs: int = 3
    batch: int = 512
    learning_rate: float = 4e-3
    feature_dropout: float = 0.2
    title_only: float = 0.15
    label_width: float = 2.0
    ridge: float = 0.2


@dataclass(frozen=True, slots=True)
class WideData:
    """Features of whole texts and of titles alone, log prices, and each product's weight in the loss."""

    texts: Bags
    titles: Bags
    log_prices: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ridge:
    """A linear model over features scaled to length one: a coefficient for each, and the intercept."""

    coefficients: npt.NDArray[np.float32]
    intercept: float


def rarity(bags: Bags, table: int) -> npt.NDArray[np.float32]:
    """Inverse document frequency of each feature; zero for one seen in a single text, which teaches nothing."""
    counts = np.bincount(bags.ids, minlength=table)
    value = np.log((len(bags) + 1) / (counts + 1.0))
    return np.where(counts < 2, 0.0, value).astype(np.float32)


def train_wide(
    data: WideData, settings: WideSettings, seed: int, on_epoch: Callable[[int, float], None] = lambda epoch, loss: None
) -> WideNetwork:
    """Train the network from scratch; ``on_epoch`` is told each epoch's number and mean loss."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = WideNetwork(settings.table, settings.width, settings.heads)
    network.rarity.copy_(torch.from_numpy(rarity(data.texts, settings.table)))
    labels = torch.from_numpy(bins.soft_labels(data.log_prices, settings.label_width).astype(np.float32))
    weights = torch.from_numpy((data.weights / data.weights.mean()).astype(np.float32))
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, betas=(0.9, 0.99), weight_decay=0.0, fused=True
    )
    steps = max(1, settings.epochs * -(-len(data.texts) // settings.batch))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / 100) * max(0.02, 1.0 - step / steps)
    )
    for epoch in range(settings.epochs):
        losses = []
        for rows in _shuffled(len(data.texts), settings.batch, rng):
            batch = bag_batch(network, [_view(data, row, settings, rng) for row in rows])
            loss = head_loss(network(*batch), labels[rows], weights[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        on_epoch(epoch, float(np.mean(losses)))
    return network.eval()


def head_loss(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Weighted cross-entropy with soft labels, the mean over the network's heads."""
    entropy = -(labels[:, None, :] * torch.log_softmax(logits, dim=-1)).sum(-1)
    return (entropy.mean(1) * weights).mean()


def bag_batch(network: WideNetwork, rows: list[npt.NDArray[np.int64]]) -> tuple[Tensor, Tensor, Tensor]:
    """Ids, offsets and weights as the network takes them: weights are rarities scaled to length ``GAIN``."""
    lengths = np.array([len(row) for row in rows])
    offsets = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    ids = np.concatenate(rows)
    weight = network.rarity.numpy()[ids]
    length = np.sqrt(np.add.reduceat(weight * weight, offsets) + 1e-6)
    scaled = (weight / np.repeat(length, lengths) * GAIN).astype(np.float32)
    return torch.from_numpy(ids), torch.from_numpy(offsets), torch.from_numpy(scaled)


def fit_ridge(data: WideData, settings: WideSettings) -> Ridge:
    """Ridge regression of log price on the same features."""
    from sklearn import linear_model

    weight = rarity(data.texts, settings.table)
    values = weight[data.texts.ids]
    matrix = sparse.csr_matrix((values, data.texts.ids, data.texts.offsets), shape=(len(data.texts), settings.table))
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel() + 1e-6)
    unit = sparse.diags(1.0 / length) @ matrix
    model = linear_model.Ridge(alpha=settings.ridge, solver="sparse_cg", tol=1e-3)
    model.fit(unit, data.log_prices, sample_weight=data.weights)
    return Ridge(model.coef_.astype(np.float32), float(model.intercept_))


def predict_wide(
    network: WideNetwork, ridge: Ridge, bags: Bags
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """Each text's log bin probabilities (the heads' geometric mean, unnormalised) and the ridge's log price."""
    logs, linear = [], []
    with torch.no_grad():
        for start in range(0, len(bags), 512):
            rows = [bags.row(index) for index in range(start, min(start + 512, len(bags)))]
            ids, offsets, weights = bag_batch(network, rows)
            logs.append(torch.log_softmax(network(ids, offsets, weights), dim=-1).mean(1).numpy())
            contribution = ridge.coefficients[ids.numpy()] * weights.numpy() / GAIN
            linear.append(np.add.reduceat(contribution, offsets.numpy()) + ridge.intercept)
    return np.concatenate(logs), np.concatenate(linear).astype(np.float64)


def _shuffled(count: int, batch: int, rng: np.random.Generator) -> list[npt.NDArray[np.int64]]:
    order = rng.permutation(count)
    return [order[start : start + batch] for start in range(0, count, batch)]


def _view(data: WideData, row: int, settings: WideSettings, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """One product's features, as a deal might show them: sometimes the title only, always some features hidden."""
    source = data.titles if rng.random() < settings.title_only else data.texts
    ids = source.row(row)
    return ids[rng.random(len(ids)) >= settings.feature_dropout] if len(ids) > 8 else ids
