"""Trains the specialist from priced products and writes its artifact: ``./dealhound train specialist``.

Takes the ``train`` split only; the ``dev`` split chooses how the halves blend and gives the figures in the
manifest. Work in progress (hidden states, checkpoints) stays in the work folder, from which ``resume`` goes on.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import structlog
import torch
from safetensors import torch as safetensors

from framework.errors import TrainingError
from models.artifact import SHIPPED, Manifest, read_manifest, write_artifact
from models.data.features import bag_texts
from models.data.products import Product, file_sha256, load_products
from models.encoder import Encoder
from models.specialist.artifact import FILE, NAME, InputSettings
from models.specialist.estimator import Specialist
from models.text import clean
from models.tokenizer import shared_tokenizer
from models.train.specialist_blend import HalfPredictions, choose_blend, figures
from models.train.specialist_deep import DeepData, DeepSettings, DeepTraining, freeze_states
from models.train.specialist_export import export_specialist
from models.train.specialist_network import DeepNetwork, LowerLayers, WideNetwork, load_minilm
from models.train.specialist_warm import trained_weights
from models.train.specialist_wide import Ridge, WideData, WideSettings, fit_ridge, predict_wide, train_wide

_log = structlog.get_logger(__name__)

Size = Literal["tiny", "cpu", "gpu"]
Progress = Callable[[dict[str, float]], None]

TITLES = 0.3  # the share of products that the deep half also sees by title alone
CORE_WEIGHT, OLD_WEIGHT = 2.0, 0.7  # products near to deals, and prices from before 2015
DEEP_CORE_WEIGHT = 1.5  # less than in the wide half: the deep one soon knows what it is pressed on by heart
OLD = 2015


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one training; ``dear`` is the power of price by which dear products count more."""

    deep: DeepSettings
    wide: WideSettings
    dear: float = 0.35


SIZES: dict[Size, Settings] = {
    "tiny": Settings(DeepSettings(epochs=1, batch=32), WideSettings(table=2**10, width=8, heads=1, epochs=2)),
    "cpu": Settings(DeepSettings(minutes=90), WideSettings()),
    "gpu": Settings(DeepSettings(epochs=10, batch=256, learning_rate=3e-4), WideSettings(heads=3)),
}


