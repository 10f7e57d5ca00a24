"""A stand-in for Pushover's API on loopback that enforces the published limits (https://pushover.net/api).

It refuses what Pushover refuses: unknown token or user, empty or over-long fields, bad priorities, emergencies without
``retry`` and ``expire``, pictures over 5 MB, more than two requests at once, an allowance that is used up.
``next_faults`` is a queue of failures, one per message request::

    with FakePushover() as pushover:
        pushover.next_faults += [Fault.ERROR_500, Fault.DROP_AFTER_ACCEPTING]
        ...
        assert [m["title"] for m in pushover.accepted] == ["A kettle"]
"""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from collections import deque
from email.parser import BytesParser
from email.policy import HTTP
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

USER = "uQiRzpo4DXghDmr9QzzfQu27cmVRsG"
TOKEN = "azGDORePK8gMaC0QOYAMyEEuzJnyUi"
_LIMITS = {"title": 250, "message": 1024, "url": 512, "url_title": 100}
_IMAGE_BYTES = 5_242_880
_AT_ONCE = 2


class Fault(Enum):
    """What can go wrong with one message request."""

    ERROR_500 = auto()  # HTML, as a gateway answers
    BUSY_429 = auto()
    DROP_BEFORE_ACCEPTING = auto()  # the connection ends without an answer, and nothing was accepted
    DROP_AFTER_ACCEPTING = auto()  # the connection ends without an answer, and the message was accepted
    HANG_BEFORE_ACCEPTING = auto()  # no answer for ``hang`` seconds, and nothing is accepted
    HANG_AFTER_ACCEPTING = auto()  # accepted, then no answer for ``hang`` seconds
    ACCEPT_LATE = auto()  # nothing for ``hang`` seconds, then accepted and answered, though nobody may listen any more
    GARBAGE = auto()  # accepted, but the answer is no JSON


class FakePushover:
    """Accepts messages as Pushover does and remembers them in ``accepted``; ``refused`` holds the error texts."""

    def __init__(self, *, allowance: int = 10_000, hang: float = 1.0, port: int = 0) -> None:
        self.accepted: list[dict[str, Any]] = []
        self.refused: list[list[str]] = []
        self.next_faults: deque[Fault | None] = deque()
        self.lost_answers: list[dict[str, Any]] = []  # accepted, but the sender never learnt of it
        self.limits_known = True  # False: apps/limits.json and the counters in headers are not there
        self.allowance, self.hang = allowance, hang
        self.remaining = allowance
        self.retry_after = "7"
        self.busy = 0
        self.most_at_once = 0
        self.lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/1/"

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def __enter__(self) -> FakePushover:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take_fault(self) -> Fault | None:
        """The failure of the next message request; override or fill ``next_faults`` to choose."""
        with self.lock:
            return self.next_faults.popleft() if self.next_faults else None

    def errors(self, fields: dict[str, str], image: bytes | None) -> list[str]:
        """Pushover's complaints about a message, empty when it is acceptable."""
        found = [] if fields.get("token") == TOKEN else ["application token is invalid"]
        found += [] if fields.get("user") == USER else ["user identifier is not a valid user or group key"]
        found += [] if fields.get("message", "").strip() else ["message cannot be blank"]
        for name, limit in _LIMITS.items():
            if len(fields.get(name, "")) > limit:
                found.append(f"{name} is too long, limit is {limit} characters")
        found += _priority_errors(fields)
        if "device" in fields and not re.fullmatch(r"[A-Za-z0-9_,-]{1,}", fields["device"]):
            found.append("device name is not valid for user")
        if "ttl" in fields and not (fields["ttl"].isdecimal() and int(fields["ttl"]) > 0):
            found.append("ttl must be a positive number")
        if fields.get("html") in ("1", "True") and fields.get("monospace") == "1":
            found.append("html and monospace are mutually exclusive")
        if image is not None and len(image) > _IMAGE_BYTES:
            found.append("attachment is too large")
        return found

    def accept(self, fields: dict[str, str], image: bytes | None) -> str:
        """Store a message; returns its request id."""
        request = str(uuid.uuid4())
        with self.lock:
            self.remaining -= 1
            message: dict[str, Any] = {name: value for name, value in fields.items() if name not in ("token", "user")}
            self.accepted.append(message | {"request": request, "image": image})
        return request

    def headers(self) -> dict[str, str]:
        if not self.limits_known:
            return {}
        return {
            "X-Limit-App-Limit": str(self.allowance),
            "X-Limit-App-Remaining": str(self.remaining),
            "X-Limit-App-Reset": str(int(time.time()) + 86_400),
        }


