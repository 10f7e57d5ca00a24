"""Valuation: evidence joined by its measured error."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from math import log

import numpy as np
import pytest

from framework.currency import Rates
from framework.deals import Condition, Deal, Estimate, Similar, Valuation
from framework.judge import JudgeRule, judge
from framework.money import Money
from models.belief import ResidualShape, divergence, normalised, quantile
from models.valuation import DealFacts, NoValuation, Valuer, names_condition, names_quantity

VALUER = Valuer()


def estimate(value: float = 200, scale: float = 0.4, *similar: tuple[float, float]) -> Estimate:
    near = tuple(
        Similar.model_validate({"description": "twin", "price": price, "similarity": similarity})
        for price, similarity in similar
    )
    return Estimate.model_validate(
        {
            "value": value,
            "low": value / 2,
            "high": value * 2,
            "log_mean": log(value),
            "log_scale": scale,
            "similar": near,
        }
    )


def valued(facts: DealFacts, said: Estimate | None = None, rates: Rates | None = None) -> Valuation:
    valuation = VALUER.value_deal(facts, said, rates)
    assert isinstance(valuation, Valuation)
    return valuation


def chance(facts: DealFacts, said: Estimate) -> float:
    return judge(facts.price, valued(facts, said), JudgeRule(min_discount=5)).probability


def weight(valuation: Valuation, name: str) -> float:
    return next(piece.weight for piece in valuation.evidence if piece.name == name)


def test_a_low_price_alone_does_not_make_a_bargain_of_a_doubtful_estimate() -> None:
    offer = DealFacts(price=Money.of(120))
    doubtful, sure = chance(offer, estimate(200, 0.6)), chance(offer, estimate(200, 0.08))
    assert doubtful < 0.35
    assert sure > 0.95


def test_the_worth_lies_between_the_price_and_the_estimate() -> None:
    valuation = valued(DealFacts(price=Money.of(120)), estimate(200, 0.5))
    assert 110 < float(valuation.value) < 200
    assert valuation.low < valuation.value < valuation.high


def test_a_believable_list_price_raises_the_chance_and_an_unbelievable_one_does_not() -> None:
    plain = DealFacts(price=Money.of(120))
    said = estimate(200, 0.4)
    honest = plain.model_copy(update={"list_price": Money.of(210)})
    inflated = plain.model_copy(update={"list_price": Money.of(1_500)})
    assert chance(honest, said) > chance(plain, said) + 0.2
    assert chance(inflated, said) == pytest.approx(chance(plain, said), abs=0.02)


def test_a_dressed_up_list_price_is_seen_through_when_the_estimate_is_sure() -> None:
    offer = DealFacts(price=Money.of(100), list_price=Money.of(170))
    assert chance(offer, estimate(100, 0.08)) < 0.1


def test_a_stated_market_price_carries_the_valuation() -> None:
    offer = DealFacts(price=Money.of(29), list_price=Money.of(80), market_price=Money.of(55))
    valuation = valued(offer, estimate(60, 0.5))
    assert float(valuation.value) == pytest.approx(55, rel=0.1)
    assert max(valuation.evidence, key=lambda piece: piece.weight).name == "market price"
    assert sum(piece.weight for piece in valuation.evidence) == pytest.approx(1)


def test_the_products_own_history_counts() -> None:
    said = estimate(200, 0.5)
    cheap = DealFacts(price=Money.of(100), history=(Money.of(100), Money.of(102), Money.of(99)))
    dear = DealFacts(price=Money.of(100), history=(Money.of(210), Money.of(195), Money.of(200)))
    assert chance(cheap, said) < 0.1
    assert chance(dear, said) > 0.7
    assert weight(valued(dear, said), "price history") > 0.2


def test_a_near_identical_item_is_evidence_and_a_similar_one_is_not() -> None:
    offer = DealFacts(price=Money.of(100))
    twin = valued(offer, estimate(200, 0.5, (150, 0.995)))
    assert weight(twin, "near-identical item") > 0
    assert len(valued(offer, estimate(200, 0.5, (150, 0.9))).evidence) == 1


def test_used_things_are_worth_less_unless_the_text_already_says_so() -> None:
    def value(text: str, condition: Condition | None) -> float:
        facts = DealFacts(price=Money.of(150), description=text, condition=condition)
        return float(valued(facts, estimate(200, 0.2)).value)

    new = value("Dyson V8", None)
    assert value("Dyson V8", Condition.NEW) == new
    assert value("Dyson V8", Condition.USED) < value("Dyson V8", Condition.REFURBISHED) < new
    assert value("Dyson V8 (refurbished)", Condition.REFURBISHED) == new


def test_several_together_are_worth_more_unless_the_text_already_says_so() -> None:
    def value(text: str, quantity: int) -> float:
        facts = DealFacts(price=Money.of(380), description=text, quantity=quantity)
        return float(valued(facts, estimate(200, 0.1)).value)

    assert value("pillow", 2) == pytest.approx(385, rel=0.05)
    assert value("pillow, 2-pack", 2) == value("pillow, 2-pack", 1)


@pytest.mark.parametrize("text", ["towels 4-pack", "AA batteries, 24 count", "set of 3 pans", "6 pcs"])
def test_texts_that_name_their_quantity_are_known(text: str) -> None:
    assert names_quantity(text)
    assert not names_quantity("a pan with 3 layers")


@pytest.mark.parametrize("text", ["Refurb iPad", "certified refurbished", "open-box TV", "Used: like new", "renewed"])
def test_texts_that_name_their_condition_are_known(text: str) -> None:
    assert names_condition(text)
    assert not names_condition("a user's guide, unused")


def test_without_an_estimate_the_market_price_stands_in_and_a_list_price_does_not() -> None:
    market = valued(DealFacts(price=Money.of(50), market_price=Money.of(90)))
    assert float(market.value) == pytest.approx(90, rel=0.1)
    nothing = VALUER.value_deal(DealFacts(price=Money.of(50), list_price=Money.of(90)), None)
    assert isinstance(nothing, NoValuation)
    assert "No member" in nothing.reason


def test_other_currencies_are_converted_at_the_rates_or_skipped_with_the_reason() -> None:
    rates = Rates(day=date(2026, 11, 20), per_base={"USD": Decimal("1.25")})
    offer = DealFacts(price=Money.of(80, "EUR"), market_price=Money.of(200, "USD"))
    valuation = valued(offer, estimate(200, 0.3), rates)
    assert valuation.currency == "EUR"
    assert float(valuation.value) == pytest.approx(160, rel=0.06)
    for known in (None, Rates(day=date(2026, 11, 20), per_base={})):
        skipped = VALUER.value_deal(offer, estimate(200, 0.3), known)
        assert isinstance(skipped, NoValuation)
        assert "no exchange rate" in skipped.reason


@pytest.mark.parametrize(("price", "value"), [(0.01, 5_000), (1_000_000, 1), (0.5, 0.5), (4_999, 5_000)])
def test_extreme_offers_give_finite_ascending_beliefs(price: float, value: float) -> None:
    valuation = valued(DealFacts(price=Money.of(price), list_price=Money.of(price * 3)), estimate(value, 0.05))
    points = np.array(valuation.quantiles)
    assert np.isfinite(points).all()
    assert (np.diff(points) >= 0).all()
    assert valuation.low <= valuation.value <= valuation.high


def test_facts_are_taken_from_the_deal() -> None:
    deal = Deal(entry_id="e", title="t", description="kettle", price=Money.of(20), list_price=Money.of(40), quantity=2)
    facts = DealFacts.of(deal, [Money.of(25)])
    assert (facts.price, facts.list_price, facts.quantity) == (Money.of(20), Money.of(40), 2)
    assert facts.history == (Money.of(25),)


def test_probabilities_are_honest_on_offers_drawn_as_assumed() -> None:
    rng = np.random.default_rng(2)
    said, happened = [], []
    for _ in range(1_500):
        worth = float(np.exp(rng.normal(5, 0.8)))
        group = rng.choice(3, p=[0.7, 0.2, 0.1])
        discount = rng.uniform(*((-0.1, 0.1), (0.1, 0.3), (0.3, 0.6))[group])
        guess = worth * float(np.exp(rng.normal(0, 0.35)))
        offer = DealFacts(price=Money.of(worth * (1 - discount)))
        said.append(chance(offer, estimate(guess, 0.35)))
        happened.append(discount >= 0.25 and worth * discount >= 5)
    order = np.array_split(np.argsort(said), 5)
    for rows in order:
        assert np.mean(np.array(said)[rows]) == pytest.approx(np.mean(np.array(happened)[rows]), abs=0.07)


def test_measured_errors_shape_the_belief() -> None:
    rng = np.random.default_rng(0)
    shape = ResidualShape.of_scores(rng.standard_t(3, 4_000))
    points = np.linspace(-8, 8, 1_601)
    assert np.trapezoid(shape.at(points), points) == pytest.approx(1, abs=0.03)
    assert shape.at(np.array([5.0]))[0] > ResidualShape.gaussian().at(np.array([5.0]))[0]


def test_quantiles_of_a_flat_belief_are_evenly_spaced_and_divergence_is_zero_only_for_equals() -> None:
    grid = np.linspace(0, 1, 101)
    flat = normalised(np.ones(101))
    assert quantile(grid, flat, [0.25, 0.5, 0.75]) == pytest.approx([0.25, 0.5, 0.75], abs=0.01)
    assert divergence(flat, flat) == 0
    assert divergence(normalised(grid), flat) > 0.1
