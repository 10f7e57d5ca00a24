"""The judge, as a table."""

from __future__ import annotations

import pytest

from framework.deals import Evidence, Valuation, Verdict
from framework.errors import CurrencyMismatch
from framework.judge import JudgeRule, judge
from framework.money import Money

RULE = JudgeRule(min_discount_pct=25, min_discount=Money.of(20), min_probability=0.6)


def worth(low: float, high: float, currency: str = "USD") -> Valuation:
    """Any worth from ``low`` to ``high`` is equally likely."""
    quantiles = tuple(low + (high - low) * step / 20 for step in range(21))
    ends = (round(quantiles[2], 2), round(quantiles[10], 2), round(quantiles[18], 2))
    return Valuation(low=ends[0], value=ends[1], high=ends[2], currency=currency, quantiles=quantiles)


@pytest.mark.parametrize(
    ("price", "low", "high", "probability", "verdict"),
    [
        (100, 200, 300, 1.0, Verdict.OPPORTUNITY),  # needs 133.33: certain
        (100, 80, 120, 0.0, Verdict.PASS),
        (100, 100, 200, 0.667, Verdict.OPPORTUNITY),  # 133.33 and more: two thirds
        (100, 100, 180, 0.583, Verdict.PASS),
        (30, 40, 60, 0.5, Verdict.PASS),  # a third off, but $20 need a worth of 50
        (200, 210, 270, 0.056, Verdict.PASS),  # more than $20 off, but 25% need 266.67
    ],
)
def test_the_verdict_follows_the_chance_that_both_thresholds_are_reached(
    price: float, low: float, high: float, probability: float, verdict: Verdict
) -> None:
    said = judge(Money.of(price), worth(low, high), RULE)
    assert said.probability == pytest.approx(probability, abs=0.01)
    assert said.verdict is verdict


def test_a_wide_range_is_no_opportunity_however_large_the_difference() -> None:
    sure = judge(Money.of(100), worth(190, 210), RULE)
    unsure = judge(Money.of(100), worth(10, 390), JudgeRule(min_probability=0.8))
    assert sure.discount == unsure.discount == 100
    assert sure.verdict is Verdict.OPPORTUNITY
    assert unsure.verdict is Verdict.PASS


def test_figures_and_reason_are_those_of_the_offer() -> None:
    valuation = worth(150, 250).model_copy(
        update={
            "evidence": (
                Evidence(name="list price", value=1, weight=0.2),
                Evidence(name="estimate", value=1, weight=0.8),
            )
        }
    )
    said = judge(Money.of(100), valuation, RULE)
    assert (said.discount, said.discount_pct) == (100, 50)
    assert said.reason == (
        "$100.00 for what is worth $200.00 ($160.00 to $240.00); 100% sure that it is at least 25% and $20.00 off; "
        "carried by the estimate"
    )


def test_a_dear_offer_has_a_negative_discount() -> None:
    said = judge(Money.of(300), worth(100, 200), RULE)
    assert (said.discount, said.discount_pct, said.probability) == (-150, -100, 0)


def test_unlike_currencies_are_never_compared() -> None:
    with pytest.raises(CurrencyMismatch):
        judge(Money.of(100, "EUR"), worth(100, 200), RULE)
    with pytest.raises(CurrencyMismatch):
        judge(Money.of(100, "EUR"), worth(100, 200, "EUR"), RULE)
    rule = JudgeRule(min_discount=Money.of(20, "EUR"))
    assert judge(Money.of(100, "EUR"), worth(200, 300, "EUR"), rule).verdict is Verdict.OPPORTUNITY


def test_a_plain_number_as_least_discount_means_dollars_and_zero_means_none() -> None:
    assert JudgeRule(min_discount=15).min_discount == Money.of(15)
    assert JudgeRule(min_discount=0, min_discount_pct=0).needed_worth(Money.of(10)) == pytest.approx(10.01)
    with pytest.raises(ValueError, match="min_discount"):
        JudgeRule(min_discount=-5)
    with pytest.raises(ValueError, match="min_discount_pct"):
        JudgeRule(min_discount_pct=100)
