"""From deals to verdicts: estimate in one batch, join the other evidence, judge. Sends nothing, records nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agents.ensemble import EnsembleAgent
from framework.currency import RateMissing, Rates
from framework.deals import Deal, Estimate, Valuation
from framework.hunt import JudgedOffer
from framework.judge import JudgeRule, judge
from framework.money import Money
from models.blender import Unpriced
from models.valuation import DealFacts, NoValuation, Valuer

History = Callable[[Deal], Sequence[Money]]


class Appraiser:
    """Says of each deal what it is worth and whether that makes it an opportunity."""

    def __init__(
        self,
        ensemble: EnsembleAgent,
        valuer: Valuer,
        rule: Callable[[], JudgeRule],
        *,
        rates: Callable[[], Rates | None] = lambda: None,
        history: History = lambda deal: (),
    ) -> None:
        """``rule`` says what counts as a bargain now; ``rates`` gives today's exchange rates where there are any,
        ``history`` the product's earlier prices.
        """
        self._ensemble, self._valuer, self._rule = ensemble, valuer, rule
        self._rates, self._history = rates, history

    def appraise(self, deals: Sequence[Deal]) -> list[JudgedOffer | str]:
        """One judged offer per deal, or the sentence that says why it could not be valued."""
        estimates = self._ensemble.estimate([deal.description for deal in deals])
        foreign = any(deal.price.currency != "USD" for deal in deals)
        rates = self._rates() if foreign else None
        return [self._judge(deal, said, rates) for deal, said in zip(deals, estimates, strict=True)]

    def _judge(self, deal: Deal, said: Estimate | Unpriced, rates: Rates | None) -> JudgedOffer | str:
        facts = DealFacts.of(deal, self._history(deal))
        valuation = self._valuer.value_deal(facts, said if isinstance(said, Estimate) else None, rates)
        if isinstance(valuation, NoValuation):
            return valuation.reason if isinstance(said, Estimate) else f"{valuation.reason} ({said.reason})"
        return self._with_verdict(deal, valuation, rates)

    def _with_verdict(self, deal: Deal, valuation: Valuation, rates: Rates | None) -> JudgedOffer | str:
        """Judge in the deal's currency: the owner's least discount is converted, and the rate said in the verdict."""
        rule, currency = self._rule(), deal.price.currency
        least = rule.min_discount
        if least.currency == currency:
            return JudgedOffer(deal=deal, valuation=valuation, judgement=judge(deal.price, valuation, rule))
        if rates is None:
            return str(RateMissing(least.currency, currency))
        rule = rule.model_copy(update={"min_discount": rates.convert(least, currency)})
        judgement = judge(deal.price, valuation, rule)
        said = f"{judgement.reason} (at {rates.said(least.currency, currency)})"
        return JudgedOffer(deal=deal, valuation=valuation, judgement=judgement.model_copy(update={"reason": said}))
