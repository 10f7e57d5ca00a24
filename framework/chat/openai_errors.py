"""The one place where the OpenAI SDK's errors become ours.

Servers word the same trouble differently; what a status and a code do not say is read from the message. Messages of a
server are quoted shortened and only where they cannot hold the key (a wrong key is often echoed).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx2
import openai

from framework.chat.base import Form, Request
from framework.errors import (
    ChatError,
    ChatRefused,
    ChatReplyError,
    ChatUnavailable,
    ContextTooSmall,
    FormUnsupported,
)
from framework.retry import parse_retry_after

# What the SDK raises on purpose, and what it stumbles over when an answer has not the shape it expects.
FOREIGN = (openai.OpenAIError, httpx2.HTTPError, ValueError, TypeError, AttributeError, KeyError, IndexError)
# What may be left out of a request without changing what is asked, with the words of the complaint about it.
_REFUSALS = {
    "temperature": re.compile(r"temperature"),
    "logprobs": re.compile(r"logprobs|logits_all"),
    "max_tokens": re.compile(r"max_completion_tokens"),
    "stream_options": re.compile(r"stream_options"),
}
_CONTEXT = re.compile(
    r"context[_ ](length|window|size)|maximum context|n_ctx|too many (input )?tokens|prompt is too long",
    re.IGNORECASE,
)
_FORMAT = re.compile(r"response_format|json_schema|json_object|guided|grammar|schema", re.IGNORECASE)
_MODEL = re.compile(
    r"model\b.{0,80}\b(not found|does not exist|not available|unknown)|unknown model|no such model", re.I | re.S
)


@contextmanager
def translated(model: str, request: Request) -> Iterator[None]:
    """Raise our errors for the SDK's."""
    try:
        yield
    except FOREIGN as error:
        raise translate(model, error, request) from None


def refused_parameter(error: openai.APIStatusError, arguments: Mapping[str, Any]) -> str | None:
    """The optional parameter that the server refuses by name, if that is the complaint."""
    if error.status_code in (401, 403, 404, 429):
        return None
    for name, complaint in _REFUSALS.items():
        if name in arguments and (error.param == name or complaint.search(_words(error))):
            return name
    return None


def translate(model: str, error: Exception, request: Request) -> Exception:
    """Our error for a foreign one. What is no error of the SDK or of HTTP is a bug and comes back as it is."""
    if isinstance(error, openai.APITimeoutError | httpx2.TimeoutException):
        return ChatUnavailable(model, "The model did not answer in time (setting llm_timeout)")
    if isinstance(error, openai.APIStatusError):
        return _of_status(model, error, request)
    if isinstance(error, openai.APIConnectionError | httpx2.TransportError):
        return ChatUnavailable(model, "The model's server cannot be reached; is it running, and is llm_base_url right?")
    if isinstance(error, openai.APIResponseValidationError | ValueError | TypeError | AttributeError | LookupError):
        return ChatReplyError(
            model, "The server's answer is no chat completion; is llm_base_url an OpenAI-compatible API?"
        )
    if isinstance(error, openai.APIError):  # an error event inside a stream
        return ChatUnavailable(model, "The server broke off its answer")
    if isinstance(error, openai.OpenAIError):
        return ChatRefused(model, f"The SDK refuses the call ({type(error).__name__})")
    return error


def _of_status(model: str, error: openai.APIStatusError, request: Request) -> ChatError:
    status, words = error.status_code, _words(error)
    if status in (401, 403):
        return ChatRefused(model, f"The server refuses the key (HTTP {status}); check OPENAI_API_KEY")
    if error.code == "insufficient_quota":
        return ChatRefused(model, "The account has no quota left; add credit or set another key")
    if error.code == "context_length_exceeded" or _CONTEXT.search(words):
        return ContextTooSmall(model, "The request is too long for the model's context; use a model with a larger one")
    if status == 429 or status in (408, 409):
        return ChatUnavailable(
            model, f"The server is busy (HTTP {status})", retry_after=retry_after(error.response.headers)
        )
    if request.form is not Form.TEXT and (_FORMAT.search(words) or status in (415, 422, 501)):
        return FormUnsupported(model, f"The server does not know replies of the form {request.form.name.lower()}")
    if request.tools and re.search(r"\btools?\b|function", words):
        return ChatRefused(
            model, 'The model or its server does not know tool calls; use another, or planner = "workflow"'
        )
    if status == 404 or error.code == "model_not_found" or _MODEL.search(words):
        return ChatRefused(model, "The server does not know this model or address; check llm_model and llm_base_url")
    if status >= 500:
        return ChatUnavailable(
            model, f"The server failed (HTTP {status})", retry_after=retry_after(error.response.headers)
        )
    return ChatRefused(model, f"The server refuses the request (HTTP {status})")


def _words(error: openai.APIStatusError) -> str:
    """What the server says, whatever shape its error has."""
    return f"{error.code or ''} {error.body if error.body is not None else error.message}"[:2_000]


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by ``retry-after-ms`` (OpenAI's) or Retry-After; ``None`` where they are absent or odd."""
    try:
        milliseconds = float(headers["retry-after-ms"])
    except (KeyError, ValueError):
        milliseconds = -1.0
    if 0 <= milliseconds < 1e9:  # not NaN, not infinite
        return milliseconds / 1_000
    return parse_retry_after(headers.get("retry-after"), datetime.now(UTC))
