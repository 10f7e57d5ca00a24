"""Composes the message about an opportunity: the template's facts, led by a model's words where there are some."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agents.messaging.base import Message
from agents.messaging.template import opportunity_message
from framework.deals import Opportunity
from framework.price_history import PriceSummary


@dataclass(frozen=True)
class Style:
    """How the owner wants alerts to arrive. ``ttl``, ``retry`` and ``expire`` are in seconds."""

    sound: str | None = None
    device: str | None = None
    ttl: int = 604_800  # few deals live longer than a week
    emergency: bool = False  # what is urgent rings until it is acknowledged
    retry: int = 60
    expire: int = 3_600


class Composer:
    """Called with an opportunity, gives its message.

    ``lead`` writes a sentence or two, or ``None`` (it must come back soon and never raise for a model's sake);
    ``prices`` sums up what the product cost before; ``vote_url`` gives the page for the owner's word.
    """

    def __init__(
        self,
        style: Style | None = None,
        *,
        lead: Callable[[Opportunity], str | None] = lambda opportunity: None,
        prices: Callable[[Opportunity], PriceSummary | None] = lambda opportunity: None,
        vote_url: Callable[[str], str | None] = lambda identity: None,
    ) -> None:
        self._style = style or Style()
        self._lead, self._prices, self._vote_url = lead, prices, vote_url

    def __call__(self, opportunity: Opportunity) -> Message:
        """The message, in the owner's style."""
        style = self._style
        message = opportunity_message(opportunity, lead=self._lead(opportunity), prices=self._prices(opportunity))
        urgent = message.priority > 0 and style.emergency
        return message.model_copy(
            update={
                "priority": 2 if urgent else message.priority,
                "sound": style.sound,
                "device": style.device,
                "ttl": style.ttl,
                "retry": style.retry,
                "expire": style.expire,
                "vote_url": None if opportunity.deal.sample else self._vote_url(opportunity.id),
            }
        )
