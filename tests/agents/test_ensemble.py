"""The ensemble and the appraiser: every subset of members prices, and every deal gets a verdict or a reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest

from agents.appraiser import Appraiser
from agents.ensemble import EnsembleAgent
from agents.frontier import FrontierAgent
from agents.member import MemberAgent
from agents.random_forest import RandomForestAgent
from agents.specialist import SpecialistAgent
from framework.currency import Rates
from framework.deals import Deal, Estimate, MemberEstimate, Verdict
from framework.errors import EstimatorUnavailable
from framework.hunt import JudgedOffer
from framework.judge import JudgeRule
from framework.money import Money
from models.blender import Blender, Unpriced
from models.valuation import Valuer


class Fixed:
    """Says the same value of everything, or is down."""

    def __init__(self, name: str, value: float | None) -> None:
        self.name, self.value = name, value

    def estimate(self, descriptions: Sequence[str]) -> list[MemberEstimate]:
        if self.value is None:
            raise EstimatorUnavailable(self.name, "is away")
        return [MemberEstimate(member=self.name, value=self.value) for _ in descriptions]


def ensemble(specialist: float | None, frontier: float | None, forest: float | None, **options: float) -> EnsembleAgent:
    agents: list[MemberAgent] = [
        SpecialistAgent(Fixed("specialist", specialist), **options),
        FrontierAgent(Fixed("frontier", frontier)),
        RandomForestAgent(Fixed("random_forest", forest)),
    ]
    return EnsembleAgent(agents, Blender())


def deal(price: float, currency: str = "USD") -> Deal:
    return Deal(entry_id="e", title="A lamp", description="A lamp", price=Money.of(price, currency))


def appraise(offer: Deal, agent: EnsembleAgent, rates: Rates | None = None) -> JudgedOffer | str:
    return Appraiser(agent, Valuer(), JudgeRule, rates=lambda: rates).appraise([offer])[0]


@pytest.mark.parametrize("up", range(1, 8))
def test_every_subset_of_members_prices(up: int) -> None:
    values = [100.0 if up & bit else None for bit in (1, 2, 4)]
    (estimate,) = ensemble(*values).estimate(["A desk lamp"])
    assert isinstance(estimate, Estimate)
    assert 30 < estimate.value < 300
    assert estimate.low < estimate.value < estimate.high
    assert list(estimate.members.values()) == values
    assert set(estimate.failures) == {name for name, value in estimate.members.items() if value is None}


def test_with_no_member_there_is_a_reason_and_no_price() -> None:
    (estimate,) = ensemble(None, None, None).estimate(["A desk lamp"])
    assert isinstance(estimate, Unpriced)
    assert "is away" in estimate.reason


def test_nothing_to_price_asks_nobody() -> None:
    assert ensemble(1, 1, 1).estimate([]) == []


def test_a_remote_member_answers_beside_the_local_ones() -> None:
    (estimate,) = ensemble(100, 100, 100, deadline=10).estimate(["A desk lamp"])
    assert isinstance(estimate, Estimate)
    assert estimate.members["specialist"] == 100


def test_a_price_far_below_every_member_is_an_opportunity() -> None:
    judged = appraise(deal(100), ensemble(400, 400, 400))
    assert isinstance(judged, JudgedOffer)
    assert judged.judgement.verdict is Verdict.OPPORTUNITY
    usual = appraise(deal(390), ensemble(400, 400, 400))
    assert isinstance(usual, JudgedOffer)
    assert usual.judgement.verdict is Verdict.PASS


def test_a_deal_that_nobody_can_price_has_a_reason() -> None:
    said = appraise(deal(100), ensemble(None, None, None))
    assert isinstance(said, str)
    assert "is away" in said


def test_a_foreign_deal_is_judged_at_a_dated_rate_that_the_verdict_names() -> None:
    rates = Rates(day=date(2026, 11, 20), per_base={"USD": Decimal("1.10")})
    judged = appraise(deal(90, "EUR"), ensemble(400, 400, 400), rates)
    assert isinstance(judged, JudgedOffer)
    assert judged.valuation.currency == "EUR"
    assert judged.judgement.verdict is Verdict.OPPORTUNITY
    assert "2026-11-20" in judged.judgement.reason


def test_a_foreign_deal_without_a_rate_has_a_reason() -> None:
    said = appraise(deal(90, "EUR"), ensemble(400, 400, 400))
    assert isinstance(said, str)
    assert "EUR" in said
