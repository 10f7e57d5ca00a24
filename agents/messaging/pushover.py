"""Pushover, through ``pushover_complete``. Limits and rules: https://pushover.net/api."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from agents.messaging.base import VOTE_WORDS, Message, Receipt
from agents.messaging.limits import shorten
from framework.errors import DealhoundError, DeliveryDelayed, DeliveryRejected, DeliveryUncertain, SettingsError

if TYPE_CHECKING:
    from agents.messaging.pushover_session import PushoverSession

TITLE_CHARS, MESSAGE_CHARS, URL_CHARS, URL_TITLE_CHARS = 250, 1024, 512, 100
IMAGE_BYTES = 5_242_880
_IMAGE_SIGNS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8")
_COUNTER_SECONDS = 5.0  # how long the allowance read from an answer counts as current
_DEADLINE, _COUNTER_DEADLINE = 20.0, 5.0


class PushoverNotifier:
    """Sends to one user or group key.

    ``fetch_image`` gets a picture's bytes from its address (``None`` when there is none); a message never fails
    because of its picture. ``base_url`` names a stand-in for Pushover's API. Raises ``SettingsError`` when a key is
    missing or looks like a placeholder.
    """

    channel = "pushover"

    def __init__(
        self,
        user: str,
        token: str,
        *,
        base_url: str | None = None,
        deadline: float = _DEADLINE,
        fetch_image: Callable[[str], bytes | None] | None = None,
    ) -> None:
        for name, key in (("PUSHOVER_USER", user), ("PUSHOVER_TOKEN", token)):
            if not (key.isascii() and key.isalnum()):
                raise SettingsError(f"{name} is no Pushover key: copy its 30 letters and digits from pushover.net")
        self._user, self._token = user, token
        self._base_url = _api_base(base_url)
        self._deadline = deadline
        self._fetch_image = fetch_image
        self._counter: tuple[float, int | None] = (0.0, None)  # when the allowance was read, and what it was

    def send(self, message: Message) -> Receipt:
        """Send one message, fitted to Pushover's limits. See ``Notifier`` for what it raises."""
        from pushover_complete import PushoverAPI

        self._counter = (0.0, None)  # whatever comes of this attempt, the old figure is no longer true
        with self._session(self._deadline) as session:
            answer = PushoverAPI(self._token)._send_message(
                self._user, image=self._image(message), session=session, **fitted(message)
            )
            allowance = session.allowance()
        self._counter = (time.monotonic(), allowance.remaining if allowance else None)
        said = [f"{name} {answer[name]}" for name in ("request", "receipt") if name in answer]
        return Receipt(detail=", ".join(said) or "accepted", allowance=allowance)

    def remaining(self, *, fresh: bool = False) -> int | None:
        """Messages left this month; asks the service unless it has just said so. Never raises."""
        read, left = self._counter
        if not fresh and left is not None and time.monotonic() - read < _COUNTER_SECONDS:
            return left
        return self._ask_remaining()

    def _ask_remaining(self) -> int | None:
        from agents.messaging.pushover_session import OFFICIAL

        with self._session(min(self._deadline, _COUNTER_DEADLINE)) as session:
            try:
                answer = session.get(f"{OFFICIAL}apps/limits.json", params={"token": self._token}).json()
            except (DeliveryDelayed, DeliveryRejected, DeliveryUncertain):
                return None
        left = answer.get("remaining")
        return left if isinstance(left, int) else None

    def validate(self) -> None:
        """Ask Pushover whether it knows the user and the application; nothing is sent. Raises as ``send`` does."""
        from pushover_complete import PushoverAPI

        with self._session(self._deadline) as session:
            PushoverAPI(self._token)._generic_post("users/validate.json", payload={"user": self._user}, session=session)

    def _session(self, deadline: float) -> PushoverSession:
        from agents.messaging.pushover_session import PushoverSession

        return PushoverSession(self._base_url, deadline)

    def _image(self, message: Message) -> io.BytesIO | None:
        if message.image_url is None or self._fetch_image is None:
            return None
        try:
            picture = self._fetch_image(message.image_url)
        except DealhoundError:
            return None
        if not picture or len(picture) > IMAGE_BYTES or not picture.startswith(_IMAGE_SIGNS):
            return None
        return io.BytesIO(picture)


def fitted(message: Message) -> dict[str, Any]:
    """The message's fields within Pushover's limits, by the names of ``pushover_complete``.

    A link that is too long for its field moves to the end of the text where it fits whole, else it is left out.
    """
    fields: dict[str, Any] = {
        "title": shorten(message.title, TITLE_CHARS),
        "priority": message.priority,
        "sound": message.sound,
        "device": message.device,
        "ttl": message.ttl if message.priority < 2 else None,  # Pushover ignores it for emergencies
    }
    text, link, vote = message.text.strip() or message.title, message.url, message.vote_url
    if link and len(link) <= URL_CHARS:
        fields |= {"url": link, "url_title": shorten(message.url_title, URL_TITLE_CHARS) if message.url_title else None}
    elif link and len(link) < MESSAGE_CHARS - 200:
        text = _with_line(text, link)
    if vote and len(vote) < MESSAGE_CHARS - 200:
        text = _with_line(text, f"{VOTE_WORDS} {vote}")
    if message.priority == 2:
        fields |= {"retry": message.retry, "expire": message.expire}
    return fields | {"message": shorten(text, MESSAGE_CHARS)}


def _with_line(text: str, line: str) -> str:
    """The text with one more line, which stays whole."""
    return f"{shorten(text, MESSAGE_CHARS - len(line) - 1)}\n{line}"


def _api_base(url: str | None) -> str:
    """The folder that ``messages.json`` lies in; a stand-in may be named by its host alone."""
    if url is None:
        return "https://api.pushover.net/1/"
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError("DEALHOUND_PUSHOVER_URL must be an http or https address, such as http://127.0.0.1:8080/1/")
    base = url.rstrip("/").removesuffix("/messages.json")
    return f"{base}/" if urlsplit(base).path else f"{base}/1/"
