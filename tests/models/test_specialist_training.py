"""Training the specialist in small on made-up products: it learns, resumes, and writes what the runtime loads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from framework.errors import TrainingError
from models.artifact import SHIPPED, write_artifact

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from models.encoder import Encoder  # noqa: E402
from models.specialist import Specialist  # noqa: E402
from models.specialist.artifact import FILE  # noqa: E402
from models.train.specialist import train_specialist  # noqa: E402
from models.train.specialist_deep import (  # noqa: E402
    DeepData,
    DeepSettings,
    DeepTraining,
    States,
    checkpoint_position,
    same_length_batches,
)
from models.train.specialist_export import export_specialist, pack_nibbles  # noqa: E402
from models.train.specialist_network import WIDTH, DeepNetwork, WideNetwork, load_minilm  # noqa: E402
from models.train.specialist_warm import trained_weights  # noqa: E402
from models.train.specialist_wide import Ridge  # noqa: E402

pytestmark = pytest.mark.train

BASE = {"kettle": 30.0, "laptop": 900.0, "cable": 8.0, "monitor": 220.0}


def products(count: int) -> list[dict[str, object]]:
    rng = np.random.default_rng(7)
    colours = ["red", "blue", "black", "white"]
    rows: list[dict[str, object]] = []
    for index in range(count):
        kind = list(BASE)[index % len(BASE)]
        row = {"id": str(index), "title": f"{colours[rng.integers(4)]} {kind} {rng.integers(100)}", "description": ""}
        price = BASE[kind] * float(np.exp(rng.normal(0, 0.1)))
        rows.append({**row, "price": price, "vintage": 2023, "split": "dev" if index % 5 == 0 else "train"})
    return rows


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("products") / "products.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in products(320)))
    return path


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[dict[str, float]]]:
    out, work = tmp_path_factory.mktemp("out"), tmp_path_factory.mktemp("work")
    reports: list[dict[str, float]] = []
    train_specialist(data, out, size="tiny", seed=1, work=work, on_progress=reports.append)
    return out, work, reports


def test_a_tiny_training_writes_an_artifact_that_tells_dear_from_cheap(
    trained: tuple[Path, Path, list[object]],
) -> None:
    laptop, cable = Specialist(Encoder(), trained[0]).estimate(["black laptop 12", "white cable 3"])
    assert laptop.value is not None
    assert cable.value is not None
    assert laptop.value > 3 * cable.value


def test_progress_is_reported(trained: tuple[Path, Path, list[dict[str, float]]]) -> None:
    assert [report["wide_epoch"] for report in trained[2] if "wide_epoch" in report] == [0, 1]


def test_resuming_a_finished_training_trains_nothing_again(
    data: Path, trained: tuple[Path, Path, list[object]], tmp_path: Path
) -> None:
    _, work, _ = trained
    before = checkpoint_position(work / "deep.safetensors")
    reports: list[dict[str, float]] = []
    train_specialist(data, tmp_path, size="tiny", seed=1, work=work, resume=True, on_progress=reports.append)
    assert reports == []
    assert checkpoint_position(work / "deep.safetensors")["step"] == before["step"] > 0


def deep_training(folder: Path, epochs: int) -> DeepTraining:
    network = DeepNetwork(load_minilm(), layers=5)  # one layer is enough to test with
    return DeepTraining(network, DeepSettings(epochs=epochs, batch=8), folder, 0, torch.device("cpu"))


def deep_data() -> DeepData:
    rng = np.random.default_rng(3)
    states = States(rng.normal(size=(40 * 5, WIDTH)).astype(np.float16), np.arange(0, 201, 5))
    return DeepData(states, rng.normal(4, 1, 40), np.ones(40), np.ones(40))


def test_a_resumed_training_goes_on_from_the_checkpoints_weights_and_moments(tmp_path: Path) -> None:
    first = deep_training(tmp_path, 1)
    first.run(deep_data(), lambda report: None)
    second = deep_training(tmp_path, 2)
    assert second.resume()
    assert (second.step, second.epoch) == (first.step, 1) == (5, 1)
    for one, other in zip(first.network.parameters(), second.network.parameters(), strict=True):
        assert torch.equal(one, other)
    for one, other in zip(first.averaged.parameters(), second.averaged.parameters(), strict=True):
        assert torch.equal(one, other)
    moments = [optimizer.state_dict()["state"][0]["exp_avg"] for optimizer in (first.optimizer, second.optimizer)]
    assert torch.equal(moments[0], moments[1])
    second.run(deep_data(), lambda report: None)
    assert (second.step, second.epoch) == (10, 2)


def test_the_network_that_comes_out_is_the_average_of_the_steps_and_drops_nothing(tmp_path: Path) -> None:
    training = deep_training(tmp_path, 2)
    before = training.network.out.weight.detach().clone()
    training.run(deep_data(), lambda report: None)
    moved = [(weight - before).norm().item() for weight in (training.averaged.out.weight, training.network.out.weight)]
    assert 0 < moved[0] < moved[1]
    predicted = training.predict(deep_data().states)
    assert np.array_equal(predicted, training.predict(deep_data().states))
    training.averaged.train()  # with dropout each call would say something else
    states = deep_data().states.batch(range(4), torch.device("cpu"))
    assert not torch.equal(training.averaged(states), training.averaged(states))


def test_there_is_nothing_to_resume_in_an_empty_folder(tmp_path: Path) -> None:
    assert not deep_training(tmp_path, 1).resume()


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    network = DeepNetwork(load_minilm(), layers=4)  # one layer more
    DeepTraining(network, DeepSettings(), tmp_path, 0, torch.device("cpu")).save()
    with pytest.raises(TrainingError, match="without --resume"):
        deep_training(tmp_path, 1).resume()


def test_batches_hold_every_text_once_and_one_length_each() -> None:
    lengths = np.random.default_rng(0).integers(3, 9, 200)
    batches = same_length_batches(lengths, 0, np.random.default_rng(1), 16)
    assert sorted(np.concatenate(batches).tolist()) == list(range(200))
    assert all(len(set(lengths[rows])) == 1 and len(rows) <= 16 for rows in batches)


def test_four_bits_keep_a_vectors_direction() -> None:
    table = np.random.default_rng(0).normal(size=(50, WIDTH)).astype(np.float32)
    packed, scales = pack_nibbles(table, 32)
    levels = np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32) - 8
    restored = (levels.reshape(50, -1, 32) * scales[:, :, None].astype(np.float32)).reshape(50, WIDTH)
    cosine = (restored * table).sum(1) / np.linalg.norm(restored, axis=1) / np.linalg.norm(table, axis=1)
    assert cosine.min() > 0.98


def test_a_shipped_specialist_can_be_trained_on(tmp_path: Path) -> None:
    network = DeepNetwork(load_minilm())
    network.load_state_dict(trained_weights(SHIPPED))
    fresh = DeepNetwork(load_minilm())
    states = torch.randn(2, 7, WIDTH)
    assert not torch.allclose(network(states), fresh(states), atol=0.1)
    export_specialist(tmp_path / FILE, network, WideNetwork(2**10, 8, 1), Ridge(np.zeros(2**10, np.float32), 4.0), 0.5)
    write_artifact("specialist", (tmp_path / FILE).read_bytes(), suffix=".onnx", folder=tmp_path)
    again = trained_weights(tmp_path)
    assert all(torch.allclose(again[name], value, atol=0.02) for name, value in network.state_dict().items())


def test_each_step_leaves_out_other_word_pieces_but_never_the_first(tmp_path: Path) -> None:
    training = deep_training(tmp_path, 1)
    states = torch.arange(50.0)[None, :, None].expand(2, 50, WIDTH)
    drawn = [training._some_pieces(states)[0, :, 0].tolist() for _ in range(20)]
    assert all(row[0] == 0 and row == sorted(row) for row in drawn)
    assert 800 < sum(map(len, drawn)) < 1_000
    assert len({tuple(row) for row in drawn}) > 10


def test_too_few_products_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "few.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in products(20)))
    with pytest.raises(TrainingError, match="too few"):
        train_specialist(path, tmp_path / "out", size="tiny", work=tmp_path / "work")
