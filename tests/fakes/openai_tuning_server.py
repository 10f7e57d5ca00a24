"""A stand-in of OpenAI's files and fine-tuning API on loopback.

A job goes one step of its ``course`` on with every look at it; each step names the status and the events that come
with it. ``faults`` are taken once each, in order: a request that matches the pattern is answered with the status, or
with a connection that breaks (``LOST``) before the request is acted on, or after it (``LOST_AFTER``).
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

LOST, LOST_AFTER = -1, -2
KEY = "sk-proj-right-key-123456"
MODEL = "ft:gpt-4o-mini-2024-07-18:me:dealhound:abc"
GOOD_COURSE: Sequence[tuple[str, Sequence[str]]] = (
    ("validating_files", ["Created fine-tuning job", "Validating training file"]),
    ("queued", ["Files validated, moving job to queued state"]),
    ("running", ["Fine-tuning job started", "Step 1/4: training loss=1.20", "Step 2/4: training loss=0.80"]),
    ("running", ["Step 3/4: training loss=0.60", "Step 4/4: training loss=0.50"]),
    ("succeeded", ["New fine-tuned model created", "The job has successfully completed"]),
)
PAGE = 3  # events to a page


class TuningServer:
    """The running server. ``files`` are the uploads by id, ``jobs`` the requests that made jobs, by id."""

    def __init__(self, course: Sequence[tuple[str, Sequence[str]]], problem: str | None) -> None:
        self.course, self.problem = course, problem
        self.files: dict[str, bytes] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.faults: list[tuple[str, int, str]] = []
        self.seen: list[str] = []
        self._places: dict[str, int] = {}
        self._cancelled: set[str] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        """The base URL for a client."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def fault(self, request: str) -> tuple[int, str]:
        """The fault that this request meets, 0 for none."""
        if self.faults and re.search(self.faults[0][0], request):
            _, status, message = self.faults.pop(0)
            return status, message
        return 0, ""

    def answer(self, method: str, path: str, body: bytes, query: dict[str, list[str]]) -> Any:
        """What the API answers, ``None`` for what it does not know."""
        if (method, path) == ("POST", "/files"):
            identity = f"file-{len(self.files) + 1}"
            self.files[identity] = body.split(b"\r\n\r\n", 2)[-1].split(b"\r\n--")[0] if body else b""
            shown = {"bytes": 1, "created_at": 1, "filename": "x", "purpose": "fine-tune", "status": "processed"}
            return {"id": identity, "object": "file", **shown}
        if path == "/fine_tuning/jobs":
            if method == "POST":
                identity = f"ftjob-{len(self.jobs) + 1}"
                self.jobs[identity] = json.loads(body)
                self._places[identity] = -1
                return self.job(identity)
            return {"object": "list", "data": [self.job(one) for one in self.jobs], "has_more": False}
        found = re.fullmatch(r"/fine_tuning/jobs/([^/]+)(/events|/cancel)?", path)
        if found is None or found[1] not in self.jobs:
            return None
        if found[2] == "/events":
            return self.events(found[1], query.get("after", [""])[0])
        if found[2] == "/cancel":
            self._cancelled.add(found[1])
        else:
            self._places[found[1]] = min(self._places[found[1]] + 1, len(self.course) - 1)
        return self.job(found[1])

    def job(self, identity: str) -> dict[str, Any]:
        """A job as the API shows it."""
        status = self.course[max(self._places[identity], 0)][0]
        if identity in self._cancelled:
            status = "cancelled"
        wanted = self.jobs[identity]
        error = {"code": "bad", "message": self.problem, "param": None} if status == "failed" else None
        return {
            "id": identity, "object": "fine_tuning.job", "created_at": 1, "model": wanted["model"], "status": status,
            "fine_tuned_model": MODEL if status == "succeeded" else None, "error": error, "finished_at": None,
            "hyperparameters": {"n_epochs": 1}, "organization_id": "org-x", "result_files": [], "seed": 0,
            "trained_tokens": 1_234 if status == "succeeded" else None, "training_file": wanted["training_file"],
            "validation_file": wanted.get("validation_file"), "metadata": wanted.get("metadata"),
        }  # fmt: skip

    def events(self, identity: str, after: str) -> dict[str, Any]:
        """A page of events, the newest first."""
        told = [said for _, says in self.course[: self._places[identity] + 1] for said in says]
        rows = [_event(number, said) for number, said in enumerate(told)][::-1]
        start = next((n + 1 for n, row in enumerate(rows) if row["id"] == after), 0)
        return {"object": "list", "data": rows[start : start + PAGE], "has_more": len(rows) > start + PAGE}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                split = urlsplit(self.path)
                path = split.path.removeprefix("/v1")
                owner.seen.append(f"{self.command} {path}")
                status, message = owner.fault(f"{self.command} {path}")
                if status == LOST:
                    return self._break_off()
                if status > 0:
                    return self._send({"error": {"message": message, "type": "error", "code": None}}, status)
                if self.headers.get("Authorization") != f"Bearer {KEY}":
                    wrong = f"Incorrect API key provided: {self.headers.get('Authorization')}"
                    return self._send({"error": {"message": wrong, "code": "invalid_api_key"}}, 401)
                value = owner.answer(self.command, path, body, parse_qs(split.query))
                if status == LOST_AFTER:
                    return self._break_off()
                if value is None:
                    return self._send({"error": {"message": f"Could not find {path.split('/')[-1]}"}}, 404)
                return self._send(value, 200)

            do_POST = do_GET

            def _break_off(self) -> None:
                self.close_connection = True
                self.connection.close()

            def _send(self, value: Any, status: int) -> None:
                content = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def _event(number: int, said: str) -> dict[str, Any]:
    step = re.match(r"Step (\d+)/(\d+): training loss=([\d.]+)", said)
    data = {"step": int(step[1]), "total_steps": int(step[2]), "train_loss": float(step[3])} if step else None
    return {
        "id": f"ftevent-{number}", "object": "fine_tuning.job.event", "created_at": 1_700_000_000 + number,
        "level": "info", "message": said, "data": data, "type": "metrics" if step else "message",
    }  # fmt: skip


@contextmanager
def tuning_server(
    course: Sequence[tuple[str, Sequence[str]]] = GOOD_COURSE, problem: str | None = None
) -> Iterator[TuningServer]:
    """A running stand-in. Faults that no request met fail the test."""
    server = TuningServer(course, problem)
    try:
        yield server
    finally:
        server.stop()
    assert not server.faults, f"never met: {server.faults}"
