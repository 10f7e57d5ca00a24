"""Alerts replayed on offers drawn from known prices: does the judge find the bargains, and only them?

The protocol: an offer's price is the product's known price less a true discount d. 70% of the offers have d between
-10 and +10%, 20% between 10 and 30%, 10% between 30 and 60%. A true bargain has d of at least 20%; recall is of the
offers with at least 30%. Six offers in ten claim a list price; of those that claim one while d is under 10%, three in
ten are dressed up (1.3 to 2 times the real price); all other claims are the real price times exp(N(0.05, 0.1)).
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from framework.deals import Judgement, Valuation, Verdict
from framework.judge import JudgeRule, judge
from framework.money import Money
from models.data.products import Product
from models.valuation import DealFacts

BARGAIN = 0.20
BIG = 0.30
_DISCOUNTS = ((0.70, -0.10, 0.10), (0.20, 0.10, 0.30), (0.10, 0.30, 0.60))
_RECALLS = (0.10, 0.20, 0.30, 0.40, 0.50)


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer drawn from a product: what is said of it, and its true discount (share of the real price)."""

    product: int  # position of the product in the list it was drawn from
    facts: DealFacts
    worth: float
    discount: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """An offer and what became of it; ``valuation`` and ``judgement`` are missing where it could not be valued."""

    offer: Offer
    valuation: Valuation | None
    judgement: Judgement | None

    @property
    def alerted(self) -> bool:
        """Whether the judge called it an opportunity."""
        return self.judgement is not None and self.judgement.verdict is Verdict.OPPORTUNITY


def draw_offers(products: Sequence[Product], *, seed: int = 1, repeat: int = 1, claims: bool = True) -> list[Offer]:
    """``repeat`` offers of every product in random order; with ``claims`` off no offer states a list price."""
    rng = random.Random(seed)  # noqa: S311 - a seeded draw, no secret
    positions = [position for position in range(len(products)) for _ in range(repeat)]
    rng.shuffle(positions)
    return [_draw(rng, position, products[position], claims) for position in positions]


def _draw(rng: random.Random, position: int, product: Product, claims: bool) -> Offer:
    _, low, high = rng.choices(_DISCOUNTS, weights=[group[0] for group in _DISCOUNTS])[0]
    discount = rng.uniform(low, high)
    claimed = None
    if claims and rng.random() < 0.6:
        dressed_up = discount < 0.10 and rng.random() < 0.3
        claimed = product.price * (rng.uniform(1.3, 2.0) if dressed_up else math.exp(rng.gauss(0.05, 0.1)))
    facts = DealFacts(
        price=Money.of(max(0.01, product.price * (1 - discount))),
        description=product.text,
        list_price=Money.of(max(0.01, claimed)) if claimed is not None else None,
    )
    return Offer(position, facts, product.price, discount)


def judge_all(offers: Sequence[Offer], valuations: Sequence[Valuation | None], rule: JudgeRule) -> list[Outcome]:
    """The verdict on every offer that has a valuation."""
    return [
        Outcome(offer, valuation, judge(offer.facts.price, valuation, rule) if valuation is not None else None)
        for offer, valuation in zip(offers, valuations, strict=True)
    ]


def score(outcomes: Sequence[Outcome], rule: JudgeRule) -> dict[str, object]:
    """Precision and recall of the verdicts, of the reference's rule and of trusting the claim, and the honesty of p."""
    from models.evaluate.metrics import reliability

    said = [outcome for outcome in outcomes if outcome.alerted]
    big = sum(outcome.offer.discount >= BIG for outcome in outcomes)
    judged = [outcome for outcome in outcomes if outcome.judgement is not None]
    probability = np.array([outcome.judgement.probability for outcome in judged if outcome.judgement])
    reached = np.array([_reaches(outcome.offer, rule) for outcome in judged])
    claimed = sorted(outcomes, key=_claimed_share)[: len(said)]
    return {
        "offers": len(outcomes),
        "judge": _line(said, big),
        "reference": _line(reference_alerts(judged), big),
        "trusting_claims": _line(claimed, big),
        "curve": curve(judged, big),
        "reliability": reliability(probability, reached) if len(judged) else [],
    }


def reference_alerts(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The reference's rule on the same estimates: of every five offers the largest value less price, if over $50."""

    def gap(outcome: Outcome) -> float:
        valuation = outcome.valuation
        if valuation is None:
            return -math.inf
        value = valuation.estimate.value if valuation.estimate is not None else valuation.value
        return float(value - outcome.offer.facts.price.amount)

    groups = [outcomes[start : start + 5] for start in range(0, len(outcomes) - 4, 5)]
    return [best for best in (max(group, key=gap) for group in groups) if gap(best) > 50]


def curve(outcomes: Sequence[Outcome], big: int) -> list[dict[str, float]]:
    """Precision by recall, taking the most probable offers first."""
    ranked = sorted(outcomes, key=lambda outcome: -(outcome.judgement.probability if outcome.judgement else 0.0))
    caught = np.cumsum([outcome.offer.discount >= BIG for outcome in ranked])
    real = np.cumsum([outcome.offer.discount >= BARGAIN for outcome in ranked])
    points = []
    for target in sorted({*_RECALLS, *np.linspace(0.02, 0.98, 49).round(2).tolist()}):
        at = int(np.searchsorted(caught, target * big))
        if big and at < len(ranked):
            judgement = ranked[at].judgement
            least = judgement.probability if judgement else 0.0
            points.append({"recall": target, "precision": float(real[at] / (at + 1)), "probability": least})
    return points


def _reaches(offer: Offer, rule: JudgeRule) -> bool:
    """Whether the true discount reaches the owner's threshold."""
    paid = float(offer.facts.price.amount)
    return offer.worth >= rule.needed_worth(offer.facts.price) and paid < offer.worth


def _claimed_share(outcome: Outcome) -> float:
    facts = outcome.offer.facts
    return float(facts.price.amount / facts.list_price.amount) if facts.list_price is not None else 1.0


def _line(alerts: Sequence[Outcome], big: int) -> dict[str, float]:
    real = sum(outcome.offer.discount >= BARGAIN for outcome in alerts)
    caught = sum(outcome.offer.discount >= BIG for outcome in alerts)
    return {"alerts": len(alerts), "precision": real / max(1, len(alerts)), "recall": caught / max(1, big)}
