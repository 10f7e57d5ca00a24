"""The frontier estimator with a model that was fine-tuned on prices (``train frontier``).

Such a model learnt to answer one question about one product, so it is asked exactly that, without comparables; these
only tell whether its figure is believable. As with any language model, the retrieval estimate stands where it fails.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import structlog

from agents.llm_frontier import expected_prices, settled
from agents.prompts import PriceClaim
from agents.screen import speaks_to_machines
from framework.chat.base import Message
from framework.chat.budget import Replies, ReplyCache
from framework.chat.client import Chat
from framework.deals import MemberEstimate
from framework.errors import ChatDeclined, ChatError, ContextTooSmall, ReplyCutOff
from models.base import Estimator
from models.data.prompts import SYSTEM, parse_price, question

_VERSION = "tuned/1"
_MOST_TOKENS = 24  # the answer is "Price is $106"
_MOST_TEXT = 1_500  # characters, as in training
_ALTERNATIVES = 20
_AMOUNT = re.compile(r"\$\s*(\d+(?:\.\d+)?)")


class TunedFrontierEstimator:
    """Keeps the ``Estimator`` contract."""

    name = "frontier"

    def __init__(self, retrieval: Estimator, chat: Chat, cache: ReplyCache) -> None:
        self._retrieval, self._chat = retrieval, chat
        self._replies = Replies(cache, chat.model, _VERSION)
        self._log = structlog.get_logger("dealhound").bind(agent="frontier")

    def estimate(self, descriptions: Sequence[str]) -> list[MemberEstimate]:
        """Price each description on its own. Raises what the retrieval raises; never ``ChatError``."""
        estimates = list(self._retrieval.estimate(descriptions))
        why: str | None = None
        for number, (text, estimate) in enumerate(zip(descriptions, estimates, strict=True)):
            if not estimate.similar or speaks_to_machines(text):
                continue
            price = self._remembered(text)
            if price is None and why is None:
                try:
                    price = self._ask(text)
                except ChatError as error:
                    why = str(error)
                    self._log.warning("pricing by retrieval only", reason=why, items=len(estimates) - number)
            claim = None if price is None else PriceClaim(item=1, price=price, low=math.nan, high=math.nan)
            estimates[number] = settled(estimate, claim, why or "the fine-tuned model gave no usable price")
        return estimates

    def _remembered(self, text: str) -> float | None:
        kept = self._replies.get(text)
        return parse_price(kept) if kept else None

    def _ask(self, text: str) -> float | None:
        """The model's price; ``None`` where it names none or declines this product. Raises the other errors."""
        messages = [Message("system", SYSTEM), Message("user", question(text[:_MOST_TEXT]))]
        try:
            reply = self._chat.complete(messages, purpose="price", max_tokens=_MOST_TOKENS, logprobs=_ALTERNATIVES)
        except (ContextTooSmall, ReplyCutOff, ChatDeclined):
            return None
        price = parse_price(reply.text)
        expected = expected_prices(reply, _AMOUNT)
        if price is not None and len(expected) == 1 and expected[0] is not None:
            price = expected[0]
        if price is not None:
            self._replies.put(text, str(price))
        return price
