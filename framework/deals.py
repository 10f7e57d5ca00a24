"""The domain types: entry, reading, deal, estimate, valuation, verdict, opportunity.

Immutable values that travel down the pipeline (see the picture in README.md). Every stage returns one value per item;
what went wrong with an item is part of its value, so that no item can end a hunt or vanish from it.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from framework.money import Amount, Currency, Money


class Value(BaseModel):
    """Base of all domain types: frozen, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Kind(StrEnum):
    """What an entry offers. Only ``PRODUCT`` can become a deal."""

    PRODUCT = "product"
    MANY = "many"  # a sale, a list, "up to 60% off", "from $9"
    GIFT_CARD = "gift_card"
    SERVICE = "service"  # subscriptions, phone plans, travel, tickets, insurance
    RESTAURANT = "restaurant"
    FREEBIE = "freebie"
    COUPON = "coupon"  # a code or a percentage without a product
    OTHER = "other"  # news, questions, discussions


class Condition(StrEnum):
    """Condition of the item on offer; ``None`` in a deal means that the source does not say."""

    NEW = "new"
    OPEN_BOX = "open_box"
    REFURBISHED = "refurbished"
    USED = "used"


class ReaderName(StrEnum):
    """Who read an entry into a deal."""

    STRUCTURED = "structured"  # feed fields or the page's own markup
    EXTRACTIVE = "extractive"  # the grammar of deal texts
    LLM = "llm"


class Entry(Value):
    """One item of a feed, as published (text decoded, markup kept in ``content``)."""

    id: str  # stable over edits: from the guid, else the canonical url
    feed_url: str
    url: str | None = None
    title: str
    content: str = ""  # description or content, HTML as published
    published: datetime | None = None  # aware, UTC
    author: str | None = None
    image: str | None = None
    categories: tuple[str, ...] = ()
    fields: dict[str, str] = Field(default_factory=dict)  # namespaced extras, e.g. {"dealnews:price": "7.46"}
    sample: bool = False  # from the bundled sample feed: never pushed to a phone


class Deal(Value):
    """A product on offer, read from an entry."""

    entry_id: str
    url: str | None = None  # from the entry's record, never from a model
    title: str
    description: str  # the product itself, without price, shop and shipping
    price: Money  # what one pays for ``quantity`` items together
    list_price: Money | None = None  # what the seller claims it cost before
    market_price: Money | None = None  # the lowest price elsewhere, where the post states it
    quantity: int = Field(default=1, ge=1)
    condition: Condition | None = None
    merchant: str | None = None
    brand: str | None = None
    image: str | None = None
    evidence: tuple[str, ...] = ()  # the spans of the source that price, list price and the rest were read from
    reader: ReaderName = ReaderName.EXTRACTIVE
    sample: bool = False


class ReadingVerdict(StrEnum):
    """What became of an entry when it was read."""

    DEAL = "deal"
    SKIPPED = "skipped"  # understood, and not one product on offer
    FAILED = "failed"  # not understood: page unreachable, no price, unsupported claim


class Reading(Value):
    """What the scanner made of one entry. ``deal`` is there if and only if the verdict is ``DEAL``."""

    entry: Entry
    verdict: ReadingVerdict
    kind: Kind | None = None
    deal: Deal | None = None
    reader: ReaderName = ReaderName.EXTRACTIVE
    reason: str = ""  # one sentence for the owner
    certain: bool = False  # one candidate for the price and nothing against it: no need to ask a language model


class Similar(Value):
    """A catalogue item near to a description."""

    description: str
    price: Amount
    similarity: float = Field(ge=-1, le=1)  # cosine
    currency: Currency = "USD"


class MemberEstimate(Value):
    """What one member of the ensemble says of one description: a value in US dollars, or why it has none."""

    member: str
    value: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    failure: str | None = None  # set exactly when value is None
    similar: tuple[Similar, ...] = ()  # for members that retrieve
    degraded: str | None = None  # e.g. "retrieval only, no LLM": it works, but not in full
    spread: float | None = Field(default=None, gt=0, allow_inf_nan=False)  # its own standard deviation in log value
    low: float | None = Field(default=None, gt=0, allow_inf_nan=False)  # the member's own range, where it states one
    high: float | None = Field(default=None, gt=0, allow_inf_nan=False)


class Estimate(Value):
    """What a product is worth by the ensemble: a value with a calibrated 80% range, in ``currency``.

    ``members`` maps each member's name to its figure, ``None`` where it failed; ``log_mean`` and ``log_scale``
    describe the belief in log price (location, and the scale of its error for this item).
    """

    value: Amount
    low: Amount
    high: Amount
    currency: Currency = "USD"
    log_mean: float
    log_scale: float = Field(gt=0)
    members: dict[str, float | None] = Field(default_factory=dict)
    failures: dict[str, str] = Field(default_factory=dict)
    similar: tuple[Similar, ...] = ()
    degraded: tuple[str, ...] = ()


class Evidence(Value):
    """One piece of evidence in a valuation: its name, the worth it points to and its share in the result."""

    name: str  # "estimate", "list price", "market price", "price history", "near-identical item"
    value: Amount
    weight: float = Field(ge=0, le=1)


class Valuation(Value):
    """The estimate joined with the other evidence, as a belief over what the deal is worth.

    ``quantiles`` are amounts at equally spaced probabilities (the first at p = 0, the last at p = 1), ascending:
    a distribution that can be stored, drawn and asked without any library.
    """

    value: Amount
    low: Amount
    high: Amount
    currency: Currency = "USD"
    quantiles: tuple[float, ...] = Field(min_length=2)
    estimate: Estimate | None = None
    evidence: tuple[Evidence, ...] = ()

    def chance_worth_at_least(self, amount: float) -> float:
        """Probability that the true worth is at least ``amount``, by linear interpolation of the quantiles."""
        points = self.quantiles
        if amount <= points[0]:
            return 1.0
        if amount > points[-1]:
            return 0.0
        right = bisect_left(points, amount)
        left = right - 1
        gap = points[right] - points[left]
        inside = (amount - points[left]) / gap if gap > 0 else 1.0
        return 1.0 - (left + inside) / (len(points) - 1)


class Verdict(StrEnum):
    """The judge's word on a valued deal."""

    OPPORTUNITY = "opportunity"
    PASS = "pass"


class Judgement(Value):
    """The judge's word with its figures. ``discount`` = value - price (may be negative), in the deal's currency."""

    verdict: Verdict
    discount: float
    discount_pct: float  # percent of the value
    probability: float = Field(ge=0, le=1)  # that the true discount reaches the owner's threshold
    reason: str


class Opportunity(Value):
    """A deal and its valuation, judged worth surfacing."""

    id: str
    deal: Deal
    valuation: Valuation
    judgement: Judgement
    created: datetime  # aware, UTC
