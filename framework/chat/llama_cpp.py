"""A GGUF model in this process, by llama-cpp-python (extra ``local``).

Structured replies and tool calls are held by grammar, so every model can give them. One call at a time; a call waits
for its turn, reads the prompt and writes its reply within one deadline (checked at every token).
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import structlog

from framework.chat.base import Completion, Form, Message, Request, ToolCall, Usage
from framework.chat.grammar import grammar_of, tool_rules, tool_schema
from framework.chat.llama_model import ContextOverflow, LlamaModel, TimeIsUp
from framework.errors import ChatRefused, ChatReplyError, ChatUnavailable, ContextTooSmall

_TOO_LONG = "The request is too long for the model's context; use a model with a larger one"
log = structlog.get_logger("dealhound.chat")


class LlamaCppBackend:
    """A model given as a GGUF file, or as ``owner/repository:file.gguf`` on the Hugging Face hub (fetched once)."""

    def __init__(self, model: str, *, timeout: float = 300.0, context: int = 8_192, threads: int | None = None) -> None:
        """``context`` caps the tokens of request and reply together (the model's own limit may be lower)."""
        self.model = Path(model).name if _is_file(model) else model
        self._source = model
        self._timeout, self._context = timeout, context
        self._threads = threads or max(1, (os.cpu_count() or 2) // 2)
        self._loaded: LlamaModel | None = None
        self._lock = threading.Lock()

    def send(self, request: Request) -> Completion:
        """See ``Backend``."""
        *_, completion = self.stream(request)
        assert isinstance(completion, Completion)  # noqa: S101 - a stream ends with its completion
        return completion

    def stream(self, request: Request) -> Iterator[str | Completion]:
        """See ``Backend``. Tool calls are not streamed: they are JSON until they are whole."""
        ends = time.monotonic() + self._timeout
        if not self._lock.acquire(timeout=self._timeout):
            raise ChatUnavailable(self.model, "The local model is busy with another call")
        try:
            pieces = self._generated(request, ends)
            text = ""
            for piece in pieces:
                if isinstance(piece, str):
                    text += piece
                    if not request.tools:
                        yield piece
                else:
                    yield self._finished(request, text, *piece)
        except ContextOverflow:
            raise ContextTooSmall(self.model, _TOO_LONG) from None
        except TimeIsUp:
            raise ChatUnavailable(self.model, "The local model did not answer in time (setting llm_timeout)") from None
        except ValueError:
            raise ChatReplyError(self.model, "The local model cannot run this request") from None
        finally:
            self._lock.release()

    def close(self) -> None:
        """Free the model's memory."""
        with self._lock:
            if self._loaded is not None:
                self._loaded.close()
                self._loaded = None

    def _generated(self, request: Request, ends: float) -> Iterator[str | tuple[int, int, bool]]:
        """The pieces of the text, then tokens in, tokens out and whether the model ended by itself."""
        schema = tool_schema(request.tools) if request.tools else request.schema if request.form < Form.JSON else None
        messages = [_plain(message) for message in request.messages]
        if request.tools:
            messages.append({"role": "user", "content": tool_rules(request.tools)})
        yield (
            yield from self._model().generate(
                messages,
                most=request.max_tokens,
                temperature=request.temperature,
                grammar=grammar_of(schema) if schema else None,
                ends=ends,
            )
        )

    def _finished(self, request: Request, text: str, tokens_in: int, tokens_out: int, ended: bool) -> Completion:
        usage = Usage(tokens_in, tokens_out)
        if not ended:
            return Completion(text, usage, finish="length")
        return _tool_turn(self.model, text, usage) if request.tools else Completion(text, usage)

    def _model(self) -> LlamaModel:
        """The model, loaded at the first call. The caller holds the lock."""
        if self._loaded is None:
            started = time.perf_counter()
            self._loaded = self._load()
            seconds = round(time.perf_counter() - started, 2)
            log.info("model loaded", model=self.model, context=self._loaded.context, seconds=seconds)
        return self._loaded

    def _load(self) -> LlamaModel:
        path = self._file()
        try:
            return LlamaModel(path, context=self._context, threads=self._threads)
        except ImportError:
            raise ChatRefused(self.model, "llama-cpp-python is not installed: pip install -e '.[local]'") from None
        except (ValueError, OSError, RuntimeError, AssertionError):
            raise ChatRefused(
                self.model, "The GGUF file cannot be loaded; is it whole, and does memory suffice?"
            ) from None

    def _file(self) -> str:
        """The path of the GGUF, fetched from the hub where a hub name was given."""
        if _is_file(self._source):
            path = Path(self._source).expanduser()
            if not path.is_file():
                raise ChatRefused(self.model, f"There is no file {path}; check llm_model")
            return str(path)
        repository, _, name = self._source.partition(":")
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

        try:
            return str(hf_hub_download(repository, name))
        except (HfHubHTTPError, LocalEntryNotFoundError, HFValidationError, OSError):
            raise ChatRefused(
                self.model, "The model cannot be fetched from the hub; check llm_model and the network"
            ) from None


def _is_file(model: str) -> bool:
    return ":" not in model or not model.endswith(".gguf") or Path(model).expanduser().is_file()


def _plain(message: Message) -> dict[str, str]:
    """A message in the three roles that every chat template knows."""
    if message.role == "tool":
        return {"role": "user", "content": f"Result of the tool: {message.content}"}
    if message.tool_calls:
        said = [json.dumps({"tool": call.name, "arguments": call.arguments}) for call in message.tool_calls]
        return {"role": "assistant", "content": "\n".join(said)}
    return {"role": message.role, "content": message.content}


def _tool_turn(model: str, text: str, usage: Usage) -> Completion:
    """A turn under the tools' grammar as a completion."""
    try:
        turn = json.loads(text)
    except json.JSONDecodeError:
        raise ChatReplyError(model, "The local model's turn is no JSON") from None
    if "answer" in turn:
        return Completion(str(turn["answer"]), usage)
    call = ToolCall("call-0", str(turn.get("tool")), json.dumps(turn.get("arguments", {})))
    return Completion("", usage, (call,), finish="tools")
