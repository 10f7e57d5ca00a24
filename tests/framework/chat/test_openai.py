"""The OpenAI backend and the client over it, against a scripted server."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from pydantic import BaseModel, Field
from structlog.testing import capture_logs

from framework.chat.base import Completion, Message, Request, Tool, Usage
from framework.chat.client import Chat
from framework.chat.openai import OpenAIBackend
from framework.chat.openai_errors import retry_after
from framework.errors import (
    ChatDeclined,
    ChatError,
    ChatRefused,
    ChatReplyError,
    ChatUnavailable,
    ContextTooSmall,
    ReplyCutOff,
    SettingsError,
)
from tests.fakes.ledger import Ledger
from tests.fakes.openai_server import Body, Reply, Step, calls, fails, gives, refuses, says, scripted, streams

Connect = Callable[..., Chat]
HELLO = [Message("user", "hello")]


class Answer(BaseModel):
    price: float = Field(gt=0, description="in dollars")
    note: str = Field(default="", max_length=50)


def has_format(kind: str | None, **more: object) -> Callable[[Body], None]:
    def expect(body: Body) -> None:
        given = body.get("response_format")
        assert (given or {}).get("type") == kind, given
        for name in more:
            assert name in (given or {}), given

    return expect


def test_a_structured_reply_is_asked_for_with_a_strict_schema(connect: Connect) -> None:
    with scripted(Step(gives({"price": 5, "note": "ok"}), has_format("json_schema"))) as server:
        parsed = connect(server).parse(HELLO, Answer, purpose="test")
    assert parsed.value == Answer(price=5, note="ok")
    schema = server.requests[0]["response_format"]["json_schema"]
    assert schema["strict"] is True
    assert schema["schema"]["required"] == ["price", "note"]
    assert schema["schema"]["additionalProperties"] is False
    assert "maxLength" not in json.dumps(schema)
    assert "default" not in json.dumps(schema)
    assert schema["schema"]["properties"]["price"]["description"] == "in dollars"


def test_a_server_without_schemas_is_asked_in_simpler_forms_and_this_is_logged_once(connect: Connect) -> None:
    unknown = fails(400, "response_format type json_schema is not supported")
    script = [
        Step(unknown, has_format("json_schema")),
        Step(fails(422, "extra fields not permitted"), has_format("json_object", schema=True)),
        Step(gives({"price": 5}), has_format("json_object")),
        Step(gives({"price": 6}), has_format("json_object")),
    ]
    with scripted(*script) as server, capture_logs() as logs:
        chat = connect(server)
        assert chat.parse(HELLO, Answer, purpose="test").value.price == 5
        assert chat.parse(HELLO, Answer, purpose="test").value.price == 6
    steps = [line["next"] for line in logs if line["event"] == "server does not know this form of reply"]
    assert steps == ["grammar", "json"]
    assert "JSON schema" in server.requests[2]["messages"][-1]["content"]


def test_the_last_form_is_plain_text_around_json(connect: Connect) -> None:
    unknown = fails(400, "unknown field response_format")
    plain = Step(says('<think>hm {"price": 1}</think>Sure!\n```json\n{"price": 7}\n```'), has_format(None))
    with scripted(unknown, unknown, unknown, plain) as server:
        assert connect(server).parse(HELLO, Answer, purpose="test").value.price == 7


@pytest.mark.parametrize(
    ("first", "fault"),
    [
        ('{"price": -1}', "price: Input should be greater than 0"),
        ('{"cost": 3}', "price: Field required"),
        ('{"price": 3', "no valid JSON"),
        ("I think it is three dollars", "no JSON object"),
        ('{"price": NaN}', "no JSON number"),
        ('{"price": 1e999}', "1e999"),
    ],
)
def test_a_reply_that_does_not_fit_is_asked_for_again_with_the_fault(connect: Connect, first: str, fault: str) -> None:
    def expect(body: Body) -> None:
        assert fault in body["messages"][-1]["content"]
        assert "response_format" not in body

    with scripted(says(first), Step(says('{"price": 4}'), expect)) as server:
        assert connect(server).parse(HELLO, Answer, purpose="test").value.price == 4


def test_a_second_reply_that_does_not_fit_is_an_error(connect: Connect) -> None:
    with scripted(says("no"), says("no")) as server, pytest.raises(ChatReplyError, match="second reply"):
        connect(server).parse(HELLO, Answer, purpose="test")


def test_what_a_server_refuses_by_name_is_left_out_from_then_on(connect: Connect) -> None:
    def without(*names: str) -> Callable[[Body], None]:
        def expect(body: Body) -> None:
            assert not set(names) & set(body), body.keys()

        return expect

    script = [
        fails(400, "Unsupported value: 'temperature'", param="temperature", code="unsupported_value"),
        Step(fails(500, "logprobs is not supported for models created with logits_all=False"), without("temperature")),
        Step(
            fails(400, "Use 'max_completion_tokens' instead.", param="max_tokens"),
            without("temperature", "logprobs", "top_logprobs"),
        ),
        Step(says("a"), without("temperature", "logprobs", "max_tokens")),
        Step(says("b"), without("temperature", "logprobs", "max_tokens")),
    ]
    with scripted(*script) as server:
        chat = connect(server)
        assert chat.complete(HELLO, purpose="test", logprobs=5).text == "a"
        assert chat.complete(HELLO, purpose="test", logprobs=5).text == "b"
    assert "max_completion_tokens" in server.requests[-1]


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (fails(401, "Incorrect API key provided: sk-secret-123456"), ChatRefused, "OPENAI_API_KEY"),
        (fails(403, "Country not supported"), ChatRefused, "OPENAI_API_KEY"),
        (fails(404, "The model `x` does not exist", code="model_not_found"), ChatRefused, "llm_model"),
        (fails(400, "model 'x' not found, try pulling it first"), ChatRefused, "llm_model"),
        (fails(429, "You exceeded your quota", code="insufficient_quota"), ChatRefused, "quota"),
        (
            fails(400, "maximum context length is 512 tokens", code="context_length_exceeded"),
            ContextTooSmall,
            "context",
        ),
        (fails(500, "Requested tokens (900) exceed context window of 512"), ContextTooSmall, "context"),
        (refuses(), ChatDeclined, "refused to answer"),
        (says(None, finish="content_filter"), ChatDeclined, "refused to answer"),
        (says('{"pri', finish="length"), ReplyCutOff, "cut off"),
        (says(""), ChatReplyError, "empty reply"),
        (Reply({"hello": "world"}), ChatReplyError, "OpenAI-compatible"),
        (Reply("<html>not an API</html>"), ChatReplyError, "OpenAI-compatible"),
        (Reply("<html>", headers={"Content-Type": "text/html"}), ChatReplyError, "OpenAI-compatible"),
        (Reply([1, 2]), ChatReplyError, "OpenAI-compatible"),
        (Reply({"choices": [{"message": None}]}), ChatReplyError, "OpenAI-compatible"),
        (Reply(status=302, headers={"Location": "http://127.0.0.1:9/"}, body=""), ChatRefused, "302"),
        (fails(418), ChatRefused, "418"),
    ],
)
def test_trouble_that_another_try_would_not_cure_is_told_once_and_clearly(
    connect: Connect, reply: Reply, error: type[ChatError], words: str
) -> None:
    with scripted(reply) as server, pytest.raises(error, match=words) as caught:
        connect(server).complete(HELLO, purpose="test")
    assert caught.value.model == "scripted"
    assert "sk-secret" not in str(caught.value)


def test_retry_after_is_honoured_as_seconds_and_as_a_date(connect: Connect, pauses: list[float]) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    busy = [fails(429, headers={"Retry-After": "7"}), fails(503, headers={"Retry-After": date}), says("ok")]
    with scripted(*busy) as server:
        assert connect(server).complete(HELLO, purpose="test").text == "ok"
    assert pauses[0] == 7
    assert 15 < pauses[1] <= 20


def test_a_longer_pause_than_our_patience_is_not_slept_but_kept(connect: Connect, pauses: list[float]) -> None:
    with scripted(fails(429, headers={"Retry-After": "600"})) as server:
        chat = connect(server)
        with pytest.raises(ChatUnavailable) as caught:
            chat.complete(HELLO, purpose="test")
        with pytest.raises(ChatUnavailable, match="next is tried in"):
            chat.complete(HELLO, purpose="test")
    assert caught.value.retry_after == 600
    assert pauses == []


def test_servers_that_fail_are_tried_again_and_then_left_alone(connect: Connect, pauses: list[float]) -> None:
    with scripted(fails(500), fails(502), fails(503)) as server:
        chat = connect(server)
        with pytest.raises(ChatUnavailable, match="HTTP 503"):
            chat.complete(HELLO, purpose="test")
        with pytest.raises(ChatUnavailable, match="next is tried in"):
            chat.complete(HELLO, purpose="test")
    assert len(pauses) == 2


@pytest.mark.parametrize(
    "reply", [Reply(hang=True), Reply(says("x" * 200).body, trickle=True)], ids=["hangs", "trickles"]
)
def test_a_server_that_hangs_or_trickles_is_given_up_on(connect: Connect, reply: Reply) -> None:
    with scripted(reply) as server, pytest.raises(ChatUnavailable, match="in time"):
        connect(server, timeout=0.3, attempts=1).complete(HELLO, purpose="test")


def test_an_answer_that_breaks_off_is_tried_again(connect: Connect) -> None:
    with scripted(Reply(says("x").body, cut=True), says("whole")) as server:
        assert connect(server).complete(HELLO, purpose="test").text == "whole"


def test_a_dead_port_is_unavailable() -> None:
    backend = OpenAIBackend("m", base_url="http://127.0.0.1:9/v1")
    with pytest.raises(ChatUnavailable, match="cannot be reached"):
        backend.send(Request(HELLO, 10))
    backend.close()


def test_only_http_urls_are_accepted() -> None:
    with pytest.raises(SettingsError, match="llm_base_url"):
        OpenAIBackend("m", base_url="file:///etc/passwd")


def test_tool_calls_come_back_with_their_arguments_unchecked(connect: Connect) -> None:
    tool = Tool.of("look", "look at a thing", Answer)
    with scripted(calls(("look", {"price": 3}), ("look", "{broken"))) as server:
        reply = connect(server).with_tools(HELLO, [tool], purpose="test")
    assert [(call.name, call.arguments) for call in reply.tool_calls] == [("look", '{"price": 3}'), ("look", "{broken")]
    assert reply.finish == "tools"
    assert server.requests[0]["tools"][0]["function"]["name"] == "look"


def test_a_server_without_tools_says_so(connect: Connect) -> None:
    no_tools = fails(400, "this model does not support tools")
    with scripted(no_tools) as server, pytest.raises(ChatRefused, match="tool calls"):
        connect(server).with_tools(HELLO, [Tool.of("look", "look", Answer)], purpose="test")


def test_logprobs_of_alternatives_are_kept(connect: Connect) -> None:
    logprobs = [
        {
            "token": "12",
            "logprob": -0.1,
            "bytes": None,
            "top_logprobs": [
                {"token": "12", "logprob": -0.1, "bytes": None},
                {"token": "9", "logprob": -2.5, "bytes": None},
            ],
        }
    ]
    with scripted(says("12", logprobs=logprobs)) as server:
        reply = connect(server).complete(HELLO, purpose="test", logprobs=2)
    assert reply.tokens[0].alternatives == (("12", -0.1), ("9", -2.5))
    assert server.requests[0]["top_logprobs"] == 2


def test_a_stream_yields_text_then_the_whole(connect: Connect, ledger: Ledger) -> None:
    pieces = (
        "It is ",
        "worth ",
        {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "lo", "arguments": '{"pr'}}]},
        {"tool_calls": [{"index": 0, "function": {"name": "ok", "arguments": 'ice": 1}'}}]},
    )
    with scripted(fails(500), streams(*pieces)) as server:
        got = list(connect(server).stream(HELLO, purpose="ask"))
    assert got[:2] == ["It is ", "worth "]
    whole = got[2]
    assert isinstance(whole, Completion)
    assert whole.text == "It is worth "
    assert (whole.tool_calls[0].name, whole.tool_calls[0].arguments) == ("look", '{"price": 1}')
    assert whole.usage == Usage(50, 9)
    assert [row[2:4] for row in ledger.rows] == [(50, 9)]


def test_a_stream_that_breaks_off_is_an_error_and_still_counted(connect: Connect, ledger: Ledger) -> None:
    with scripted(Reply(events=streams("half ", "of it").events, cut=True)) as server:
        stream = connect(server).stream(HELLO, purpose="ask")
        with pytest.raises(ChatUnavailable):
            list(stream)
    assert len(ledger.rows) == 1


def test_the_key_travels_only_as_a_header(connect: Connect) -> None:
    with scripted(says("x")) as server:
        connect(server).complete(HELLO, purpose="test")
    assert server.keys == ["Bearer sk-secret-123456"]
    assert "sk-secret" not in json.dumps(server.requests)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "nan", "retry-after": "9"}, 9),
        ({"retry-after-ms": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_odd_wishes_to_wait_are_no_wishes(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds
