"""A scripted OpenAI-compatible server on loopback: it follows its script exactly.

Each request takes the next step; a step may state what it expects of the request. A request beyond the script, an
expectation that does not hold, and a step that nobody asked for fail the test when the server is left.
``answering`` makes a server that computes its replies instead, for attackers that obey whatever they read.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """What is sent back. ``hang`` holds the answer until the server stops; ``cut`` sends only half of the bytes."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    events: Sequence[Any] | None = None
    hang: bool = False
    cut: bool = False
    trickle: bool = False


@dataclass(frozen=True)
class Step:
    """One expected request: ``expect`` asserts on its JSON, ``reply`` is given or computed from it."""

    reply: Reply | Callable[[Body], Reply]
    expect: Callable[[Body], None] | None = None


def says(
    content: str | None, *, finish: str = "stop", usage: bool = True, logprobs: Any = None, **message: Any
) -> Reply:
    """A chat completion with this content."""
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **message}}
    if logprobs is not None:
        choice["logprobs"] = {"content": logprobs, "refusal": None}
    body = {"id": "c1", "object": "chat.completion", "created": 1, "model": "scripted", "choices": [choice]}
    if usage:
        body["usage"] = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
    return Reply(body)


def gives(data: Any, **more: Any) -> Reply:
    """A chat completion whose content is JSON."""
    return says(json.dumps(data), **more)


def calls(*wanted: tuple[str, Any], content: str | None = None) -> Reply:
    """A chat completion that asks for tools: (name, arguments); arguments may be broken text."""
    tool_calls = [
        {
            "id": f"t{n}",
            "type": "function",
            "function": {"name": name, "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments)},
        }
        for n, (name, arguments) in enumerate(wanted)
    ]
    return says(content, finish="tool_calls", tool_calls=tool_calls)


def refuses() -> Reply:
    """A refusal, as OpenAI marks it."""
    return says(None, refusal="I can't help with that.")


def fails(status: int, message: str = "boom", *, headers: dict[str, str] | None = None, **error: Any) -> Reply:
    """An error answer."""
    return Reply(
        {"error": {"message": message, "type": "error", "param": None, "code": None, **error}}, status, headers or {}
    )


def streams(*pieces: str | Body, finish: str = "stop") -> Reply:
    """A streamed reply: text pieces, or whole deltas."""
    deltas = [{"content": piece} if isinstance(piece, str) else piece for piece in pieces]
    base = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "scripted"}
    events = [{**base, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    events.append({**base, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    events.append({**base, "choices": [], "usage": {"prompt_tokens": 50, "completion_tokens": 9, "total_tokens": 59}})
    return Reply(events=events)


class ScriptedServer:
    """The running server. ``requests`` are the JSON bodies that came, ``faults`` what went against the script."""

    def __init__(self, script: Sequence[Step | Reply] | Callable[[Body], Reply]) -> None:
        self.requests: list[Body] = []
        self.keys: list[str | None] = []
        self.faults: list[str] = []
        self._script = script
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The base URL for a client."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def stop(self) -> None:
        """Stop serving."""
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def require_script_followed(self) -> None:
        """Fail on every deviation from the script."""
        if not callable(self._script) and len(self.requests) < len(self._script):
            self.faults.append(f"{len(self._script) - len(self.requests)} step(s) of the script were never asked for")
        assert not self.faults, "; ".join(self.faults)

    def answer(self, body: Body, key: str | None) -> Reply:
        """The script's reply to one request."""
        with self._lock:
            number = len(self.requests)
            self.requests.append(body)
            self.keys.append(key)
        if callable(self._script):
            return self._script(body)
        if number >= len(self._script):
            self.faults.append(f"request {number + 1} is beyond the script: {json.dumps(body)[:300]}")
            return fails(400, "beyond the script")
        step = self._script[number]
        step = step if isinstance(step, Step) else Step(step)
        try:
            if step.expect:
                step.expect(body)
        except AssertionError as error:
            self.faults.append(f"request {number + 1}: {error}")
        return step.reply(body) if callable(step.reply) else step.reply

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self._send(owner.answer(body, self.headers.get("Authorization")))

            def _send(self, reply: Reply) -> None:
                if reply.hang:
                    owner._stopping.wait(30)
                    self.close_connection = True
                    return
                content = _encoded(reply)
                self.send_response(reply.status)
                kind = "text/event-stream" if reply.events is not None else "application/json"
                headers = {"Content-Type": kind, "Content-Length": str(len(content)), **reply.headers}
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.close_connection = reply.cut or self.close_connection
                try:
                    self._write(reply, content)
                except OSError:
                    self.close_connection = True  # the client gave up, as some scripts want

            def _write(self, reply: Reply, content: bytes) -> None:
                if not reply.trickle:
                    self.wfile.write(content[: len(content) // 2] if reply.cut else content)
                    return
                for byte in content:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    if owner._stopping.wait(0.05):
                        return

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def _encoded(reply: Reply) -> bytes:
    if reply.events is not None:
        return b"".join(b"data: %s\n\n" % json.dumps(event).encode() for event in reply.events) + b"data: [DONE]\n\n"
    if isinstance(reply.body, bytes | str):
        return reply.body.encode() if isinstance(reply.body, str) else reply.body
    return json.dumps(reply.body).encode()


@contextmanager
def scripted(*script: Step | Reply) -> Iterator[ScriptedServer]:
    """A server that follows the script; leaving the block fails the test on any deviation."""
    server = ScriptedServer(script)
    try:
        yield server
    finally:
        server.stop()
    server.require_script_followed()


@contextmanager
def answering(reply: Callable[[Body], Reply]) -> Iterator[ScriptedServer]:
    """A server that computes each reply from the request."""
    server = ScriptedServer(reply)
    try:
        yield server
    finally:
        server.stop()
