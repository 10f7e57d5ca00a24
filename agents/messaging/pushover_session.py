"""The HTTP session that ``pushover_complete`` sends through: deadlines, the stand-in's address, honest errors.

The library posts without any timeout, to an address that is a constant of its module, and reads every answer as JSON.
It takes a session though, so all of that is put right here without touching the library.
"""

from __future__ import annotations

import io
import time
from datetime import UTC, datetime
from typing import Any

import requests

from framework.allowance import Allowance
from framework.errors import DeliveryDelayed, DeliveryRejected, DeliveryUncertain

CHANNEL = "pushover"
OFFICIAL = "https://api.pushover.net/1/"
_MAX_BYTES = 64 * 1024
_LEAST_PAUSE = 5.0  # seconds that Pushover asks to wait after a 5xx


class PushoverSession(requests.Session):
    """One session per call. Requests end within about ``deadline`` seconds; no redirect is followed with the token."""

    def __init__(self, base_url: str, deadline: float) -> None:
        super().__init__()
        self._base = base_url.rstrip("/") + "/"
        self._deadline = deadline
        self.answer: requests.Response | None = None

    def request(self, method: str, url: str, **options: Any) -> requests.Response:  # type: ignore[override]
        """Send and read the whole answer; raise the ``DeliveryError`` that fits where it is no success."""
        target = url.replace(OFFICIAL, self._base, 1)
        options |= {"timeout": (min(10.0, self._deadline), self._deadline), "stream": True, "allow_redirects": False}
        ends = time.monotonic() + self._deadline
        try:
            answer = _whole(super().request(method, target, **options), ends)
        except requests.RequestException as error:
            raise _translated(error) from error
        self.answer = answer
        _require_success(answer)
        return answer

    def allowance(self) -> Allowance | None:
        """The month's messages, as the last answer's headers say."""
        headers = self.answer.headers if self.answer is not None else {}
        limit, remaining, reset = (headers.get(f"X-Limit-App-{name}", "") for name in ("Limit", "Remaining", "Reset"))
        return read_allowance(limit, remaining, reset)


def read_allowance(limit: object, remaining: object, reset: object) -> Allowance | None:
    """The allowance from Pushover's three figures, ``None`` where one of them is missing or no number."""
    figures = [str(figure) for figure in (limit, remaining, reset)]
    if not all(figure.isdecimal() and len(figure) < 12 for figure in figures) or not int(figures[0]):
        return None
    return Allowance(
        limit=int(figures[0]), remaining=int(figures[1]), reset=datetime.fromtimestamp(int(figures[2]), tz=UTC)
    )


def _whole(streamed: requests.Response, ends: float) -> requests.Response:
    """The answer with its body read, within the deadline and a cap: a server that drips bytes holds nobody up."""
    body = b""
    for piece in streamed.iter_content(1024):
        body += piece
        if len(body) > _MAX_BYTES or time.monotonic() > ends:
            raise requests.ReadTimeout("the answer is too long or too slow")
    answer = requests.Response()
    answer.status_code, answer.headers, answer.raw = streamed.status_code, streamed.headers, io.BytesIO(body)
    return answer


def _translated(error: requests.RequestException) -> Exception:
    """Before the request was out: delayed. After it: uncertain. The error's own text may hold the token: left out."""
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return DeliveryRejected(CHANNEL, "DEALHOUND_PUSHOVER_URL is no usable http(s) address")
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError | requests.exceptions.ProxyError):
        return DeliveryDelayed(CHANNEL, "No connection to Pushover: check network, TLS and proxy")
    if isinstance(error, requests.ConnectionError) and _never_connected(error):
        return DeliveryDelayed(CHANNEL, "No connection to Pushover: check the network")
    return DeliveryUncertain(CHANNEL, "The message was sent but Pushover's answer was lost; it may have arrived")


def _never_connected(error: requests.ConnectionError) -> bool:
    from urllib3.exceptions import NewConnectionError

    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError)


def _require_success(answer: requests.Response) -> None:
    status = answer.status_code
    if status == 429:
        raise DeliveryDelayed(CHANNEL, f"HTTP 429: {_words(answer)}", retry_after=_wait(answer))
    if status >= 500:
        raise DeliveryDelayed(CHANNEL, f"HTTP {status} from Pushover", retry_after=_LEAST_PAUSE)
    if status >= 300:
        raise DeliveryRejected(CHANNEL, f"HTTP {status}: {_words(answer)}")
    if _json(answer).get("status") != 1:
        # 2xx is accepted for all we know, whatever stands in the body; only an explicit "status 0" is a no
        if _json(answer).get("status") == 0:
            raise DeliveryRejected(CHANNEL, _words(answer))
        raise DeliveryUncertain(CHANNEL, f"HTTP {status}, but not in Pushover's format; it may have arrived")


def _json(answer: requests.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except requests.exceptions.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _words(answer: requests.Response) -> str:
    """What the service says is wrong."""
    errors = _json(answer).get("errors")
    if isinstance(errors, list) and errors:
        return "; ".join(str(error) for error in errors)[:300]
    return "the service gave no reason"


def _wait(answer: requests.Response) -> float | None:
    """Seconds to wait after a 429: ``Retry-After``, or until the month's allowance is renewed when it is used up."""
    seconds = answer.headers.get("Retry-After", "")
    if seconds.isdecimal():
        return float(seconds)
    reset = answer.headers.get("X-Limit-App-Reset", "")
    if answer.headers.get("X-Limit-App-Remaining") == "0" and reset.isdecimal():
        return max(float(reset) - time.time(), _LEAST_PAUSE)
    return None
