"""The random forest, from training to ONNX."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from framework.errors import ArtifactError, TrainingError
from models.artifact import read_manifest
from models.random_forest import RandomForest
from models.train.forest import ForestSettings, export_forest, fit_forest, train_forest

SMALL = ForestSettings(trees=6, leaves=40, jobs=1)


class FixedEncoder:
    """Gives the rows it was made with, one after the other."""

    def __init__(self, vectors: np.ndarray) -> None:
        self.vectors = vectors

    def encode(self, texts: list[str]) -> np.ndarray:
        return self.vectors[: len(texts)]


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(600, 384)).astype(np.float32)
    return vectors, 4 + vectors[:, 0] + 0.5 * (vectors[:, 1] > 0)


def test_the_exported_forest_says_what_scikit_learn_says(data: tuple[np.ndarray, np.ndarray]) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    vectors, logs = data
    model = fit_forest(vectors, logs, None, SMALL)
    session = onnxruntime.InferenceSession(export_forest(model))
    said = session.run(None, {"vectors": vectors})[0].ravel()
    assert said == pytest.approx(model.predict(vectors), abs=1e-4)


def test_a_trained_forest_prices_in_dollars(data: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    vectors, logs = data
    train_forest(vectors, logs, settings=SMALL, folder=tmp_path, data_sha256="0" * 64)
    said = RandomForest(FixedEncoder(vectors), tmp_path).estimate(["word text"] * 600)
    error = np.log([item.value for item in said]) - logs
    assert np.abs(error).mean() < 0.5 * np.abs(logs - logs.mean()).mean()
    assert read_manifest("forest", tmp_path).data_sha256 == "0" * 64


def test_unusable_texts_fail_and_the_others_are_priced(data: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    vectors, logs = data
    train_forest(vectors, logs, settings=SMALL, folder=tmp_path)
    good, bad = RandomForest(FixedEncoder(vectors), tmp_path).estimate(["a kettle", ""])
    assert good.value is not None
    assert (bad.value, bad.failure) == (None, "The description has no words")


def test_a_handful_of_products_cannot_grow_a_forest() -> None:
    with pytest.raises(TrainingError, match="few hundred"):
        fit_forest(np.zeros((3, 384), np.float32), np.zeros(3), None, SMALL)


def test_products_of_one_price_are_a_training_error() -> None:
    with pytest.raises(TrainingError, match="no split"):
        export_forest(fit_forest(np.zeros((50, 384), np.float32), np.zeros(50), None, SMALL))


def test_a_missing_forest_is_an_artifact_error(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError):
        RandomForest(FixedEncoder(np.zeros((1, 384), np.float32)), tmp_path).estimate(["kettle"])


def test_the_shipped_forest_is_what_its_manifest_says() -> None:
    assert read_manifest("forest").bytes <= 15_000_000
