"""The ask command works on the real set of agents."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.assemble import Hound
from agents.commands.asking import ask, conversation, usage
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


def test_the_dashboard_s_turns_are_told_to_the_model_in_order(tmp_path: Path) -> None:
    with scripted(streams("Twenty.")) as server, _hound(tmp_path, server.url) as hound:
        talk = conversation(hound)
        assert talk is not None
        assert list(talk("And two?", [("One?", "Ten.")]))[-1] == "Twenty."
        said = [(message["role"], message["content"]) for message in server.requests[0]["messages"][1:]]
    assert said == [("user", "One?"), ("assistant", "Ten."), ("user", "And two?")]


def test_usage_counts_today_s_calls_and_says_when_the_budget_is_spent(tmp_path: Path) -> None:
    with _hound(tmp_path, "http://127.0.0.1:9/v1") as hound:
        hound.store.add_usage("m", 1_200, 34)
        assert usage(hound) == (
            "Today: 1 call, 1,200 tokens in and 34 out (limit 5,000), "
            "cost unknown (set llm_price_input and llm_price_output)."
        )
        hound.store.add_usage("m", 5_000, 0)
        assert "Today's budget of 5,000 tokens is spent" in (usage(hound) or "")


def test_usage_tells_the_cost_where_prices_are_known(tmp_path: Path) -> None:
    prices = {"DEALHOUND_LLM_PRICE_INPUT": "1", "DEALHOUND_LLM_PRICE_OUTPUT": "2"}
    with _hound(tmp_path, "http://127.0.0.1:9/v1", **prices) as hound:
        hound.store.add_usage("m", 100, 10, 0.0123)
        assert "$0.0123." in (usage(hound) or "")


def test_without_a_language_model_there_is_nobody_to_talk_to_and_no_usage(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, environ={"DEALHOUND_DATABASE_URL": fresh_url(tmp_path)})
    with Hound(settings) as hound:
        assert conversation(hound) is None
        assert usage(hound) is None


def _hound(home: Path, url: str, **environ: str) -> Hound:
    base = {
        "DEALHOUND_LLM_BASE_URL": url,
        "DEALHOUND_LLM_DAILY_TOKENS": "5000",
        "DEALHOUND_DATABASE_URL": fresh_url(home),
    }
    return Hound(load_settings(home=home, environ=base | environ))