def train_specialist(
    data: Path,
    out: Path,
    *,
    size: Size = "cpu",
    seed: int = 0,
    resume: bool = False,
    warm: bool = False,
    epochs: int | None = None,
    minutes: float | None = None,
    work: Path = Path("runs/specialist"),
    on_progress: Progress = lambda report: None,
) -> Manifest:
    """Train, export to ``out`` and measure; the manifest that was written is returned.

    ``warm`` starts from the shipped specialist instead of the bare language model; ``epochs`` and ``minutes`` override
    the size's length of the deep half. Raises ``TrainingError`` when the data cannot be used or the weights of MiniLM
    are not installed.
    """
    settings = _settings(size, epochs, minutes)
    train, dev = _splits(load_products(data))
    work.mkdir(parents=True, exist_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    _log.info("training", size=size, train=len(train), dev=len(dev), seed=seed, resume=resume)
    wide, ridge = _wide_half(train, settings, seed, work, resume, on_progress)
    deep, deep_dev = _deep_half(train, dev, settings, seed, work, resume, warm, on_progress)
    wide_dev, linear = predict_wide(wide, ridge, bag_texts([product.text for product in dev], settings.wide.table))
    blend = choose_blend(HalfPredictions(deep_dev, wide_dev, linear), dev, train)
    with tempfile.TemporaryDirectory() as scratch:
        graph = Path(scratch) / FILE
        export_specialist(graph, deep, wide, ridge, blend.deep_share)
        content = graph.read_bytes()
    inputs = InputSettings(
        encoder_sha256=read_manifest("encoder", SHIPPED).sha256,
        table=settings.wide.table,
        linear_share=blend.linear_share,
    )
    training = {"size": size, "seed": seed, "warm": warm, "deep_share": blend.deep_share, **asdict(settings)}
    write = partial(
        write_artifact,
        NAME,
        content,
        suffix=".onnx",
        folder=out,
        source=f"fine-tuned on {len(train)} priced products, over the encoder's states",
        data_sha256=file_sha256(data),
        settings={**inputs.model_dump(), "training": training},
        libraries=("torch", "transformers", "onnx", "onnxruntime", "numpy"),
    )
    write(metrics=blend.metrics)  # the graph can be measured once it is in its place
    manifest: Manifest = write(metrics=_measure(out, blend.metrics, train, dev))
    _log.info("specialist_written", path=str(out / FILE), **manifest.metrics)
    return manifest


def _settings(size: Size, epochs: int | None, minutes: float | None) -> Settings:
    settings = SIZES[size]
    deep = settings.deep
    if epochs is not None:
        deep = replace(deep, epochs=epochs, minutes=None)
    if minutes is not None:
        deep = replace(deep, minutes=minutes)
    return replace(settings, deep=deep)


def _splits(products: list[Product]) -> tuple[list[Product], list[Product]]:
    """Products to train on and to choose by; without a ``dev`` split, each tenth product line is set aside."""
    train = [product for product in products if product.split == "train"]
    dev = [product for product in products if product.split == "dev"]
    if not dev:
        lines = sorted({product.group for product in train})
        aside = set(random.Random(0).sample(lines, len(lines) // 10))  # noqa: S311 - no secret
        dev = [product for product in train if product.group in aside]
        train = [product for product in train if product.group not in aside]
    if len(train) < 50 or len(dev) < 5:
        raise TrainingError(f"{len(train)} products to train on and {len(dev)} to choose by are too few; add more")
    return train, dev


def _weights(products: Sequence[Product], dear: float) -> npt.NDArray[np.float64]:
    kind = [CORE_WEIGHT if p.core else OLD_WEIGHT if p.vintage < OLD else 1.0 for p in products]
    return np.array(kind) * np.array([p.price for p in products]) ** dear


def _log_prices(products: Sequence[Product]) -> npt.NDArray[np.float64]:
    return np.log([product.price for product in products])


def _wide_half(
    train: list[Product], settings: Settings, seed: int, work: Path, resume: bool, on_progress: Progress
) -> tuple[WideNetwork, Ridge]:
    path = work / "wide.safetensors"
    if resume and path.exists():
        return load_wide(path, settings.wide)
    data = WideData(
        texts=bag_texts([product.text for product in train], settings.wide.table),
        titles=bag_texts([product.title for product in train], settings.wide.table),
        log_prices=_log_prices(train),
        weights=_weights(train, settings.dear),
    )
    network = train_wide(
        data, settings.wide, seed, lambda epoch, loss: on_progress({"wide_epoch": epoch, "loss": loss})
    )
    ridge = fit_ridge(replace(data, weights=_weights(train, 0.0)), settings.wide)
    save_wide(path, network, ridge)
    return network, ridge


def save_wide(path: Path, network: WideNetwork, ridge: Ridge) -> None:
    """Write the wide half as safetensors."""
    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    tensors |= {"ridge": torch.from_numpy(ridge.coefficients), "intercept": torch.tensor([ridge.intercept])}
    safetensors.save_file(tensors, path)


def load_wide(path: Path, settings: WideSettings) -> tuple[WideNetwork, Ridge]:
    """Read what ``save_wide`` wrote."""
    tensors = safetensors.load_file(path)
    ridge = Ridge(tensors.pop("ridge").numpy(), float(tensors.pop("intercept")))
    network = WideNetwork(settings.table, settings.width, settings.heads)
    network.load_state_dict(tensors)
    return network.eval(), ridge


def _deep_half(
    train: list[Product],
    dev: list[Product],
    settings: Settings,
    seed: int,
    work: Path,
    resume: bool,
    warm: bool,
    on_progress: Progress,
) -> tuple[DeepNetwork, npt.NDArray[np.float32]]:
    """The trained network and its bin probabilities of ``dev``."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    bert = load_minilm()
    pieces = bert.embeddings.word_embeddings.weight.detach()
    lower = LowerLayers(bert).to(device)
    rng = np.random.default_rng(seed)
    titled = [product for product in train if product.description and rng.random() < TITLES]
    seen = [*train, *titled]
    if not resume:
        (work / "states.done").unlink(missing_ok=True)
        (work / "dev_states.done").unlink(missing_ok=True)
    texts = [product.text for product in train] + [product.title for product in titled]
    states = freeze_states(work / "states.f16", _tokens(texts), pieces, lower, device)
    odds = [0.5 if index >= len(train) or p.vintage < OLD else 1.0 for index, p in enumerate(seen)]
    network = DeepNetwork(bert)
    if warm:
        network.load_state_dict(trained_weights(SHIPPED))
    training = DeepTraining(network, settings.deep, work, seed, device)
    if resume:
        training.resume()
    # Old products weigh less by being met every other epoch, which is cheaper than a smaller weight.
    weights = np.array([DEEP_CORE_WEIGHT if product.core else 1.0 for product in seen])
    training.run(DeepData(states, _log_prices(seen), weights, np.array(odds)), on_progress)
    dev_tokens = _tokens([product.text for product in dev])
    dev_states = freeze_states(work / "dev_states.f16", dev_tokens, pieces, lower, device)
    predicted = training.predict(dev_states)
    return training.averaged.cpu().eval(), predicted


def _tokens(texts: list[str]) -> list[npt.NDArray[np.int64]]:
    return shared_tokenizer().encode_batch([clean(text) for text in texts])


def _measure(out: Path, full: dict[str, float], train: list[Product], dev: list[Product]) -> dict[str, float]:
    """The figures of the int8 graph on ``dev``, those of the full precision beside them."""
    log_prices, _ = Specialist(Encoder(SHIPPED), out).log_predictions([product.text for product in dev])
    return figures(log_prices, dev, train) | {f"{name}_fp32": value for name, value in full.items()}
