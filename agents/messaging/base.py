"""What a message is, and the contract that every channel keeps."""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

from pydantic import Field

from framework.allowance import Allowance
from framework.deals import Value

VOTE_WORDS = "Your word on it:"
Priority = Literal[-2, -1, 0, 1, 2]  # Pushover's scale: silent, quiet, normal, high, until acknowledged


class Message(Value):
    """One message, before it is fitted to the limits of a channel."""

    title: str
    text: str
    url: str | None = None
    url_title: str | None = None
    priority: Priority = 0
    sound: str | None = None
    device: str | None = None
    ttl: int | None = Field(default=None, gt=0)  # seconds after which the phone may delete it
    image_url: str | None = None
    vote_url: str | None = None  # a page where the owner says what they think of it
    retry: int = Field(default=60, ge=30)  # seconds between reminders, priority 2 only
    expire: int = Field(default=3600, gt=0, le=10_800)  # seconds of reminding, priority 2 only


class Receipt(Value):
    """What the service said when it accepted a message."""

    detail: str  # its request id or its words, for the delivery log
    allowance: Allowance | None = None  # what is left of the service's allowance, where it says so


class Notifier(Protocol):
    """A channel that messages go out on. ``channel`` is its name in the outbox; one instance may serve many threads.

    ``send`` returns once the service has accepted. It raises ``DeliveryRejected`` (trying again is useless),
    ``DeliveryDelayed`` (it was not accepted, try later) or ``DeliveryUncertain`` (it may have been accepted). It never
    raises anything else for what a network or a service can do, and it always comes back in bounded time.
    """

    channel: str

    def send(self, message: Message) -> Receipt:
        """Hand one message to the service."""
        ...


@runtime_checkable
class CountsMessages(Protocol):
    """A channel whose service counts what it accepted, so that a lost answer can be looked up afterwards."""

    def remaining(self, *, fresh: bool = False) -> int | None:
        """Messages left in the allowance now, ``None`` when that cannot be found out. Never raises.

        Unless ``fresh``, what the service said a few seconds ago will do.
        """
        ...
