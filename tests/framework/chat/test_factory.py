"""The settings choose the model that their description says."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from framework.chat.factory import build_chat, chosen, limits_of
from framework.errors import SettingsError
from framework.settings import load_settings
from tests.fakes.ledger import Ledger


def settings(tmp_path: Path, **values: str) -> Any:
    return load_settings(home=tmp_path, environ=values)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({}, "none"),
        ({"OPENAI_API_KEY": "k"}, "openai"),
        ({"DEALHOUND_LLM_BASE_URL": "http://127.0.0.1:11434/v1"}, "openai"),
        ({"DEALHOUND_LLM_MODEL": "model.GGUF"}, "llama_cpp"),
        ({"DEALHOUND_LLM_MODEL": "owner/repository:file.gguf"}, "llama_cpp"),
        ({"DEALHOUND_LLM_MODEL": "gpt-4o"}, "none"),
        ({"DEALHOUND_LLM": "none", "OPENAI_API_KEY": "k"}, "none"),
    ],
)
def test_auto_takes_what_is_set_up(tmp_path: Path, values: dict[str, str], kind: str) -> None:
    assert chosen(settings(tmp_path, **values)) == kind


def test_without_a_model_there_is_no_chat(tmp_path: Path) -> None:
    assert build_chat(settings(tmp_path), Ledger()) is None


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"DEALHOUND_LLM": "openai"}, "OPENAI_API_KEY"),
        ({"DEALHOUND_LLM": "llama_cpp"}, "llm_model"),
        ({"DEALHOUND_LLM_BASE_URL": "ftp://x"}, "llm_base_url"),
    ],
)
def test_settings_that_cannot_work_say_what_is_missing(tmp_path: Path, values: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        build_chat(settings(tmp_path, **values), Ledger())


def test_prices_are_known_for_the_default_model_and_overruled_by_settings(tmp_path: Path) -> None:
    assert limits_of(settings(tmp_path, OPENAI_API_KEY="k")).price_output == Decimal("0.60")
    assert limits_of(settings(tmp_path, OPENAI_API_KEY="k", DEALHOUND_LLM_MODEL="other")).price_output is None
    own = settings(tmp_path, OPENAI_API_KEY="k", DEALHOUND_LLM_PRICE_INPUT="1", DEALHOUND_LLM_PRICE_OUTPUT="2")
    assert (limits_of(own).price_input, limits_of(own).price_output) == (Decimal("1.0"), Decimal("2.0"))
    assert limits_of(settings(tmp_path, DEALHOUND_LLM_MODEL="m.gguf")).price_input == 0


def test_a_relative_gguf_is_looked_for_in_the_home_folder(tmp_path: Path) -> None:
    chat = build_chat(settings(tmp_path, DEALHOUND_LLM_MODEL="models/m.gguf"), Ledger())
    assert chat is not None
    assert chat.model == "m.gguf"
