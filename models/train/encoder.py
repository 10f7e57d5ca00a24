"""Make the shared encoder: the lower layers of all-MiniLM-L6-v2 and a whitening, as one int8 ONNX graph.

    python -m models.train PRODUCTS.jsonl[.gz] --encoder

The layers are frozen; only the whitening is fitted, on the texts of a sample of products. The recipe keeps the vectors
close to the float model at a quarter of its size:

- the weights of linear layers in int8, one scale per output channel, activations quantised as they come (W. Wu et al.,
  "Integer quantization for deep learning inference", 2020, section 3);
- the word table in int8, one scale per row, turned back to floats *after* the look-up, so that no dense float table
  is ever held in memory;
- positions, layer norms and biases stay float.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import structlog
import torch
from torch import Tensor, nn

from models.artifact import SHIPPED, Manifest, write_artifact
from models.data.products import Product, file_sha256, load_products
from models.encoder import DIMENSION, Vectors
from models.text import clean
from models.tokenizer import shared_tokenizer
from models.train.specialist_deep import STATES_BATCH, same_length_batches
from models.train.specialist_network import FROZEN_LAYERS, LowerLayers, load_minilm

log = structlog.get_logger("train.encoder")

SOURCE = f"sentence-transformers/all-MiniLM-L6-v2, its {FROZEN_LAYERS} lower layers, frozen"
SAMPLE = 12_000  # texts that the whitening is fitted on
FLOOR = 0.03  # of the greatest variance is added to each: directions that hardly vary are mostly rounding


def export_encoder(data: Path, folder: Path = SHIPPED) -> Manifest:
    """Fit the whitening on products of ``data`` and write ``encoder.onnx`` with its manifest to ``folder``.

    Raises ``TrainingError`` when the weights are not installed or are not the expected ones, or the data are unusable.
    """
    bert = load_minilm()
    pieces, lower = bert.embeddings.word_embeddings.weight.detach(), LowerLayers(bert)
    centre, turn = fit_whitening(mean_states(sample(load_products(data)), pieces, lower))
    with tempfile.TemporaryDirectory() as scratch:
        plain, small = Path(scratch) / "fp32.onnx", Path(scratch) / "int8.onnx"
        export_float(EncoderNetwork(pieces, lower, centre, turn), plain)
        quantize_model(plain, small)
        fidelity = compare(plain, small)
        manifest = write_artifact(
            "encoder",
            small.read_bytes(),
            suffix=".onnx",
            folder=folder,
            source=SOURCE,
            data_sha256=file_sha256(data),
            metrics=fidelity,
            settings={"dimension": DIMENSION, "weights": "int8 per channel", "word_table": "int8 per row"},
            libraries=("torch", "transformers", "onnx", "onnxruntime"),
        )
    log.info("encoder_exported", bytes=manifest.bytes, **fidelity)
    return manifest


def sample(products: Sequence[Product]) -> list[str]:
    """The texts that the whitening is fitted on: training products only."""
    texts = [clean(product.text) for product in products if product.split == "train"]
    rng = np.random.default_rng(0)
    return texts if len(texts) <= SAMPLE else [texts[row] for row in rng.choice(len(texts), SAMPLE, replace=False)]


def mean_states(texts: Sequence[str], pieces: Tensor, lower: LowerLayers) -> Vectors:
    """The mean of each text's states, in full precision."""
    tokens = shared_tokenizer().encode_batch(texts)
    means = np.zeros((len(texts), DIMENSION), np.float32)
    with torch.no_grad():
        for rows in same_length_batches(np.array([len(ids) for ids in tokens]), STATES_BATCH, None):
            ids = torch.from_numpy(np.stack([tokens[row] for row in rows]))
            means[rows] = lower(pieces[ids]).mean(1).numpy()
    return means


def fit_whitening(means: Vectors) -> tuple[Vectors, Vectors]:
    """The centre and the matrix after which all directions vary about equally."""
    centre = means.mean(axis=0)
    variance, directions = np.linalg.eigh(np.cov(means - centre, rowvar=False))
    return centre, (directions / np.sqrt(variance + FLOOR * variance.max())).astype(np.float32)


