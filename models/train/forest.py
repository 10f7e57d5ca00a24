"""Train the random forest on the encoder's vectors and export it to ONNX.

The export is written by hand as one ``TreeEnsemble`` node (ONNX-ML 5): at about 20 bytes a split it is half the size of
the older operator that converters emit, so the same file holds twice the trees.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog

from framework.errors import TrainingError
from models.artifact import SHIPPED, Manifest, write_artifact
from models.encoder import DIMENSION, Vectors

log = structlog.get_logger("train.forest")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ForestSettings:
    """Size and shape of the forest. The defaults fit 10 MB and were chosen on the dev split."""

    trees: int = 60
    leaves: int = 6_500
    least_samples: int = 3
    features: float = 0.1
    jobs: int = 2
    seed: int = 7


def train_forest(
    vectors: Vectors,
    log_prices: Floats,
    weights: Floats | None = None,
    *,
    settings: ForestSettings | None = None,
    folder: Path = SHIPPED,
    data_sha256: str | None = None,
    metrics: dict[str, float] | None = None,
) -> Manifest:
    """Fit and write ``forest.onnx`` with its manifest.

    Raises ``TrainingError`` when there are too few products to grow a tree.
    """
    chosen = settings or ForestSettings()
    model = fit_forest(vectors, log_prices, weights, chosen)
    content = export_forest(model)
    return write_artifact(
        "forest",
        content,
        suffix=".onnx",
        folder=folder,
        source=f"scikit-learn RandomForestRegressor on {len(vectors)} products' vectors, target log price",
        data_sha256=data_sha256,
        metrics=metrics,
        settings={name: getattr(chosen, name) for name in ("trees", "leaves", "least_samples", "features", "seed")},
        libraries=("scikit-learn", "onnx", "numpy"),
    )


def fit_forest(vectors: Vectors, log_prices: Floats, weights: Floats | None, settings: ForestSettings) -> Any:
    """The fitted scikit-learn forest."""
    from sklearn.ensemble import RandomForestRegressor

    if len(vectors) < 2 * settings.least_samples:
        raise TrainingError(f"A forest cannot grow on {len(vectors)} products; give at least a few hundred")
    model = RandomForestRegressor(
        n_estimators=settings.trees,
        max_leaf_nodes=settings.leaves,
        min_samples_leaf=settings.least_samples,
        max_features=settings.features,
        n_jobs=settings.jobs,
        random_state=settings.seed,
    )
    log.info("forest_training", products=len(vectors), trees=settings.trees)
    model.fit(vectors, log_prices, sample_weight=weights)
    return model


def export_forest(model: Any) -> bytes:
    """The forest as an ONNX model with input ``vectors`` (n, 384) and output ``log_price`` (n, 1)."""
    from onnx import TensorProto, helper

    tables = _tables([estimator.tree_ for estimator in model.estimators_])
    node = helper.make_node(
        "TreeEnsemble", ["vectors"], ["log_price"], domain="ai.onnx.ml", n_targets=1, aggregate_function=0, **tables
    )
    graph = helper.make_graph(
        [node],
        "forest",
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["n", DIMENSION])],
        [helper.make_tensor_value_info("log_price", TensorProto.FLOAT, ["n", 1])],
    )
    opsets = [helper.make_opsetid("ai.onnx.ml", 5), helper.make_opsetid("", 18)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()  # type: ignore[no-any-return]


def _tables(trees: list[Any]) -> dict[str, Any]:
    """The operator's flat tables: splits and leaves of all trees are numbered in two runs, children refer to either."""
    from onnx import numpy_helper

    columns: dict[str, list[npt.NDArray[Any]]] = {}
    roots: list[int] = []
    splits = leaves = 0
    for tree in trees:
        is_leaf = tree.children_left < 0
        if is_leaf[0]:
            raise TrainingError("A tree of the forest has no split; give more products")
        number = np.where(is_leaf, leaves + np.cumsum(is_leaf) - 1, splits + np.cumsum(~is_leaf) - 1)
        left, right = tree.children_left[~is_leaf], tree.children_right[~is_leaf]
        part = {
            "nodes_featureids": tree.feature[~is_leaf],
            "splits": _round_down(tree.threshold[~is_leaf]),
            "nodes_truenodeids": number[left],
            "nodes_trueleafs": is_leaf[left],
            "nodes_falsenodeids": number[right],
            "nodes_falseleafs": is_leaf[right],
            "leaves": tree.value[is_leaf].ravel(),
        }
        roots.append(splits)
        for name, column in part.items():
            columns.setdefault(name, []).append(column)
        splits += int((~is_leaf).sum())
        leaves += int(is_leaf.sum())
    joined = {name: np.concatenate(parts) for name, parts in columns.items()}
    threshold, value = joined.pop("splits").astype(np.float32), joined.pop("leaves").astype(np.float32)
    tables: dict[str, Any] = {name: column.astype(np.int64).tolist() for name, column in joined.items()}
    tables["nodes_splits"] = numpy_helper.from_array(threshold, "splits")
    tables["nodes_modes"] = numpy_helper.from_array(np.zeros(splits, np.uint8), "modes")  # 0: x <= split goes "true"
    tables["leaf_weights"] = numpy_helper.from_array(value, "leaves")
    tables["leaf_targetids"] = [0] * leaves
    tables["tree_roots"] = roots
    return tables


def _round_down(thresholds: Floats) -> Floats:
    """Thresholds as the largest float32 not above them, so that ``x <= t`` decides alike for float32 inputs."""
    single = thresholds.astype(np.float32)
    above = single.astype(np.float64) > thresholds
    return np.where(above, np.nextafter(single, np.float32(-np.inf)), single).astype(np.float64)
