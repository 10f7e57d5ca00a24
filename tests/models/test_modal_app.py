"""The Modal app's body, run in this process: it asks and reads as the rest of Dealhound does, with the same numbers."""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from models.data import prompts
from models.specialist import token_prices
from tests.models.conftest import MAX_TOKENS, TEXTS, Tuned

APP = Path(__file__).resolve().parents[2] / "models" / "modal_app.py"
pytestmark = [
    pytest.mark.large,
    pytest.mark.timeout(400),
    pytest.mark.filterwarnings("ignore:.*executing locally"),  # which is the point
]


@pytest.fixture
def app(tuned: Tuned, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The app as Modal loads it, a file on its own, told to use the tiny model."""
    settings = {"BASE": tuned.base, "ADAPTER": tuned.adapter, "MAX_TOKENS": MAX_TOKENS, "GPU": "L4"}
    for name, value in settings.items():
        monkeypatch.setenv(f"SPECIALIST_{name}", str(value))
    spec = importlib.util.spec_from_file_location("modal_app_under_test", APP)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def test_it_imports_nothing_of_ours() -> None:
    tree = ast.parse(APP.read_text())
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    names |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert {name.split(".")[0] for name in names} & {"agents", "framework", "models"} == set()


def test_it_asks_in_the_words_of_the_training(app: ModuleType) -> None:
    assert (app.QUESTION, app.ANSWER) == (prompts.QUESTION, prompts.ANSWER)
    assert (app.LARGEST, app.LIKELIEST) == (token_prices.LARGEST, token_prices.LIKELIEST)


def test_it_says_the_prices_that_the_merged_model_says(app: ModuleType, pricer: Any) -> None:
    specialist = app.Specialist()
    said = specialist.price.local(TEXTS)
    for price, belief in zip(said, pricer.beliefs(TEXTS), strict=True):
        assert price["value"] == pytest.approx(belief.value, rel=1e-3)
        assert (price["low"], price["high"]) == (belief.low, belief.high)
    assert specialist.price.local([]) == []


def test_a_base_that_splits_numbers_does_not_start(app: ModuleType, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(app, "ANSWER", "1")  # the number then joins what stands before it
    with pytest.raises(ValueError, match="no single token"):
        app.Specialist().warm.local()


def test_the_settings_reach_the_container(app: ModuleType) -> None:
    assert app.SETTINGS["SPECIALIST_GPU"] == "L4"
    assert app.SETTINGS["SPECIALIST_MIN_CONTAINERS"] == "0"
    assert app.SETTINGS["SPECIALIST_APP"] == "dealhound-specialist"
