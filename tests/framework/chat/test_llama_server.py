"""Against a real OpenAI-compatible server: llama-cpp-python's own, with a model of random weights."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

pytest.importorskip("llama_cpp.server.app", reason="needs the local extra")

from agents.llm_reader import LlmReader
from agents.prompts import DealSelection
from framework.chat.base import Form, Message, Request
from framework.chat.budget import Budget
from framework.chat.client import Chat
from framework.chat.openai import OpenAIBackend
from framework.chat.schema import read_reply, strict_schema
from framework.deals import Entry, Reading, ReadingVerdict
from framework.errors import ChatError, ChatReplyError, ContextTooSmall
from framework.money import Money
from framework.reading.extractive import ExtractiveReader
from tests.fakes.ledger import Ledger
from tests.fakes.tiny_gguf import make_gguf

pytestmark = [pytest.mark.local]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    model = make_gguf(folder / "tiny.gguf", context=2048)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "llama_cpp.server",
        "--model",
        str(model),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    command += ["--n_ctx", "2048", "--n_threads", "1", "--n_threads_batch", "1"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": ""})
    try:
        _wait_for(f"http://127.0.0.1:{port}/v1/models", process)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert process.poll() is None, "the server ended"
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    pytest.fail("the server did not start")


@pytest.fixture
def backend(url: str) -> Iterator[OpenAIBackend]:
    backend = OpenAIBackend("tiny", base_url=url, timeout=90)
    yield backend
    backend.close()


def test_random_weights_under_its_grammar_keep_the_schema(backend: OpenAIBackend) -> None:
    ended = 0
    for n in range(3):
        request = Request([Message("user", f"hello {n}")], 400, schema=strict_schema(DealSelection), temperature=1.0)
        reply = backend.send(request.in_form(Form.GRAMMAR))
        if reply.finish == "stop":
            read_reply(reply.text, DealSelection)
            ended += 1
    assert ended > 0


def test_a_request_beyond_its_context_is_told_as_such(backend: OpenAIBackend) -> None:
    with pytest.raises(ContextTooSmall):
        backend.send(Request([Message("user", "x" * 9_000)], 10))


def test_a_structured_reply_comes_back_valid_or_as_a_named_error(backend: OpenAIBackend) -> None:
    assert isinstance(_outcome(Chat(backend, Budget(Ledger()))), DealSelection | ChatReplyError)


def _outcome(chat: Chat) -> DealSelection | ChatError:
    try:
        return chat.parse([Message("user", "hello")], DealSelection, purpose="test", max_tokens=300).value
    except ChatError as error:
        return error


class Unsure:
    """The grammar with its certainty taken away, so that the model is asked about everything."""

    def read(self, entries, pages) -> list[Reading]:
        return [one.model_copy(update={"certain": False}) for one in ExtractiveReader().read(entries, pages)]


def test_whatever_it_says_the_deals_are_read_by_the_grammar(backend: OpenAIBackend) -> None:
    entries = [
        Entry(id=f"e{n}", feed_url="http://f.test", url=f"http://s.test/{n}", title=f"Lumo Lamp L{n} for ${n}9.99")
        for n in range(1, 5)
    ]
    ledger = Ledger()
    reader = LlmReader(Chat(backend, Budget(ledger)), Unsure(), ledger, batch=2)
    readings = reader.read(entries, {})
    assert [reading.verdict for reading in readings] == [ReadingVerdict.DEAL] * 4
    assert [reading.deal.price for reading in readings if reading.deal] == [Money.of(f"{n}9.99") for n in range(1, 5)]
    assert [reading.deal.url for reading in readings if reading.deal] == [f"http://s.test/{n}" for n in range(1, 5)]
    assert reader.last.asked > 0 or reader.last.degraded
    assert sum(row[2] + row[3] for row in ledger.rows) > 0
