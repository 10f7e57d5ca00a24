"""The judge: is this offer worth waking the owner for? A pure function of a price, a valuation and a rule.

Picking the best of many noisy estimates finds noise, so the difference "value - price" alone is no ground for an
alert. The judge asks for probability: the chance, given what the valuation believes, that the true discount is at
least the owner's threshold.
"""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field, field_validator

from framework.deals import Judgement, Valuation, Value, Verdict
from framework.money import Money

DEFAULT_PROBABILITY = 0.48


class JudgeRule(Value):
    """What the owner calls a bargain, and how sure the judge must be. Both discount thresholds must be reached.

    The least discount in dollars decides how much there is to find: half of all products cost less than $70, and of the
    real discounts of 30% and more only 58% save $20 at all. The default probability is the one at which the replayed
    offers of ``docs/accuracy.md`` reach the precision and recall published there.
    """

    min_discount_pct: float = Field(default=25.0, ge=0, lt=100)
    min_discount: Money = Money.of(5)
    min_probability: float = Field(default=DEFAULT_PROBABILITY, ge=0, le=1)
    origin: str = ""  # where the least probability comes from, said to the owner where an offer falls short of it

    @field_validator("min_discount", mode="before")
    @classmethod
    def _dollars(cls, given: object) -> object:
        """A plain number means US dollars; zero means no such threshold."""
        if isinstance(given, int | float | Decimal):
            return Money.of(max(Decimal(str(given)), Decimal("0.01"))) if given >= 0 else given
        return given

    def needed_worth(self, price: Money) -> float:
        """The least true worth at which ``price`` reaches both thresholds.

        Raises ``CurrencyMismatch`` when the rule's amount is in another currency than the price.
        """
        price.require_same_currency(self.min_discount)
        paid = float(price.amount)
        return max(paid + float(self.min_discount.amount), paid / (1 - self.min_discount_pct / 100))


def judge(price: Money, valuation: Valuation, rule: JudgeRule) -> Judgement:
    """The verdict on an offer at ``price`` (what one pays for everything that was valued).

    Raises ``CurrencyMismatch`` when price, valuation and rule are not in one currency.
    """
    value = Money(amount=valuation.value, currency=valuation.currency)
    price.require_same_currency(value)
    probability = valuation.chance_worth_at_least(rule.needed_worth(price))
    discount = float(value.amount - price.amount)
    verdict = Verdict.OPPORTUNITY if probability >= rule.min_probability else Verdict.PASS
    return Judgement(
        verdict=verdict,
        discount=round(discount, 2),
        discount_pct=round(100 * discount / float(value.amount), 1),
        probability=round(probability, 4),
        reason=_reason(price, valuation, rule, probability, verdict),
    )


def _reason(price: Money, valuation: Valuation, rule: JudgeRule, probability: float, verdict: Verdict) -> str:
    def money(amount: object) -> str:
        return str(Money.of(str(amount), valuation.currency))

    worth = f"worth {money(valuation.value)} ({money(valuation.low)} to {money(valuation.high)})"
    bargain = f"at least {rule.min_discount_pct:g}% and {rule.min_discount} off"
    chance = f"{100 * probability:.0f}% sure that it is {bargain}"
    needed = "" if verdict is Verdict.OPPORTUNITY else f", {100 * rule.min_probability:.0f}% needed{rule.origin}"
    return f"{price} for what is {worth}; {chance}{needed}{_carried_by(valuation)}"


def _carried_by(valuation: Valuation) -> str:
    if not valuation.evidence:
        return ""
    heaviest = max(valuation.evidence, key=lambda piece: piece.weight)
    return f"; carried by the {heaviest.name}"