class EncoderNetwork(nn.Module):
    """Word piece ids and their mask in, states and embedding out."""

    def __init__(self, pieces: Tensor, lower: LowerLayers, centre: Vectors, turn: Vectors) -> None:
        super().__init__()
        self.word = nn.Embedding(pieces.shape[0], pieces.shape[1], _weight=pieces)
        self.lower = lower
        self.centre = nn.Parameter(torch.from_numpy(centre), requires_grad=False)
        self.turn = nn.Parameter(torch.from_numpy(turn), requires_grad=False)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        mask = attention_mask.float()
        states = self.lower(self.word(input_ids), mask)
        mean = (states * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
        return states, nn.functional.normalize((mean - self.centre) @ self.turn, dim=1)


def export_float(network: EncoderNetwork, target: Path) -> None:
    """Write the network as ONNX in full precision."""
    ids = torch.ones(2, 8, dtype=torch.int64)
    axes = {0: "batch", 1: "tokens"}
    with warnings.catch_warnings():
        # Tracing fixes what depends on shapes; here that is only "more than one word piece", which always holds.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(),
            (ids, ids),
            str(target),
            input_names=["input_ids", "attention_mask"],
            output_names=["states", "embedding"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes, "states": axes, "embedding": {0: "batch"}},
            opset_version=17,
            dynamo=False,
        )


def quantize_model(source: Path, target: Path) -> None:
    """Quantise the linear layers per channel and the word table per row."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    turn = max(node.name for node in onnx.load(source).graph.node if node.op_type == "MatMul" and "turn" in node.input)
    quantize_dynamic(
        source,
        target,
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=[turn],  # the whitening enlarges what rounding leaves
    )
    model = onnx.load(target)
    quantize_table(model.graph)
    onnx.save(model, target)


def quantize_table(graph: Any) -> None:
    """Replace the largest float table's look-up by int8 rows and a scale per row, multiplied after the look-up."""
    from onnx import TensorProto, helper, numpy_helper

    tables = {t.name: t for t in graph.initializer if t.data_type == TensorProto.FLOAT and len(t.dims) == 2}
    table = max(tables.values(), key=lambda t: int(t.dims[0]) * int(t.dims[1]))
    values = numpy_helper.to_array(table)
    scale = np.maximum(np.abs(values).max(axis=1, keepdims=True) / 127, 1e-12).astype(np.float32)
    rows = np.rint(values / scale).astype(np.int8)
    at, gather = next((i, n) for i, n in enumerate(graph.node) if n.op_type == "Gather" and n.input[0] == table.name)
    ids, out = gather.input[1], gather.output[0]
    new = [
        helper.make_node("Gather", ["word_rows", ids], ["word_int8"], axis=0),
        helper.make_node("Cast", ["word_int8"], ["word_float"], to=TensorProto.FLOAT),
        helper.make_node("Gather", ["word_scales", ids], ["word_scale"], axis=0),
        helper.make_node("Mul", ["word_float", "word_scale"], [out]),
    ]
    graph.node.remove(gather)
    for offset, node in enumerate(new):
        graph.node.insert(at + offset, node)
    graph.initializer.remove(table)
    graph.initializer.extend(
        [numpy_helper.from_array(rows, "word_rows"), numpy_helper.from_array(scale, "word_scales")]
    )


def compare(reference: Path, quantized: Path, texts: int = 256, tokens: int = 48) -> dict[str, float]:
    """Mean and least cosine between the two models on texts of random words (harder than real ones)."""
    import onnxruntime

    rng = np.random.default_rng(0)
    ids = rng.integers(1996, 29600, size=(texts, tokens))
    ids[:, 0], ids[:, -1] = 101, 102
    feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    one, two = (onnxruntime.InferenceSession(str(path)).run(["embedding"], feed)[0] for path in (reference, quantized))
    cosine = (one * two).sum(axis=1)
    return {"cosine_mean": round(float(cosine.mean()), 4), "cosine_min": round(float(cosine.min()), 4)}
