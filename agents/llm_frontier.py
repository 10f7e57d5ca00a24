"""The frontier estimator: a language model that reasons over what similar products cost.

For each product it shows the five nearest items of the catalogue with their prices, then asks for a price with a range,
several products per call. Where the server gives log probabilities, the price is the expected value over the likeliest
price tokens rather than the single guess: a model that hesitates between 80 and 120 means 100. The prompt's shape is
that of the retrieval-augmented pricer in E. Donner's LLM course (week 8).

A figure far from all comparables is not believed. Without the model, or for items it gave no use of, the retrieval
estimate stands, marked as degraded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import accumulate

import structlog
from pydantic import ValidationError

from agents.prompts import PRICE, PriceClaim, PriceSelection, fence
from agents.screen import speaks_to_machines
from framework.chat.base import Completion, Token
from framework.chat.budget import Replies, ReplyCache
from framework.chat.client import Chat
from framework.deals import MemberEstimate
from framework.errors import ChatDeclined, ChatError, ContextTooSmall, ReplyCutOff
from models.base import Estimator

_COMPARABLES = 5
_MOST_TEXT, _MOST_COMPARABLE = 600, 240  # characters of a product and of a comparable that the model sees
_TOKENS_PER_PRICE = 60
_ALTERNATIVES = 20  # the most that OpenAI gives
# A price outside the comparables' range by more than this factor is no reasoning over comparables.
_STRAY = 4.0
_IN_JSON = re.compile(r'"price"\s*:\s*(\d+(?:\.\d+)?)')
_DIGITS = re.compile(r"\d+")


class FrontierEstimator:
    """Keeps the ``Estimator`` contract. Without a chat it is the retrieval estimator."""

    name = "frontier"

    def __init__(
        self, retrieval: Estimator, chat: Chat | None, cache: ReplyCache | None = None, *, batch: int = 8
    ) -> None:
        """``retrieval`` estimates by neighbours and shows them; ``cache`` keeps replies, so none is bought twice."""
        self._retrieval, self._chat, self._batch = retrieval, chat, batch
        self._replies = Replies(cache, chat.model, PRICE.key) if chat and cache else None
        self._log = structlog.get_logger("dealhound").bind(agent="frontier")

    def estimate(self, descriptions: Sequence[str]) -> list[MemberEstimate]:
        """Price each description on its own. Raises what the retrieval raises; never ``ChatError``."""
        estimates = list(self._retrieval.estimate(descriptions))
        if self._chat is None:
            return estimates
        texts = [_question(text, estimate) for text, estimate in zip(descriptions, estimates, strict=True)]
        askable = [n for n, text in enumerate(texts) if estimates[n].similar and not speaks_to_machines(text)]
        claims = {n: claim for n in askable if (claim := self._remembered(texts[n]))}
        why = self._ask_all([n for n in askable if n not in claims], texts, claims)
        return [
            settled(estimate, claims.get(n), why or "the language model gave no usable price")
            for n, estimate in enumerate(estimates)
        ]

    def _remembered(self, text: str) -> PriceClaim | None:
        kept = self._replies.get(text) if self._replies else None
        if kept is None:
            return None
        try:
            return PriceClaim.model_validate_json(kept)
        except ValidationError:
            return None

    def _ask_all(self, numbers: Sequence[int], texts: Sequence[str], claims: dict[int, PriceClaim]) -> str | None:
        """Ask about these items in batches; returns why some were not asked."""
        for start in range(0, len(numbers), self._batch):
            try:
                self._ask(numbers[start : start + self._batch], texts, claims)
            except ChatError as error:
                self._log.warning("pricing by retrieval only", reason=str(error), items=len(numbers) - start)
                return str(error)
        return None

    def _ask(self, numbers: Sequence[int], texts: Sequence[str], claims: dict[int, PriceClaim]) -> None:
        assert self._chat is not None  # noqa: S101 - callers checked
        try:
            parsed = self._chat.parse(
                PRICE.messages(fence([texts[n] for n in numbers], "product")),
                PriceSelection,
                purpose="price",
                max_tokens=_TOKENS_PER_PRICE * len(numbers) + 200,
                logprobs=_ALTERNATIVES,
            )
        except (ContextTooSmall, ReplyCutOff, ChatDeclined):
            if len(numbers) == 1:
                return
            middle = len(numbers) // 2
            self._ask(numbers[:middle], texts, claims)
            self._ask(numbers[middle:], texts, claims)
            return
        expected = expected_prices(parsed.completion)
        given = [claim.item for claim in parsed.value.prices]
        for place, claim in enumerate(parsed.value.prices):
            if not 1 <= claim.item <= len(numbers) or given.count(claim.item) > 1:
                continue
            if len(expected) == len(given) and (price := expected[place]) is not None:
                claim = claim.model_copy(update={"price": price})
            number = numbers[claim.item - 1]
            claims[number] = claim
            if self._replies:
                self._replies.put(texts[number], claim.model_dump_json())


def _question(description: str, estimate: MemberEstimate) -> str:
    """A product with its comparables."""
    lines = [f"Product: {description[:_MOST_TEXT]}", "Similar products:"]
    lines += [f"- {item.description[:_MOST_COMPARABLE]}: ${item.price:.2f}" for item in estimate.similar[:_COMPARABLES]]
    return "\n".join(lines)


def settled(estimate: MemberEstimate, claim: PriceClaim | None, why: str) -> MemberEstimate:
    """The model's price where it is believable, else the retrieval's, marked."""
    if claim is None:
        return estimate.model_copy(update={"degraded": f"retrieval only: {why}"})
    known = [float(item.price) for item in estimate.similar[:_COMPARABLES]]
    if not (math.isfinite(claim.price) and known and min(known) / _STRAY <= claim.price <= max(known) * _STRAY):
        return estimate.model_copy(
            update={"degraded": "retrieval only: the language model's price is far from all comparables"}
        )
    ordered = all(map(math.isfinite, (claim.low, claim.high))) and 0 < claim.low <= claim.price <= claim.high
    low, high = (claim.low, claim.high) if ordered else (None, None)
    return MemberEstimate(member=estimate.member, value=claim.price, similar=estimate.similar, low=low, high=high)


def expected_prices(completion: Completion, pattern: re.Pattern[str] = _IN_JSON) -> list[float | None]:
    """For each price of a reply, in order, its expected value over the alternatives of its tokens.

    A price is group 1 of ``pattern``, by default what follows ``"price":`` in a structured reply.

    ``None`` where the server gave no log probabilities for it.
    """
    if not completion.tokens:
        return []
    ends = list(accumulate(len(token.text) for token in completion.tokens))
    text = "".join(token.text for token in completion.tokens)
    return [_expected(completion.tokens, ends, match.start(1), match.end(1)) for match in pattern.finditer(text)]


def _expected(tokens: Sequence[Token], ends: Sequence[int], start: int, end: int) -> float | None:
    """The expected value of the number that spans [start, end) of the text.

    Only the first token of the number is varied, over those alternatives that are digits of the same count, so that
    each stands for a number of the same size; the tokens after it stay. Models write prices below 1,000 as one token,
    where this is the whole distribution.
    """
    first = next(n for n, stop in enumerate(ends) if stop > start)
    token = tokens[first]
    token_start = ends[first] - len(token.text)
    shown = _DIGITS.search(token.text[start - token_start :])
    if shown is None or not token.alternatives:
        return None
    before, digits = token.text[: start - token_start], shown.group()
    rest = "".join(other.text for other in tokens[first + 1 :])[: max(0, end - ends[first])]
    weighted = total = 0.0
    for text, logprob in token.alternatives:
        number = text.removeprefix(before) if text.startswith(before) else text.lstrip()
        if number.isascii() and number.isdigit() and (not rest[:1].isdigit() or len(number) == len(digits)):
            chance = math.exp(logprob)
            weighted += chance * float(number + rest)
            total += chance
    return weighted / total if total > 0 and weighted > 0 else None
