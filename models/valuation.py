"""Valuation: the estimate joined with what else is known of an offer, as one belief over its true worth.

Bayes' rule on a grid of log worth ``u``::

    belief(u)  ∝  estimate(u) · offer(price | u) · claim(list price | u, discount) · market(u) · history(u) · twins(u)

- *estimate*: the blender's value with its measured distribution of errors.
- *offer*: how likely a shop asks this price for something worth ``exp(u)``. Most offers are near their worth, few are
  far below; leaving this out is the winner's curse: of many offers the one most underpriced *by the estimate* is mostly
  the one most overestimated.
- *claim*: a seller's list price is honest (the worth, a little above) or dressed up, and dressed up mostly where there
  is no real discount.
- *market*: the lowest price elsewhere as an editor states it. *history*: what the product itself cost before.
  *twins*: catalogue items that are the very product, by their words (``models.twins``) or all but the same text.

Every assumption is a named number in ``Assumptions`` with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, log
from statistics import median

import numpy as np

from framework.currency import RateMissing, Rates
from framework.deals import Condition, Deal, Estimate, Evidence, Similar, Valuation, Value
from framework.money import Money
from models.belief import Floats, ResidualShape, divergence, normal, normalised, quantile, soft_box, step
from models.twins import same_product

QUANTILES = 101


@dataclass(frozen=True)
class Assumptions:
    """What is believed of offers before one is seen. Discounts are shares of the true worth."""

    # Of offers in deal feeds about seven in ten are near their worth, two in ten a fair discount, one in ten a real
    # bargain. The replay protocol of docs/accuracy.md draws offers the same way.
    discounts: tuple[tuple[float, float, float], ...] = ((-0.10, 0.10, 0.7), (0.10, 0.30, 0.2), (0.30, 0.60, 0.1))
    discount_softness: float = 0.01  # nobody knows the edges of these groups exactly
    odd_offer: float = 0.01  # none of the above: price errors, misread prices, a different product
    odd_spread: float = 1.0  # of log price for such an offer
    # An honest list price is the usual price, a few percent above the street's.
    honest_excess: float = 0.05
    honest_spread: float = 0.10
    # Three claims in ten are dressed up where there is no real discount, to 1.3 to 2 times the worth.
    dressed_up: float = 0.30
    dressed_up_below: float = 0.10  # the discount below which a seller has a reason to dress up
    dressed_range: tuple[float, float] = (1.3, 2.0)
    dressed_softness: float = 0.02
    odd_claim: float = 0.02  # a claim about something else (another size, a bundle, a typing error): it says nothing
    odd_claim_width: float = 5.0  # of log price: such claims lie anywhere
    # "Lowest price elsewhere" is an editor's comparison on the day: the street price itself, within a few percent.
    market_spread: float = 0.05
    market_wrong: float = 0.05  # another variant was compared
    # One product's price moves between shops and weeks by 8 to 20% at the median, a spread of about 0.15 in log.
    history_spread: float = 0.15
    history_wrong: float = 0.10
    twin_similarity: float = 0.985  # cosine above which a catalogue item is taken for the product itself
    # Shipped items that are twins of a dev product by their words are 0.21 away in log price at the median: a spread of
    # 0.3. Wider than history, also because the estimate has seen the twin already: it must not count in full.
    twin_spread: float = 0.30
    twin_wrong: float = 0.30
    # Share of the new price that the same thing fetches, by condition: usual differences at refurbishers and resellers.
    condition_factor: Mapping[Condition, float] = field(
        default_factory=lambda: {Condition.OPEN_BOX: 0.88, Condition.REFURBISHED: 0.78, Condition.USED: 0.65}
    )
    quantity_exponent: float = 0.95  # n together cost a little less than n times one
    grid_step: float = 0.006  # of log worth; well below the narrowest spread above


class DealFacts(Value):
    """What a valuation needs to know of an offer. ``price`` is what one pays for ``quantity`` items together."""

    price: Money
    description: str = ""
    list_price: Money | None = None
    market_price: Money | None = None
    condition: Condition | None = None
    quantity: int = 1
    history: tuple[Money, ...] = ()  # what the same product cost in earlier offers

    @classmethod
    def of(cls, deal: Deal, history: Sequence[Money] = ()) -> DealFacts:
        """The facts of a deal as it was read."""
        return cls(
            price=deal.price,
            description=deal.description,
            list_price=deal.list_price,
            market_price=deal.market_price,
            condition=deal.condition,
            quantity=deal.quantity,
            history=tuple(history),
        )


class NoValuation(Value):
    """Why an offer could not be valued, in one sentence for the owner."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Piece:
    """One piece of evidence on the grid: its likelihood, and the worth that it points to."""

    name: str
    likelihood: Floats
    points_to: float


