"""Every other service, by Apprise URL. One notifier per URL, so that one that fails repeats nothing on the others."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from agents.messaging.base import VOTE_WORDS, Message, Receipt
from framework.errors import DeliveryDelayed, DeliveryRejected, DeliveryUncertain, SettingsError

if TYPE_CHECKING:
    from apprise import Apprise, AppriseResult

_TIMEOUT = 30  # seconds for one message
_STATUS = re.compile(r"\berror=(\d{3})\b")  # how Apprise's plugins log the service's HTTP status


class AppriseNotifier:
    """Sends to one Apprise URL. The URL often holds a key, so the channel is named by its scheme and a short hash.

    Raises ``SettingsError`` when Apprise does not know the URL's service.
    """

    def __init__(self, url: str) -> None:
        scheme = url.split("://", 1)[0] if "://" in url else "?"
        self.channel = f"apprise:{scheme}:{hashlib.sha256(url.encode()).hexdigest()[:6]}"
        self._url = url
        self._service: Apprise | None = None

    def check(self) -> None:
        """Raise ``SettingsError`` unless Apprise can use the URL."""
        self._open()

    def send(self, message: Message) -> Receipt:
        """Send one message; Apprise fits it to the service's limits. See ``Notifier`` for what it raises."""
        try:
            service = self._open()
        except SettingsError as error:
            raise DeliveryRejected(self.channel, str(error)) from error
        vote = f"{VOTE_WORDS} {message.vote_url}" if message.vote_url else None
        body = "\n".join(line for line in (message.text, message.url, vote) if line)
        result = service.notify(body=body, title=message.title, body_format="text", timeout=_TIMEOUT)
        if result:
            return Receipt(detail="accepted")
        raise self._failure(result)

    def _failure(self, result: AppriseResult) -> Exception:
        if result.timeout_count:
            return DeliveryUncertain(self.channel, f"No answer within {_TIMEOUT} seconds; it may have arrived")
        statuses = [int(found) for line in result.logs() for found in _STATUS.findall(str(line))]
        if any(400 <= status < 500 and status not in (408, 425, 429) for status in statuses):
            return DeliveryRejected(self.channel, f"HTTP {statuses[-1]}: check the address in DEALHOUND_APPRISE_URLS")
        cause = f"HTTP {statuses[-1]}" if statuses else "the service could not be reached"
        return DeliveryDelayed(self.channel, f"Not delivered: {cause}")

    def _open(self) -> Any:
        from apprise import Apprise

        if self._service is None:
            service = Apprise()
            if not service.add(self._url):
                raise SettingsError(f"DEALHOUND_APPRISE_URLS: Apprise knows no service for the address {self.channel}")
            self._service = service
        return self._service


def apprise_notifiers(urls: Iterable[str]) -> list[AppriseNotifier]:
    """One notifier per URL, each checked; raises ``SettingsError``."""
    notifiers = [AppriseNotifier(url) for url in dict.fromkeys(urls)]
    for notifier in notifiers:
        notifier.check()
    return notifiers
