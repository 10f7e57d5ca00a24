"""A model in process: whatever it weighs, its replies keep the schema, and trouble has a name."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("llama_cpp", reason="needs the local extra")

from agents.prompts import DealSelection, PriceSelection
from framework.chat.base import Completion, Form, Message, Request, Tool
from framework.chat.llama_cpp import LlamaCppBackend
from framework.chat.schema import read_reply, strict_schema
from framework.errors import ChatRefused, ChatUnavailable, ContextTooSmall
from tests.fakes.tiny_gguf import make_gguf

pytestmark = [pytest.mark.local]
HELLO = [Message("user", "hello")]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_gguf(tmp_path_factory.mktemp("models") / "tiny.gguf")


@pytest.fixture(scope="module")
def backend(model: Path):
    backend = LlamaCppBackend(str(model), threads=1)
    yield backend
    backend.close()


@pytest.mark.parametrize("schema", [PriceSelection, DealSelection])
def test_random_weights_keep_the_schema(backend: LlamaCppBackend, schema: type) -> None:
    whole = 0
    for seed in range(3):
        request = Request(
            [Message("user", f"hello {seed}")], 400, schema=strict_schema(schema), form=Form.SCHEMA, temperature=1.0
        )
        reply = backend.send(request)
        if reply.finish == "stop":
            read_reply(reply.text, schema)
            whole += 1
    assert whole > 0


def test_a_turn_with_tools_is_a_call_or_an_answer(backend: LlamaCppBackend) -> None:
    tool = Tool.of("look", "look at it", PriceSelection)
    turns = [backend.send(Request([Message("user", str(n))], 400, tools=[tool], temperature=1.0)) for n in range(6)]
    for turn in turns:
        assert turn.finish == "length" or turn.text or [call.name for call in turn.tool_calls] == ["look"]
    assert any(turn.finish != "length" for turn in turns)


def test_a_stream_is_the_pieces_of_the_whole(backend: LlamaCppBackend) -> None:
    *pieces, whole = backend.stream(Request(HELLO, 20))
    assert isinstance(whole, Completion)
    assert "".join(str(piece) for piece in pieces) == whole.text
    assert whole.usage.prompt > 5
    assert 0 < whole.usage.completion <= 20


def test_a_reply_at_its_limit_is_marked_as_cut_off(backend: LlamaCppBackend) -> None:
    request = Request(HELLO, 5, schema=strict_schema(DealSelection), form=Form.SCHEMA)
    assert backend.send(request).finish == "length"


def test_a_request_beyond_the_context_is_told_as_such(model: Path) -> None:
    small = LlamaCppBackend(str(model), context=128, threads=1)
    with pytest.raises(ContextTooSmall):
        small.send(Request([Message("user", "x" * 2_000)], 10))
    assert small.send(Request(HELLO, 5)).usage.completion > 0
    small.close()


def test_a_call_that_takes_too_long_ends(model: Path) -> None:
    hurried = LlamaCppBackend(str(model), timeout=0.0, threads=1)
    with pytest.raises(ChatUnavailable, match="in time"):
        hurried.send(Request(HELLO, 500))
    hurried.close()


def test_a_missing_file_and_a_file_of_rubbish_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ChatRefused, match="llm_model"):
        LlamaCppBackend(str(tmp_path / "none.gguf")).send(Request(HELLO, 5))
    rubbish = tmp_path / "rubbish.gguf"
    rubbish.write_bytes(b"GGUF but not really" * 100)
    with pytest.raises(ChatRefused, match="cannot be loaded"):
        LlamaCppBackend(str(rubbish)).send(Request(HELLO, 5))
