"""The trained network of a specialist's artifact as a starting point: ``train specialist --warm``.

An owner with prices of their own need not begin from the language model: the shipped weights already price products.
They are read back from the int8 graph, each matrix times its scales; the rounding is far below what training moves.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from framework.errors import TrainingError
from models.artifact import read_artifact
from models.specialist.artifact import FILE, NAME

_ROOT = "deep."


def trained_weights(folder: Path) -> dict[str, Tensor]:
    """The state of the ``DeepNetwork`` inside the artifact of ``folder``.

    Raises ``ArtifactError`` when the artifact is missing or changed, ``TrainingError`` when it holds no such network.
    """
    content, _ = read_artifact(NAME, folder)
    graph = onnx.load_from_string(content).graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    plain = {
        name.removeprefix(_ROOT): torch.tensor(numpy_helper.to_array(tensor).copy())
        for name, tensor in tensors.items()
        if name.startswith(_ROOT) and name.endswith((".bias", "LayerNorm.weight"))
    }
    found = plain | {
        _parameter(node.name): _matrix(node.input[1], tensors)
        for node in graph.node
        if node.op_type == "MatMulInteger" and node.name.startswith("/deep/")
    }
    if "out.weight" not in found:
        raise TrainingError(f"{folder / FILE} holds no network to start from; train without --warm")
    return found


def _parameter(node: str) -> str:
    """``/deep/layers.0/output/dense/MatMul_quant`` is ``layers.0.output.dense.weight``."""
    path = node.removeprefix("/deep/").rsplit("/", 1)[0]
    return path.replace("/", ".") + ".weight"


def _matrix(name: str, tensors: dict[str, Any]) -> Tensor:
    """A quantized matrix in full precision, turned as ``nn.Linear`` keeps it."""
    scale_name = name.removesuffix("_quantized") + "_scale"
    levels = torch.tensor(numpy_helper.to_array(tensors[name]).copy()).float()
    scale = torch.tensor(numpy_helper.to_array(tensors[scale_name]).copy())
    return (levels * scale).T.contiguous()
