"""The ask command works on the real set of agents."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.assemble import Hound
from agents.commands.asking import ask
from framework.errors import SettingsError
from framework.settings import load_settings
from tests.fakes.openai_server import scripted, streams
from tests.framework.memory_examples import fresh_url


def test_a_question_reaches_the_memory_and_comes_back_answered(tmp_path: Path) -> None:
    call = {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "list_feeds", "arguments": "{}"}}]}
    database = fresh_url(tmp_path)
    with scripted(streams(call, finish="tool_calls"), streams("You watch ", "one feed.")) as server:
        environ = {
            "DEALHOUND_LLM_BASE_URL": server.url,
            "DEALHOUND_DATABASE_URL": database,
            "DEALHOUND_FEEDS": "http://feed.test/rss",
        }
        with Hound(load_settings(home=tmp_path, environ=environ)) as hound:
            assert list(ask(hound, "Which feeds?"))[-1] == "You watch one feed."
    assert "http://feed.test/rss" in server.requests[1]["messages"][-1]["content"]


def test_without_a_language_model_it_says_what_to_set(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, environ={"DEALHOUND_DATABASE_URL": fresh_url(tmp_path)})
    with Hound(settings) as hound, pytest.raises(SettingsError, match="OPENAI_API_KEY"):
        next(ask(hound, "Which feeds?"))
