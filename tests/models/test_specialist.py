"""The specialist with the shipped artifact: values, failures, hostile texts, and artifacts that must not load."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from framework.errors import ArtifactError
from models.artifact import SHIPPED, read_artifact, write_artifact
from models.encoder import Encoder
from models.specialist import Specialist
from models.specialist.artifact import FILE, NAME, load_specialist
from models.specialist.estimator import NO_TEXT

TEXTS = [
    "Stainless steel electric kettle, 1.7 l, 1500 W",
    "Laptop 16 inch, 32 GB memory, 1 TB SSD, dedicated graphics\nA fast machine for games and work.",
    "USB-C cable 2-pack, 6 ft",
]


@pytest.fixture(scope="module")
def specialist() -> Specialist:
    return Specialist(Encoder())


def copy_artifact(folder: Path) -> Path:
    for name in (FILE, f"{NAME}.json"):
        shutil.copy(SHIPPED / name, folder / name)
    return folder


def test_each_description_gets_its_own_estimate_in_order(specialist: Specialist) -> None:
    cable, laptop = specialist.estimate([TEXTS[2], TEXTS[1]])
    assert cable.member == laptop.member == "specialist"
    assert cable.value is not None
    assert laptop.value is not None
    assert 5 * cable.value < laptop.value


def test_no_descriptions_are_no_estimates(specialist: Specialist) -> None:
    assert specialist.estimate([]) == []


@pytest.mark.parametrize("text", ["", "   \n\t", "\x00\x07", "!?! ---", "🫖"])
def test_a_description_without_a_word_fails_as_no_text(specialist: Specialist, text: str) -> None:
    empty, kettle = specialist.estimate([text, TEXTS[0]])
    assert empty.failure == NO_TEXT
    assert empty.value is None
    assert kettle.value is not None


@pytest.mark.parametrize(
    "text",
    [
        "kettle " * 150_000,
        "a" * 1_000_000,
        "Ket\x00tle \x1b[31m\ud800",
        "電気ケトル ステンレス",
        "Чайник электрический",
        "é" * 5_000,
    ],
    ids=["a megabyte", "one word", "control characters", "Japanese", "Russian", "accents"],
)
def test_any_text_with_a_word_gets_a_plausible_value(specialist: Specialist, text: str) -> None:
    (estimate,) = specialist.estimate([text])
    assert estimate.value is not None
    assert 0.5 <= estimate.value <= 5_000


def test_a_text_is_worth_the_same_alone_and_in_a_batch(specialist: Specialist) -> None:
    alone = [specialist.log_predictions([text])[0][0] for text in TEXTS]
    together, _ = specialist.log_predictions([*TEXTS, "word " * 300])
    # Activations are quantized by their range over the batch, so a little moves with the neighbours.
    assert np.allclose(alone, together[:3], atol=0.15)


def test_log_predictions_are_values_and_spreads_with_nan_for_failures(specialist: Specialist) -> None:
    centre, spread = specialist.log_predictions([*TEXTS, ""])
    values = [estimate.value for estimate in specialist.estimate(TEXTS)]
    assert np.allclose(np.exp(centre[:3]), values, rtol=1e-6)
    assert (spread[:3] > 0).all()
    assert np.isnan([centre[3], spread[3]]).all()


def test_threads_may_share_a_specialist_that_is_not_loaded_yet() -> None:
    specialist = Specialist(Encoder())
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(specialist.log_predictions, [TEXTS] * 4))
    assert all(np.allclose(results[0][0], centre, atol=1e-6) for centre, _ in results)


def test_nothing_is_read_before_the_first_estimate(tmp_path: Path) -> None:
    specialist = Specialist(Encoder(), tmp_path)
    with pytest.raises(ArtifactError, match="restore it or train"):
        specialist.estimate(TEXTS)


def test_a_changed_graph_is_refused(tmp_path: Path) -> None:
    graph = copy_artifact(tmp_path) / FILE
    content = bytearray(graph.read_bytes())
    content[len(content) // 2] ^= 1
    graph.write_bytes(content)
    with pytest.raises(ArtifactError, match="not the one its manifest names"):
        Specialist(Encoder(), tmp_path).estimate(TEXTS)


def test_a_damaged_manifest_is_refused(tmp_path: Path) -> None:
    (copy_artifact(tmp_path) / f"{NAME}.json").write_text('{"sha256": "none"}')
    with pytest.raises(ArtifactError, match="not valid JSON"):
        Specialist(Encoder(), tmp_path).estimate(TEXTS)


def rewritten(folder: Path, content: bytes, **settings: object) -> Specialist:
    manifest = read_artifact(NAME, SHIPPED)[1]
    write_artifact(NAME, content, suffix=".onnx", folder=folder, settings={**manifest.settings, **settings})
    return Specialist(Encoder(), folder)


def test_a_graph_that_is_no_onnx_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="cannot load"):
        rewritten(tmp_path, b"junk").estimate(TEXTS)


def test_a_specialist_of_another_encoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="another encoder"):
        rewritten(tmp_path, b"whatever", encoder_sha256="0" * 64).estimate(TEXTS)


def test_a_specialist_of_an_older_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="older release"):
        rewritten(tmp_path, b"whatever", table=None).estimate(TEXTS)


def test_the_shipped_artifact_is_small_and_names_its_origin() -> None:
    _, content = load_specialist(SHIPPED, Encoder().digest)
    _, manifest = read_artifact(NAME, SHIPPED)
    assert len(content) <= 24_000_000
    assert len(str(manifest.data_sha256)) == 64
    assert manifest.versions["onnxruntime"]
    assert manifest.metrics["ratio"] <= 0.42


def test_an_estimate_says_how_sure_the_specialist_is(specialist: Specialist) -> None:
    (kettle,) = specialist.estimate([TEXTS[0]])
    assert kettle.spread is not None
    assert 0.05 < kettle.spread < 2.0


@pytest.mark.shared
def test_the_shipped_specialist_is_as_accurate_as_its_manifest_says(shared: Path, specialist: Specialist) -> None:
    from models.data.products import load_products

    dev = load_products(shared / "data" / "products.jsonl.gz", "dev")[::10]
    price = np.array([product.price for product in dev])
    centre, _ = specialist.log_predictions([product.text for product in dev])
    rmsle = np.sqrt(np.mean((np.log1p(np.exp(centre)) - np.log1p(price)) ** 2))
    assert rmsle <= read_artifact(NAME, SHIPPED)[1].metrics["rmsle"] + 0.06