def _priority_errors(fields: dict[str, str]) -> list[str]:
    level = fields.get("priority", "0")
    if level not in ("-2", "-1", "0", "1", "2"):
        return ["priority is invalid"]
    if level != "2":
        return []
    found = []
    if not fields.get("retry", "").isdecimal() or int(fields["retry"]) < 30:
        found.append("retry must be supplied and at least 30 with priority=2")
    if not fields.get("expire", "").isdecimal() or not 0 < int(fields["expire"]) <= 10_800:
        found.append("expire must be supplied and at most 10800 with priority=2")
    return found


def _handler(fake: FakePushover) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            if not fake.limits_known or urlsplit(self.path).path != "/1/apps/limits.json":
                return self._answer(404, {"status": 0, "errors": ["not found"]})
            if query.get("token") != TOKEN:
                return self._answer(400, {"status": 0, "errors": ["application token is invalid"]})
            return self._answer(200, {"status": 1, "limit": fake.allowance, "remaining": fake.remaining})

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            if len(body) < length:  # the sender was killed in the middle of the request
                self.close_connection = True
                return None
            if urlsplit(self.path).path == "/1/users/validate.json":
                fields, _ = _fields(self.headers.get("Content-Type", ""), body)
                if fields.get("token") != TOKEN:
                    return self._answer(400, {"status": 0, "errors": ["application token is invalid"]})
                if fields.get("user") != USER:
                    return self._answer(400, {"status": 0, "errors": ["user key is invalid"]})
                return self._answer(200, {"status": 1, "devices": ["phone"]})
            if urlsplit(self.path).path != "/1/messages.json":
                return self._answer(404, {"status": 0, "errors": ["not found"]})
            with fake.lock:
                fake.busy += 1
                fake.most_at_once = max(fake.most_at_once, fake.busy)
                crowded = fake.busy > _AT_ONCE
            try:
                if crowded:
                    return self._answer(429, {"status": 0, "errors": ["too many requests at once"]})
                return self._message(*_fields(self.headers.get("Content-Type", ""), body))
            finally:
                with fake.lock:
                    fake.busy -= 1

        def _message(self, fields: dict[str, str], image: bytes | None) -> None:
            fault = fake.take_fault()
            if fault is Fault.ERROR_500:
                return self._raw(500, b"<html>Internal Server Error</html>", "text/html")
            if fault is Fault.BUSY_429:
                return self._answer(429, {"status": 0, "errors": ["slow down"]}, {"Retry-After": fake.retry_after})
            if fault in (Fault.DROP_BEFORE_ACCEPTING, Fault.HANG_BEFORE_ACCEPTING):
                return self._vanish(fake.hang if fault is Fault.HANG_BEFORE_ACCEPTING else 0)
            if fault is Fault.ACCEPT_LATE:
                time.sleep(fake.hang)
            errors = fake.errors(fields, image)
            if errors:
                fake.refused.append(errors)
                return self._answer(400, {"status": 0, "errors": errors, "request": str(uuid.uuid4())})
            if fake.remaining <= 0:
                return self._answer(429, {"status": 0, "errors": ["message limit reached"]})
            request = fake.accept(fields, image)
            if fault is not None:
                fake.lost_answers.append(fake.accepted[-1])
            if fault is Fault.GARBAGE:
                return self._raw(200, b"OK", "text/plain")
            if fault in (Fault.DROP_AFTER_ACCEPTING, Fault.HANG_AFTER_ACCEPTING):
                return self._vanish(fake.hang if fault is Fault.HANG_AFTER_ACCEPTING else 0)
            receipt = {"receipt": uuid.uuid4().hex[:30]} if fields.get("priority") == "2" else {}
            return self._answer(200, {"status": 1, "request": request, **receipt})

        def _vanish(self, after: float) -> None:
            time.sleep(after)
            self.close_connection = True

        def _answer(self, status: int, body: dict[str, Any], more: dict[str, str] | None = None) -> None:
            self._raw(status, json.dumps(body).encode(), "application/json", more)

        def _raw(self, status: int, body: bytes, kind: str, more: dict[str, str] | None = None) -> None:
            try:
                self.send_response(status)
                headers = {"Content-Type": kind, "Content-Length": str(len(body)), **fake.headers(), **(more or {})}
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
            except OSError:  # the sender was killed while it waited
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    return Handler


def _fields(content_type: str, body: bytes) -> tuple[dict[str, str], bytes | None]:
    """A form's text fields and its picture, url-encoded or multipart."""
    if not content_type.startswith("multipart/"):
        parsed = parse_qs(body.decode(), keep_blank_values=True)
        return {name: values[0] for name, values in parsed.items()}, None
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    fields: dict[str, str] = {}
    image: bytes | None = None
    for part in message.iter_parts():
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        name = str(part.get_param("name", header="content-disposition"))
        if name == "attachment":
            image = content
        else:
            fields[name] = content.decode()
    return fields, image
