"""Writes the specialist as one int8 ONNX graph: the encoder's states and hashed features in, bin probabilities out.

Three pieces are made and joined: the transformer's upper layers (8-bit weights per channel, activations quantized on
the fly), the wide network (4-bit table, a scale per row), and their blend.
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, compose, helper, numpy_helper
from torch import Tensor, nn

from models.train.specialist_network import WIDTH, DeepNetwork, WideNetwork
from models.train.specialist_wide import GAIN, Ridge

OPSET = 18
IR_VERSION = 9


class _Upper(nn.Module):
    """The deep network under a name of its own, by which ``specialist_warm`` finds its weights again."""

    def __init__(self, deep: DeepNetwork) -> None:
        super().__init__()
        self.deep = deep

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        logits: Tensor = self.deep(states, mask)
        return logits


def export_specialist(path: Path, deep: DeepNetwork, wide: WideNetwork, ridge: Ridge, share: float) -> None:
    """Write the graph to ``path``; ``share`` is the deep network's weight in the blend."""
    upper = _upper_model(deep)
    both = helper.make_model(
        _union(upper.graph, _wide_graph(wide, ridge)), opset_imports=upper.opset_import, ir_version=IR_VERSION
    )
    blended = compose.merge_models(
        both, _blend_model(share), io_map=[("deep_logits", "deep_in"), ("wide_log", "wide_in")]
    )
    onnx.checker.check_model(blended)
    path.write_bytes(blended.SerializeToString())


def _upper_model(deep: DeepNetwork) -> Any:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    axes = {0: "batch", 1: "tokens"}
    with tempfile.TemporaryDirectory() as folder:
        full, small = Path(folder) / "full.onnx", Path(folder) / "small.onnx"
        with warnings.catch_warnings():
            # Tracing fixes what depends on shapes; here that is only "more than one word piece", which always holds.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                _Upper(deep).eval(),
                (torch.randn(2, 7, WIDTH), torch.ones(2, 7)),
                str(full),
                input_names=["states", "mask"],
                output_names=["deep_logits"],
                dynamic_axes={"states": axes, "mask": axes, "deep_logits": {0: "batch"}},
                opset_version=OPSET,
                dynamo=False,
            )
        quantize_dynamic(
            str(full), str(small), per_channel=True, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul"]
        )
        model = onnx.load(str(small))
    model.ir_version = IR_VERSION
    return model


