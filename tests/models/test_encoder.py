"""The frozen encoder and its artifact."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from framework.errors import ArtifactError
from models.artifact import SHIPPED, read_artifact, read_manifest, write_artifact
from models.encoder import DIMENSION, Encoder


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder()


def test_vectors_have_unit_length_and_order_texts_by_meaning(encoder: Encoder) -> None:
    drill, driver, perfume = encoder.encode(
        ["DeWalt 20V cordless drill", "Makita 18V cordless drill driver kit", "Chanel No 5 eau de parfum 50 ml"]
    )
    assert np.linalg.norm(drill) == pytest.approx(1, abs=1e-4)
    assert drill @ driver > drill @ perfume + 0.2


def test_a_text_keeps_its_vector_whatever_it_is_encoded_with(encoder: Encoder) -> None:
    text = "Sony WH-1000XM5 wireless headphones"
    alone = Encoder(cache_size=0).encode([text])[0]
    crowd = Encoder(cache_size=0).encode([text, *(f"LEGO set {n} with {n * 100} pieces" for n in range(40))])[0]
    assert float(alone @ crowd) > 0.98


def test_rows_come_back_in_the_order_of_the_texts(encoder: Encoder) -> None:
    texts = ["a very long text about a mountain bike " * 8, "mug", "a kettle of steel", "mug"]
    rows = encoder.encode(texts)
    assert rows.shape == (4, DIMENSION)
    assert np.array_equal(rows[1], rows[3])
    assert float(rows[1] @ rows[0]) < 0.9


def test_states_come_once_per_text_and_leave_the_vectors_behind() -> None:
    texts = ["a very long text about a mountain bike " * 8, "mug", "a kettle of steel"] * 20
    encoder = Encoder()
    batches = list(encoder.batches(texts))
    assert sorted(np.concatenate([batch.rows for batch in batches]).tolist()) == list(range(60))
    for batch in batches:
        assert batch.states.shape == (*batch.mask.shape, DIMENSION)
        assert (batch.mask.sum(axis=1) >= 3).all()
    assert set(encoder._cache) == set(texts)


def test_no_text_gives_no_vector_and_odd_texts_give_finite_ones(encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, DIMENSION)
    odd = encoder.encode(["", "\x00\x07", "x" * 1_000_000, "\ud800", "電気ケトル 1.5L"])
    assert np.isfinite(odd).all()


def test_a_changed_model_is_refused(tmp_path: Path) -> None:
    for name in ("encoder.json", "encoder.onnx"):
        shutil.copy(SHIPPED / name, tmp_path / name)
    with (tmp_path / "encoder.onnx").open("r+b") as file:
        file.seek(1000)
        file.write(b"changed")
    with pytest.raises(ArtifactError, match="not the one its manifest names"):
        Encoder(tmp_path).encode(["kettle"])


def test_a_missing_model_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="restore it or train"):
        Encoder(tmp_path).encode(["kettle"])


def test_a_file_that_is_no_model_is_an_artifact_error(tmp_path: Path) -> None:
    write_artifact("encoder", b"no model at all", suffix=".onnx", folder=tmp_path)
    with pytest.raises(ArtifactError, match="cannot load the model"):
        Encoder(tmp_path).encode(["kettle"])


def test_a_manifest_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "encoder.json").write_text("{")
    with pytest.raises(ArtifactError, match="not valid JSON"):
        read_manifest("encoder", tmp_path)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    written = write_artifact("thing", b"content", suffix=".bin", folder=tmp_path, metrics={"ratio": 0.4})
    content, manifest = read_artifact("thing", tmp_path)
    assert content == b"content"
    assert manifest == written
    assert sorted(path.name for path in tmp_path.iterdir()) == ["thing.bin", "thing.json"]


def test_the_encoder_stays_within_its_size() -> None:
    manifest = read_manifest("encoder")
    assert manifest.bytes <= 24_000_000
    assert manifest.metrics["cosine_mean"] > 0.98