class Valuer:
    """Values offers under one set of assumptions. Pure after construction, safe to share between threads."""

    def __init__(self, shape: ResidualShape | None = None, assumptions: Assumptions | None = None) -> None:
        self._shape = shape or ResidualShape.gaussian()
        self._assume = assumptions or Assumptions()

    def value_deal(
        self, facts: DealFacts, estimate: Estimate | None, rates: Rates | None = None
    ) -> Valuation | NoValuation:
        """What the offer is worth, in the currency of its price.

        Without an estimate a stated market price or a history must stand in; a list price alone is no ground. Amounts
        in other currencies are converted at ``rates``; without a rate there is no valuation, and it says so.
        """
        currency = facts.price.currency
        try:
            points = self._amounts(facts, estimate, rates)
        except RateMissing as error:
            return NoValuation(reason=str(error))
        if estimate is None and not {"market price", "price history"} & points.keys():
            return NoValuation(reason="No member of the ensemble could price it, and the post states no market price")
        grid = self._grid(points)
        pieces = self._pieces(grid, facts, estimate, points)
        offer = self._offer(grid, points["price"])
        belief = normalised(offer * np.prod([piece.likelihood for piece in pieces], axis=0))
        amounts = np.exp(quantile(grid, belief, np.linspace(0, 1, QUANTILES)))
        low, value, high = (Money.of(f"{max(amounts[i], 0.01):.4f}").amount for i in (10, 50, 90))
        return Valuation(
            value=value,
            low=low,
            high=high,
            currency=currency,
            quantiles=tuple(round(float(amount), 4) for amount in amounts),
            estimate=estimate,
            evidence=_weigh(offer, pieces, belief),
        )

    def _amounts(self, facts: DealFacts, estimate: Estimate | None, rates: Rates | None) -> dict[str, float]:
        """Every amount in the currency of the price; the estimate scaled to the offer's condition and quantity."""
        currency = facts.price.currency

        def amount(money: Money) -> float:
            return float(_converted(money, currency, rates).amount)

        points = {"price": amount(facts.price)}
        if facts.list_price is not None:
            points["list price"] = amount(facts.list_price) * self._condition_factor(facts, said=False)
        if facts.market_price is not None:
            points["market price"] = amount(facts.market_price)
        if facts.history:
            points["price history"] = median(amount(money) for money in facts.history)
        if estimate is not None:
            scale = self._scale(facts)
            one = Money.of(1, estimate.currency)
            rate = float(rates.rate(estimate.currency, currency)) if rates and currency != one.currency else 1.0
            if currency != estimate.currency and rates is None:
                raise RateMissing(estimate.currency, currency)
            points["estimate"] = exp(estimate.log_mean) * rate * scale
            twins = [twin for twin in estimate.similar if self._is_twin(facts.description, twin)]
            if twins:
                points["near-identical item"] = _typical(twins) * rate * scale
        return points

    def _is_twin(self, description: str, item: Similar) -> bool:
        """Whether a catalogue item is the product itself: by its words, or by a vector that is all but the same."""
        return item.similarity >= self._assume.twin_similarity or same_product(description, item.description)

    def _scale(self, facts: DealFacts) -> float:
        """From one new item to what is on offer, leaving out what the description says itself (the models read it)."""
        together = 1.0 if names_quantity(facts.description) else facts.quantity**self._assume.quantity_exponent
        return together * self._condition_factor(facts, said=names_condition(facts.description))

    def _condition_factor(self, facts: DealFacts, *, said: bool) -> float:
        if facts.condition is None or said:
            return 1.0
        return self._assume.condition_factor.get(facts.condition, 1.0)

    def _grid(self, points: Mapping[str, float]) -> Floats:
        """Log worth from well below to well above everything that is known."""
        logs = [log(max(amount, 1e-3)) for amount in points.values()]
        return np.arange(min(logs) - 1.5, max(logs) + 2.0, self._assume.grid_step)

    def _offer(self, grid: Floats, price: float) -> Floats:
        """Likelihood of the price by worth: density of log price, from the density of the discount."""
        assume = self._assume
        kept = np.exp(log(price) - grid)  # price / worth = 1 - discount
        groups = [
            share * soft_box(1 - kept, low, high, assume.discount_softness) for low, high, share in assume.discounts
        ]
        odd = normal(grid, log(price), assume.odd_spread)
        usual = kept * np.sum(groups, axis=0, dtype=np.float64)
        return np.asarray((1 - assume.odd_offer) * usual + assume.odd_offer * odd, np.float64)

    def _pieces(
        self, grid: Floats, facts: DealFacts, estimate: Estimate | None, points: Mapping[str, float]
    ) -> list[_Piece]:
        assume = self._assume
        pieces: list[_Piece] = []
        if estimate is not None:
            scores = (grid - log(points["estimate"])) / estimate.log_scale
            pieces.append(_Piece("estimate", self._shape.at(scores), points["estimate"]))
        if "list price" in points:
            claim = self._claim(grid, points["list price"], points["price"])
            pieces.append(_Piece("list price", claim, points["list price"] / exp(assume.honest_excess)))
        spreads = {
            "market price": (assume.market_spread, assume.market_wrong),
            "price history": (assume.history_spread, assume.history_wrong),
            "near-identical item": (assume.twin_spread, assume.twin_wrong),
        }
        for name, (spread, wrong) in spreads.items():
            if name in points:
                at = log(points[name])
                likelihood = (1 - wrong) * normal(grid, at, spread) + wrong * normal(grid, at, 1.0)
                pieces.append(_Piece(name, likelihood, points[name]))
        return pieces

    def _claim(self, grid: Floats, claimed: float, price: float) -> Floats:
        """Likelihood of the claimed list price by worth: honest, or dressed up where there is no real discount."""
        assume = self._assume
        excess = log(claimed) - grid
        honest = normal(excess, assume.honest_excess, assume.honest_spread)
        factor = np.exp(excess)
        dressed = factor * soft_box(factor, *assume.dressed_range, assume.dressed_softness)
        discount = 1 - np.exp(log(price) - grid)
        tempted = 1 - step(discount, assume.dressed_up_below, assume.discount_softness)
        may_dress = assume.dressed_up * tempted
        sensible = (1 - may_dress) * honest + may_dress * dressed
        return (1 - assume.odd_claim) * sensible + assume.odd_claim / assume.odd_claim_width


