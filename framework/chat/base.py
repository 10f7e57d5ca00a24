"""What is said to a language model and what comes back, in one vocabulary for all servers.

A ``Backend`` is one way to reach a model (the OpenAI SDK, llama.cpp in process): it sends one request and translates
every foreign error. Everything else (retries, the budget, schemas) lives once, in ``framework.chat.client``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, Literal, Protocol

from pydantic import BaseModel

Role = Literal["system", "user", "assistant", "tool"]


class Form(IntEnum):
    """How a reply's form is held, the strictest first. A server that knows one rung not may know the next."""

    SCHEMA = 0  # response_format json_schema, strict: OpenAI, vLLM, Ollama, llama.cpp's own server
    GRAMMAR = 1  # response_format json_object with a schema beside it: llama-cpp-python's server
    JSON = 2  # response_format json_object: some JSON, of any shape
    TEXT = 3  # nothing but the words of the prompt


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's wish to call a tool. ``arguments`` is JSON text as the model wrote it: unchecked."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that a model may ask for."""

    name: str
    description: str
    parameters: Mapping[str, Any]

    @classmethod
    def of(cls, name: str, description: str, arguments: type[BaseModel]) -> Tool:
        """A tool whose arguments are an instance of ``arguments``."""
        from framework.chat.schema import strict_schema

        return cls(name, description, strict_schema(arguments))


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, as the server counted them."""

    prompt: int = 0
    completion: int = 0

    @property
    def total(self) -> int:
        """Tokens in and out."""
        return self.prompt + self.completion

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.prompt + other.prompt, self.completion + other.completion)


@dataclass(frozen=True, slots=True)
class Token:
    """One token of a reply with the likeliest alternatives at its place, as (text, natural log probability)."""

    text: str
    alternatives: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """One call to a model."""

    messages: Sequence[Message]
    max_tokens: int
    tools: Sequence[Tool] = ()
    form: Form = Form.TEXT
    schema: Mapping[str, Any] | None = None
    schema_name: str = "reply"
    temperature: float = 0.0
    logprobs: int = 0  # alternatives wanted per token; servers without them leave ``Completion.tokens`` empty

    def in_form(self, form: Form) -> Request:
        """The same request on another rung."""
        return replace(self, form=form)

    def size(self) -> int:
        """Tokens that this call may cost at most, roughly: four characters each, and the whole reply."""
        written = sum(
            len(message.content) + sum(len(call.arguments) for call in message.tool_calls) for message in self.messages
        )
        described = len(str(self.schema or "")) + sum(len(str(tool.parameters)) for tool in self.tools)
        return (written + described) // 4 + self.max_tokens


@dataclass(frozen=True, slots=True)
class Completion:
    """A reply. ``finish`` is ``"stop"``, ``"tools"`` or ``"length"`` (cut off at ``max_tokens``)."""

    text: str
    usage: Usage = Usage()
    tool_calls: tuple[ToolCall, ...] = ()
    tokens: tuple[Token, ...] = field(default=(), repr=False)
    finish: Literal["stop", "tools", "length"] = "stop"


class Backend(Protocol):
    """One way to reach one model.

    ``send`` raises nothing but ``ChatError``s: ``ChatUnavailable`` (network, timeout, 429, 5xx; with the server's
    ``retry_after``), ``ChatRefused`` (key, model, quota, refusal), ``ContextTooSmall``, ``FormUnsupported`` (this rung
    or logprobs are unknown to the server) and ``ChatReplyError`` (no reply that can be read). It does not retry. May
    be called from several threads.
    """

    model: str

    def send(self, request: Request) -> Completion:
        """One call, one reply."""
        ...

    def stream(self, request: Request) -> Iterator[str | Completion]:
        """The reply's text piece by piece, then the whole ``Completion``."""
        ...

    def close(self) -> None:
        """Free connections or memory; the backend is not used afterwards."""
        ...
