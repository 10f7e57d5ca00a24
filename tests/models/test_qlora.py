"""Fine-tuning a tiny random Llama end to end: it learns from the price alone and goes on where it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from framework.errors import ArtifactError, HubError, SettingsError, TrainingError
from models.train.qlora.settings import QloraSettings, read_settings
from tests.models.conftest import Tuned

pytestmark = [pytest.mark.large, pytest.mark.timeout(400)]


def test_settings_come_from_the_file_then_from_the_command_line(tmp_path: Path) -> None:
    config = tmp_path / "qlora.toml"
    config.write_text('r = 16\ntarget_modules = ["q_proj"]\n')
    settings = read_settings(config, ["r=4", "schedule=linear", "double_quant=false"])
    assert (settings.r, settings.schedule, settings.double_quant) == (4, "linear", False)
    assert settings.target_modules == ("q_proj",)


@pytest.mark.parametrize(
    ("override", "said"),
    [("rank=8", "rank"), ("r=many", "r: "), ("r", "name=value"), ("bits=5", "bits"), ("dropout=1.5", "dropout")],
)
def test_a_setting_that_does_not_fit_is_named(override: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read_settings(None, [override])


def test_the_loss_falls_on_the_price_alone(tuned: Tuned) -> None:
    from models.data.products import load_products
    from models.train.qlora.base import load_tokenizer
    from models.train.qlora.examples import as_dataset
    from models.train.qlora.training import _trainer

    tokenizer, _ = load_tokenizer(str(tuned.base))
    products = load_products(tuned.data)[:16]
    assert as_dataset(products, tokenizer, 32)[0]["completion"] == str(round(products[0].price))
    trainer = _trainer(
        str(tuned.base), tuned.settings, tokenizer, products, products, tuned.work / "none", None, lambda report: None
    )
    batch = next(iter(trainer.get_train_dataloader()))
    wanted = {f"{round(product.price)}<|end_of_text|>" for product in products}
    for labels in batch["labels"]:
        assert tokenizer.decode(labels[labels != -100]) in wanted


def test_it_learns(tuned: Tuned) -> None:
    losses = [report["loss"] for report in tuned.reports if "loss" in report]
    assert losses[-1] < losses[0] - 1
    assert tuned.reports[-1]["step"] == 40


def test_both_readings_are_measured_and_recorded(tuned: Tuned) -> None:
    recorded = json.loads((tuned.adapter / "dealhound.json").read_text())
    assert recorded == tuned.manifest.model_dump(mode="json")
    assert recorded["base"] == str(tuned.base)
    assert recorded["products"] == 192
    assert recorded["metrics"]["expected"]["count"] == recorded["metrics"]["greedy"]["count"] == 16
    assert 0 <= recorded["metrics"]["coverage"]["whole"] <= 1


def test_it_goes_on_from_its_last_checkpoint(tuned: Tuned, tmp_path: Path) -> None:
    from models.train.qlora.training import train_qlora

    reports: list[dict[str, float]] = []
    longer = tuned.settings.model_copy(update={"max_steps": 45})
    train_qlora(tuned.data, tmp_path, str(tuned.base), longer, work=tuned.work, resume=True, on_progress=reports.append)
    assert {report["step"] for report in reports} == {45}
    assert (tmp_path / "adapter_model.safetensors").is_file()


def test_checkpoints_are_neither_overwritten_nor_missed(tuned: Tuned, tmp_path: Path) -> None:
    from models.train.qlora.training import train_qlora

    with pytest.raises(TrainingError, match="add --resume"):
        train_qlora(tuned.data, tmp_path, str(tuned.base), tuned.settings, work=tuned.work)
    with pytest.raises(TrainingError, match="no checkpoint"):
        train_qlora(tuned.data, tmp_path, str(tuned.base), tuned.settings, work=tmp_path / "new", resume=True)


def test_a_base_that_is_not_there_or_splits_numbers_is_refused(tuned: Tuned, tmp_path: Path, monkeypatch: Any) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    from models.train.qlora.base import load_tokenizer

    with pytest.raises(TrainingError, match="cannot be loaded"):
        load_tokenizer(str(tmp_path / "nowhere"))
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    digits = Tokenizer(models.BPE(vocab={letter: number for number, letter in enumerate(alphabet)}, merges=[]))
    digits.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    PreTrainedTokenizerFast(tokenizer_object=digits, eos_token="!").save_pretrained(str(tmp_path / "digits"))
    with pytest.raises(TrainingError, match="no single token for the number 10"):
        load_tokenizer(str(tmp_path / "digits"))


def test_a_tracker_that_is_not_installed_is_said_before_the_work(
    tuned: Tuned, tmp_path: Path, monkeypatch: Any
) -> None:
    from models.train.qlora import training

    monkeypatch.setattr(training.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match="pip install wandb"):
        training.train_qlora(tuned.data, tmp_path, str(tuned.base), QloraSettings(track="wandb"), work=tmp_path)


def test_a_hub_that_cannot_be_pushed_to_is_found_out_before_the_work(
    tuned: Tuned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    from models.train.qlora.training import train_qlora

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    settings = tuned.settings.model_copy(update={"push_to": "owner/prices"})
    with pytest.raises(HubError, match="owner/prices"):
        train_qlora(tuned.data, tmp_path / "out", str(tuned.base), settings, work=tmp_path / "work")
    assert not (tmp_path / "out").exists()


def test_every_checkpoint_goes_to_the_hub_where_a_repository_is_set(tmp_path: Path) -> None:
    from models.train.qlora.training import _arguments

    arguments = _arguments(QloraSettings(push_to="owner/prices", track="tensorboard"), tmp_path, "hf_secret")
    assert (arguments.push_to_hub, arguments.hub_model_id, arguments.hub_private_repo) == (True, "owner/prices", True)
    assert arguments.hub_strategy.value == "every_save"
    assert "hf_secret" not in arguments.to_json_string()


def test_merging_needs_an_adapter(tmp_path: Path) -> None:
    from models.train.qlora.merge import merge_adapter

    with pytest.raises(ArtifactError, match="--method qlora"):
        merge_adapter(tmp_path, tmp_path / "out")


def test_the_merged_model_says_what_base_and_adapter_say(tuned: Tuned, pricer: Any) -> None:
    from peft import AutoPeftModelForCausalLM

    from models.train.qlora.base import load_tokenizer
    from models.train.qlora.pricer import TransformersPricer
    from tests.models.conftest import MAX_TOKENS, TEXTS

    tokenizer, prices = load_tokenizer(str(tuned.adapter))
    unmerged = TransformersPricer(
        AutoPeftModelForCausalLM.from_pretrained(str(tuned.adapter)), tokenizer, prices, max_tokens=MAX_TOKENS
    )
    for one, other in zip(unmerged.beliefs(TEXTS), pricer.beliefs(TEXTS), strict=True):
        assert one.value == pytest.approx(other.value, rel=1e-3)