def pack_nibbles(table: npt.NDArray[np.float32], block: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float16]]:
    """A table in 4 bits with a scale for each block of a row: two values a byte, and the scales."""
    rows, width = table.shape
    blocks = table.reshape(rows, width // block, block)
    scales = (np.abs(blocks).max(axis=2) / 7.0 + 1e-8).astype(np.float16)
    levels = np.clip(np.rint(blocks / scales[:, :, None].astype(np.float32)), -8, 7).reshape(rows, width) + 8
    low, high = np.split(levels.astype(np.uint8), 2, axis=1)
    return low | (high << np.uint8(4)), scales


def _wide_graph(wide: WideNetwork, ridge: Ridge) -> Any:
    """``features`` (padded with the table's size) -> ``wide_log``, log probabilities, and ``linear``, a log price."""
    packed, scales, rarity = _wide_tables(wide)
    constants: dict[str, npt.NDArray[Any]] = {
        "feature_table": packed,
        "feature_scales": scales,
        "feature_rarity": rarity,
        "ridge_table": np.append(ridge.coefficients, 0.0).astype(np.float16),
        "ridge_intercept": np.array(ridge.intercept, np.float32),
        "axis1": np.array([1], np.int64),
        "tiny": np.array(1e-6, np.float32),
        "gain": np.array(GAIN, np.float32),
        "bag_bias": wide.bias.detach().numpy(),
        "w_low_mask": np.array(15, np.uint8),
        "w_four": np.array(4, np.uint8),
        "w_eight": np.array(8, np.float32),
    }
    nodes = [
        *_gather16("feature_rarity", "rarity"),
        _node("ReduceSumSquare", ["rarity", "axis1"], "squares", keepdims=1),
        _node("Add", ["squares", "tiny"], "squares_safe"),
        _node("Sqrt", ["squares_safe"], "norm"),
        _node("Div", ["rarity", "norm"], "weights"),
        *_gather16("ridge_table", "coefficients"),
        _node("Mul", ["coefficients", "weights"], "contributions"),
        _node("ReduceSum", ["contributions", "axis1"], "line", keepdims=0),
        _node("Add", ["line", "ridge_intercept"], "linear"),
        _node("Gather", ["feature_table", "features"], "w_packed"),
        _node("BitwiseAnd", ["w_packed", "w_low_mask"], "w_low"),
        _node("BitShift", ["w_packed", "w_four"], "w_high", direction="RIGHT"),
        _node("Concat", ["w_low", "w_high"], "w_nibbles", axis=-1),
        _node("Cast", ["w_nibbles"], "w_raised", to=TensorProto.FLOAT),
        _node("Sub", ["w_raised", "w_eight"], "rows"),
        *_gather16("feature_scales", "row_scales"),
        _node("Mul", ["row_scales", "weights"], "row_weights"),
        _node("Unsqueeze", ["row_weights", "axis1"], "row_vector"),
        _node("MatMul", ["row_vector", "rows"], "summed"),
        _node("Squeeze", ["summed", "axis1"], "bag"),
        _node("Mul", ["bag", "gain"], "gained"),
        _node("Add", ["gained", "bag_bias"], "x0"),
    ]
    slices = [f"slice{head}" for head in range(len(wide.heads))]
    nodes.append(helper.make_node("Split", ["x0"], slices, axis=1, num_outputs=len(slices)))
    for head, layers in enumerate(wide.heads):
        nodes += _head_nodes(layers, head, constants)
    nodes.append(helper.make_node("Mean", [f"head{head}_log" for head in range(len(slices))], ["wide_log"]))
    inputs = [helper.make_tensor_value_info("features", TensorProto.INT64, ["batch", "features"])]
    outputs = [
        helper.make_tensor_value_info("wide_log", TensorProto.FLOAT, ["batch", "bins"]),
        helper.make_tensor_value_info("linear", TensorProto.FLOAT, ["batch"]),
    ]
    return helper.make_graph(nodes, "wide", inputs, outputs, _tensors(constants))


def _head_nodes(layers: Any, head: int, constants: dict[str, npt.NDArray[Any]]) -> list[Any]:
    """One head's layers; its weights are added to ``constants``."""
    nodes, last = [], f"slice{head}"
    for index, layer in enumerate(layers):
        name = f"head{head}_{index}"
        if isinstance(layer, nn.Linear):
            constants |= {f"{name}_w": layer.weight.detach().numpy(), f"{name}_b": layer.bias.detach().numpy()}
            nodes.append(_node("Gemm", [last, f"{name}_w", f"{name}_b"], name, transB=1))
        elif isinstance(layer, nn.PReLU):
            constants[f"{name}_slope"] = layer.weight.detach().numpy()
            nodes.append(_node("PRelu", [last, f"{name}_slope"], name))
        else:
            continue  # dropout does nothing at inference
        last = name
    return [*nodes, _node("LogSoftmax", [last], f"head{head}_log", axis=-1)]


def _wide_tables(wide: WideNetwork) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float16], npt.NDArray[np.float16]]:
    """The table in 4 bits, each row's scale, and the rarities; a last row of zeros serves as padding."""
    weight = wide.table.weight.detach().numpy()
    packed, scales = pack_nibbles(weight, weight.shape[1])
    zero = np.zeros(1, np.float16)
    return (
        np.concatenate([packed, np.zeros((1, packed.shape[1]), np.uint8)]),
        np.append(scales[:, 0], zero),
        np.append(wide.rarity.numpy().astype(np.float16), zero),
    )


def _blend_model(share: float) -> Any:
    """Weighted geometric mean of the deep and the wide distribution, renormalised."""
    nodes = [
        _node("LogSoftmax", ["deep_in"], "deep_log", axis=-1),
        _node("Mul", ["deep_log", "share"], "deep_part"),
        _node("Mul", ["wide_in", "rest"], "wide_part"),
        _node("Add", ["deep_part", "wide_part"], "both"),
        _node("Softmax", ["both"], "probabilities", axis=-1),
    ]
    info = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "bins"]) for name in ("deep_in", "wide_in")
    ]
    out = [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", "bins"])]
    constants = {"share": np.array(share, np.float32), "rest": np.array(1 - share, np.float32)}
    return _model(helper.make_graph(nodes, "blend", info, out, _tensors(constants)))


def _node(operator: str, inputs: list[str], output: str, **attributes: Any) -> Any:
    return helper.make_node(operator, inputs, [output], **attributes)


def _gather16(table: str, output: str) -> list[Any]:
    """Rows of a half-precision table by feature, as floats."""
    return [
        _node("Gather", [table, "features"], f"{output}16"),
        _node("Cast", [f"{output}16"], output, to=TensorProto.FLOAT),
    ]


def _union(first: Any, second: Any) -> Any:
    """Both graphs side by side."""
    return helper.make_graph(
        [*first.node, *second.node],
        "specialist",
        [*first.input, *second.input],
        [*first.output, *second.output],
        [*first.initializer, *second.initializer],
    )


def _model(graph: Any) -> Any:
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def _tensors(constants: dict[str, npt.NDArray[Any]]) -> list[Any]:
    return [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in constants.items()]
