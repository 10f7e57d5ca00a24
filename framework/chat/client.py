"""What the agents talk to: a model behind retries, a circuit breaker and the owner's budget.

Structured replies go down a ladder. The strictest form that the server knows is used (each step down is logged once
and kept); a reply that does not fit is asked for once more, in plain text with the fault named.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import structlog
from pydantic import BaseModel

from framework.chat.base import Backend, Completion, Form, Message, Request, Tool, Usage
from framework.chat.budget import Budget
from framework.chat.guard import Guard
from framework.chat.schema import read_reply, strict_schema
from framework.errors import ChatReplyError, FormUnsupported, ReplyCutOff

T = TypeVar("T", bound=BaseModel)
log = structlog.get_logger("dealhound.chat")


@dataclass(frozen=True, slots=True)
class Parsed(Generic[T]):
    """A structured reply: the value, and the completion that it was read from."""

    value: T
    completion: Completion


class Chat:
    """One model. Thread-safe as far as its backend is. ``purpose`` of a call is written into the usage ledger."""

    def __init__(self, backend: Backend, budget: Budget, guard: Guard | None = None) -> None:
        self.model = backend.model
        self.budget = budget
        self._backend = backend
        self._guard = guard or Guard(backend.model)
        self._form = Form.SCHEMA

    def complete(
        self, messages: Sequence[Message], *, purpose: str, max_tokens: int = 1_000, logprobs: int = 0
    ) -> Completion:
        """A plain reply. Raises ``ChatError``s, ``ReplyCutOff`` where it ended at ``max_tokens``."""
        return self._whole(self._send(Request(messages, max_tokens, logprobs=logprobs), purpose))

    def parse(
        self, messages: Sequence[Message], schema: type[T], *, purpose: str, max_tokens: int = 2_000, logprobs: int = 0
    ) -> Parsed[T]:
        """A reply that is an instance of ``schema``.

        Raises ``ChatReplyError`` when the second reply does not fit either, and the other ``ChatError``s.
        """
        request = Request(
            messages,
            max_tokens,
            schema=strict_schema(schema),
            schema_name=schema.__name__,
            logprobs=logprobs,
        )
        completion = self._whole(self._down_the_ladder(request, purpose))
        try:
            return Parsed(read_reply(completion.text, schema), completion)
        except ValueError as fault:
            log.warning("reply does not fit, asking once more", model=self.model, purpose=purpose, reason=str(fault))
            return self._once_more(request, schema, completion, str(fault), purpose)

    def with_tools(
        self, messages: Sequence[Message], tools: Sequence[Tool], *, purpose: str, max_tokens: int = 1_000
    ) -> Completion:
        """A reply that may ask for tools. Their arguments are unchecked text."""
        return self._whole(self._send(Request(messages, max_tokens, tools=tools), purpose))

    def stream(
        self, messages: Sequence[Message], tools: Sequence[Tool] = (), *, purpose: str, max_tokens: int = 1_000
    ) -> Iterator[str | Completion]:
        """A reply's text piece by piece, then its ``Completion``. Only the beginning of a reply is ever retried."""
        request = Request(messages, max_tokens, tools=tools)
        with self.budget.reserve(self.model, _most(request)):
            pieces = self._guard.call(lambda: _started(self._backend.stream(request)))
            written: list[str] = []
            end: Completion | None = None
            try:
                with closing(pieces):
                    for piece in pieces:
                        if isinstance(piece, Completion):
                            end = piece
                        else:
                            written.append(piece)
                        yield piece
            finally:  # a reply that broke off was paid for, too
                self._record(request, end or Completion("".join(written)), purpose)

    def close(self) -> None:
        """Free the backend."""
        self._backend.close()

    def _send(self, request: Request, purpose: str) -> Completion:
        with self.budget.reserve(self.model, _most(request)):
            completion = self._guard.call(lambda: self._backend.send(request))
            self._record(request, completion, purpose)
        return completion

    def _record(self, request: Request, completion: Completion, purpose: str) -> None:
        usage = completion.usage
        if not usage.total:  # the server does not count, so we estimate: four characters a token
            usage = Usage(request.size() - request.max_tokens, len(completion.text) // 4 + 1)
        self.budget.record(self.model, purpose, usage)
        log.debug("replied", model=self.model, purpose=purpose, tokens_in=usage.prompt, tokens_out=usage.completion)

    def _down_the_ladder(self, request: Request, purpose: str) -> Completion:
        while True:
            form = self._form
            try:
                return self._send(_in_words(request.in_form(form)), purpose)
            except FormUnsupported:
                if form is Form.TEXT:
                    raise
                if self._form is form:
                    self._form = Form(form + 1)
                    log.warning(
                        "server does not know this form of reply",
                        model=self.model,
                        form=form.name.lower(),
                        next=self._form.name.lower(),
                    )

    def _once_more(self, request: Request, schema: type[T], first: Completion, fault: str, purpose: str) -> Parsed[T]:
        plain = _in_words(request.in_form(Form.TEXT))
        messages = [
            *plain.messages,
            Message("assistant", first.text[:4_000]),
            Message("user", f"That cannot be used: {fault}. Answer again with the JSON object only."),
        ]
        again = Request(messages, request.max_tokens, schema_name=request.schema_name, logprobs=request.logprobs)
        completion = self._whole(self._send(again, purpose))
        try:
            return Parsed(read_reply(completion.text, schema), completion)
        except ValueError as error:
            raise ChatReplyError(self.model, f"The model's second reply cannot be used either: {error}") from None

    def _whole(self, completion: Completion) -> Completion:
        if completion.finish == "length":
            raise ReplyCutOff(self.model, "The reply was cut off at its token limit")
        return completion


def _most(request: Request) -> Usage:
    return Usage(request.size() - request.max_tokens, request.max_tokens)


def _in_words(request: Request) -> Request:
    """Below the schema rungs, the schema is told in the prompt, where the model can see it."""
    if request.form < Form.JSON:
        return request

    told = f"Answer with one JSON object and nothing else. It follows this JSON schema: {json.dumps(request.schema)}"
    return replace(request, messages=[*request.messages, Message("user", told)])


def _started(pieces: Iterator[str | Completion]) -> Generator[str | Completion, None, None]:
    """The stream after its first piece came, so that a retry covers the connection."""
    first = next(pieces, None)

    def all_pieces() -> Generator[str | Completion, None, None]:
        if first is not None:
            yield first
        yield from pieces

    return all_pieces()
