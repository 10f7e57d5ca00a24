"""Lets a language model say in a sentence or two why an opportunity is one; believes none of it unchecked.

It never holds a message up: an answer that takes longer than ``patience`` is not waited for (it is kept for the next
channel or try), and after a late or failed one nobody waits for some time. What is refused is not asked for again.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from agents.messaging.facts import unsupported
from agents.messaging.limits import plain
from agents.prompts import TELL, Telling, fence
from agents.screen import speaks_to_machines
from framework.chat.budget import Replies, ReplyCache
from framework.chat.client import Chat
from framework.deadline import call_within
from framework.deals import Opportunity
from framework.errors import ChatError, MemoryStoreError

_MOST_TOKENS = 160
_DESCRIBED = 600  # characters of the description that the model sees
_REFUSED = ""  # kept in place of a reply that was not borne out


class Copywriter:
    """Called with an opportunity, gives a checked sentence or two, or ``None``. Raises nothing for a model's sake."""

    def __init__(
        self,
        chat: Chat,
        cache: ReplyCache,
        *,
        patience: float = 5.0,
        rest: float = 600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``patience`` is how long one message may wait, ``rest`` how long none waits after that; both in seconds."""
        self._chat, self._replies = chat, Replies(cache, chat.model, TELL.key)
        self._patience, self._rest, self._clock = patience, rest, clock
        self._resting_until = 0.0
        self._log = structlog.get_logger("dealhound").bind(agent="messaging")

    def __call__(self, opportunity: Opportunity) -> str | None:
        """The words for an opportunity's message."""
        known = told(opportunity)
        if opportunity.deal.sample or speaks_to_machines(known):
            return None
        kept = self._replies.get(known)
        if kept is not None:
            return kept or None
        if self._clock() < self._resting_until:
            return None
        try:
            return call_within(self._patience, lambda: self._write(opportunity, known), "copywriter")
        except TimeoutError:
            reason = f"no answer within {self._patience:g} s"
        except (ChatError, MemoryStoreError) as error:
            reason = str(error)
        self._resting_until = self._clock() + self._rest
        self._log.warning("message written without the language model", opportunity=opportunity.id, reason=reason)
        return None

    def _write(self, opportunity: Opportunity, known: str) -> str | None:
        messages = TELL.messages(fence([known], "deal"))
        said = self._chat.parse(messages, Telling, purpose="message", max_tokens=_MOST_TOKENS).value.text
        text = plain(said)
        fault = unsupported(text, opportunity)
        if fault is not None:
            self._log.info("the model's words are not used", opportunity=opportunity.id, reason=fault)
        self._replies.put(known, _REFUSED if fault else text)
        return None if fault else text


def told(opportunity: Opportunity) -> str:
    """All that the model learns of an opportunity, and nothing that the owner has not in the message too."""
    deal, judgement, valuation = opportunity.deal, opportunity.judgement, opportunity.valuation
    lines = [
        f"Title: {plain(deal.title)}",
        f"Product: {plain(deal.description)[:_DESCRIBED]}",
        f"Shop: {plain(deal.merchant)}" if deal.merchant else "",
        f"Price: {deal.price}" + (f" for {deal.quantity}" if deal.quantity > 1 else ""),
        f"Worth: {valuation.value:.0f} {valuation.currency} (between {valuation.low:.0f} and {valuation.high:.0f})",
        f"Saving: {judgement.discount:.0f} {deal.price.currency}, {judgement.discount_pct:.0f}% of the worth",
        f"List price: {deal.list_price}" if deal.list_price else "",
        f"Lowest price elsewhere: {deal.market_price}" if deal.market_price else "",
        f"Condition: {deal.condition.value.replace('_', ' ')}" if deal.condition else "",
    ]
    return "\n".join(line for line in lines if line)
