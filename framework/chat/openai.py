"""Any server that speaks OpenAI's chat API, through the OpenAI SDK.

OpenAI itself, GitHub Models, Ollama, vLLM, OpenRouter, llama.cpp's servers: they differ in what they know of the
protocol. What a server refuses by name (a temperature, ``max_tokens``, logprobs) is left out from then on; a form of
reply that it does not know is reported as ``FormUnsupported``. Retries are the guard's business, not the SDK's.

The base URL is the owner's own setting, so it may name a loopback or private host; only its scheme is checked.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import structlog

from framework.chat.base import Completion, Form, Message, Request, Token, ToolCall, Usage
from framework.chat.openai_errors import FOREIGN, refused_parameter, translate, translated
from framework.chat.openai_http import deadline_client
from framework.chat.schema import without_bounds
from framework.errors import ChatDeclined, ChatReplyError, SettingsError

if TYPE_CHECKING:
    from openai import OpenAI

OPENAI_URL = "https://api.openai.com/v1"
log = structlog.get_logger("dealhound.chat")


class OpenAIBackend:
    """One model of one server. ``timeout`` is the total time in seconds that a call may take."""

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        timeout: float = 60.0,
        proxy: str | None = None,
    ) -> None:
        self.model = model
        self._url = (base_url or OPENAI_URL).rstrip("/")
        if not self._url.startswith(("http://", "https://")):
            raise SettingsError(
                f"Setting llm_base_url must begin with http:// or https://, not {self._url.split(':')[0]!r}"
            )
        self._key = api_key
        self._timeout, self._proxy = timeout, proxy
        self._client: OpenAI | None = None
        self._lock = threading.Lock()
        self._left_out: set[str] = set()

    def send(self, request: Request) -> Completion:
        """See ``Backend``."""
        reply = self._create(request, stream=False)
        with translated(self.model, request):
            if not getattr(reply, "choices", None):
                raise ChatReplyError(
                    self.model, "The server's answer holds no reply; is llm_base_url an OpenAI-compatible API?"
                )
            choice = reply.choices[0]
            message = choice.message
            calls = [
                ToolCall(call.id or f"call-{n}", call.function.name or "", call.function.arguments or "{}")
                for n, call in enumerate(message.tool_calls or [])
                if call.type == "function" or call.function
            ]
            self._require_answer(message.refusal, choice.finish_reason, message.content, calls)
            return Completion(
                text=message.content or "",
                usage=_usage(reply.usage),
                tool_calls=tuple(calls),
                tokens=_tokens(choice.logprobs),
                finish=_finish(choice.finish_reason, calls),
            )

    def stream(self, request: Request) -> Iterator[str | Completion]:
        """See ``Backend``."""
        chunks = self._create(request, stream=True)
        text: list[str] = []
        calls: dict[int, ToolCall] = {}
        usage, reason, refusal = Usage(), None, ""
        with translated(self.model, request), chunks:
            for chunk in chunks:
                usage = _usage(chunk.usage) if chunk.usage else usage
                for choice in chunk.choices or ():
                    reason = choice.finish_reason or reason
                    refusal += choice.delta.refusal or ""
                    for piece in choice.delta.tool_calls or ():
                        calls[piece.index] = _grown(calls.get(piece.index), piece)
                    if choice.delta.content:
                        text.append(choice.delta.content)
                        yield choice.delta.content
        wanted = [calls[index] for index in sorted(calls)]
        self._require_answer(refusal, reason, "".join(text), wanted)
        yield Completion("".join(text), usage, tuple(wanted), finish=_finish(reason, wanted))

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _create(self, request: Request, *, stream: bool) -> Any:
        """Call the server, leaving out what it says it does not know (each name once)."""
        import openai

        while True:
            arguments = self._arguments(request, stream=stream)
            try:
                return self._connected().chat.completions.create(**arguments)
            except openai.APIStatusError as error:
                name = refused_parameter(error, arguments)
                if name is None or name in self._left_out:
                    raise translate(self.model, error, request) from None
                self._left_out.add(name)
                log.info("server refuses a parameter, leaving it out", model=self.model, parameter=name)
            except FOREIGN as error:
                raise translate(self.model, error, request) from None

    def _arguments(self, request: Request, *, stream: bool) -> dict[str, Any]:
        modern = self._url == OPENAI_URL or "max_tokens" in self._left_out
        arguments: dict[str, Any] = {
            "model": self.model,
            "messages": [_message(message) for message in request.messages],
            "max_completion_tokens" if modern else "max_tokens": request.max_tokens,
            "temperature": request.temperature,
        }
        if request.form is not Form.TEXT:
            arguments["response_format"] = _response_format(request)
        if request.tools:
            arguments["tools"] = [
                {
                    "type": "function",
                    "function": {
                        "name": tool.name,
                        "description": tool.description,
                        "parameters": dict(tool.parameters),
                    },
                }
                for tool in request.tools
            ]
        if request.logprobs and not stream:
            arguments |= {"logprobs": True, "top_logprobs": request.logprobs}
        if stream:
            arguments |= {"stream": True, "stream_options": {"include_usage": True}}
        if "logprobs" in self._left_out:
            arguments.pop("top_logprobs", None)
        return {name: value for name, value in arguments.items() if name not in self._left_out}

    def _connected(self) -> OpenAI:
        with self._lock:
            if self._client is None:
                from openai import OpenAI

                self._client = OpenAI(
                    api_key=self._key or "none",  # local servers ask for no key, but the SDK insists on one
                    organization="",
                    project="",
                    base_url=self._url,
                    max_retries=0,
                    http_client=deadline_client(self._timeout, self._proxy),
                )
            return self._client

    def _require_answer(self, refusal: str | None, reason: str | None, text: str | None, calls: list[ToolCall]) -> None:
        if refusal or reason == "content_filter":
            raise ChatDeclined(self.model, "The model refused to answer this request")
        if not text and not calls and reason != "length":
            raise ChatReplyError(self.model, "The model sent an empty reply")


def _message(message: Message) -> dict[str, Any]:
    plain: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        plain["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        plain["tool_call_id"] = message.tool_call_id
    return plain


def _response_format(request: Request) -> dict[str, Any]:
    if request.form is Form.SCHEMA:
        schema = {"name": request.schema_name, "strict": True, "schema": without_bounds(request.schema)}
        return {"type": "json_schema", "json_schema": schema}
    if request.form is Form.GRAMMAR:
        return {"type": "json_object", "schema": request.schema}
    return {"type": "json_object"}


def _usage(usage: Any) -> Usage:
    return Usage(usage.prompt_tokens or 0, usage.completion_tokens or 0) if usage else Usage()


def _finish(reason: str | None, calls: list[ToolCall]) -> Literal["stop", "tools", "length"]:
    return "length" if reason == "length" else "tools" if calls else "stop"


def _tokens(logprobs: Any) -> tuple[Token, ...]:
    return tuple(
        Token(token.token, tuple((other.token, other.logprob) for other in token.top_logprobs or ()))
        for token in (logprobs.content if logprobs else None) or ()
    )


def _grown(call: ToolCall | None, piece: Any) -> ToolCall:
    """A tool call with the next streamed piece added."""
    function = piece.function
    name, arguments = (function.name or "", function.arguments or "") if function else ("", "")
    if call is None:
        return ToolCall(piece.id or f"call-{piece.index}", name, arguments)
    return ToolCall(call.id, call.name + name, call.arguments + arguments)