_QUANTITY = re.compile(r"\b(\d+\s*-?\s*(?:pack|pk|count|ct|pcs|pieces?)|(?:pack|set|box|case|lot) of \d+)\b", re.I)
_CONDITION = re.compile(r"\b(refurb\w*|renewed|open[ -]?box|pre-?owned|used|second[ -]?hand)\b", re.I)


def names_quantity(description: str) -> bool:
    """Whether the description itself says how many: then the estimate is for all of them."""
    return bool(_QUANTITY.search(description))


def names_condition(description: str) -> bool:
    """Whether the description itself says that the item is not new: then the estimate knows."""
    return bool(_CONDITION.search(description))


def _converted(money: Money, currency: str, rates: Rates | None) -> Money:
    if money.currency == currency:
        return money
    if rates is None:
        raise RateMissing(money.currency, currency)
    return rates.convert(money, currency)


def _typical(twins: Sequence[Similar]) -> float:
    return float(median(float(twin.price) for twin in twins))


def _weigh(offer: Floats, pieces: Sequence[_Piece], belief: Floats) -> tuple[Evidence, ...]:
    """Each piece's share: how much the belief would change without it."""
    changes = []
    for dropped in pieces:
        others = [piece.likelihood for piece in pieces if piece is not dropped]
        without = normalised(offer * np.prod(others, axis=0)) if others else normalised(offer)
        changes.append(divergence(belief, without))
    total = sum(changes) or 1.0
    return tuple(
        Evidence(name=piece.name, value=Money.of(f"{max(piece.points_to, 0.01):.4f}").amount, weight=change / total)
        for piece, change in zip(pieces, changes, strict=True)
    )
