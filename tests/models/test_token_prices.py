"""Prices from next-token probabilities: which tokens are prices, and what a distribution over them says."""

from __future__ import annotations

import numpy as np
import pytest

from framework.errors import TrainingError
from models.data.prompts import ANSWER
from models.specialist.token_prices import LARGEST, PriceTokens


def whole_numbers(text: str) -> list[int]:
    """A tokenizer with a token for each character, and one for each number (1000 and up)."""
    head, number = text[: len(ANSWER)], text[len(ANSWER) :]
    return [*map(ord, head), *([1000 + int(number)] if number else [])]


def single_digits(text: str) -> list[int]:
    return [ord(character) for character in text]


@pytest.fixture
def tokens() -> PriceTokens:
    return PriceTokens.find(whole_numbers, "whole")


def logits(**weights: float) -> np.ndarray:
    """Logits over 3,000 tokens; ``p30=0.5`` gives the price 30 half of the probability."""
    values = np.full(3_000, -np.inf)
    for name, weight in weights.items():
        values[1000 + int(name[1:])] = np.log(weight)
    return values


def test_every_whole_number_of_dollars_up_to_999_is_a_price(tokens: PriceTokens) -> None:
    assert list(tokens.ids[[0, -1]]) == [1001, 1999]
    assert list(tokens.prices[[0, -1]]) == [1.0, 999.0]


def test_a_tokenizer_that_splits_numbers_is_refused_by_name() -> None:
    with pytest.raises(TrainingError, match=r"digits-base has no single token for the number 10\b"):
        PriceTokens.find(single_digits, "digits-base")


def test_the_value_is_the_expected_one_not_the_likeliest(tokens: PriceTokens) -> None:
    belief = tokens.belief(logits(p10=0.4, p100=0.3, p200=0.3))
    assert belief.greedy == 10.0
    assert belief.value == pytest.approx(0.4 * 10 + 0.3 * 100 + 0.3 * 200)
    assert (belief.low, belief.high) == (10.0, 200.0)


def test_only_the_likeliest_tokens_count(tokens: PriceTokens) -> None:
    belief = tokens.belief(logits(p10=0.5, p20=0.4, p999=0.1), likeliest=2)
    assert belief.value == pytest.approx((0.5 * 10 + 0.4 * 20) / 0.9)


def test_tokens_that_are_no_price_have_no_say(tokens: PriceTokens) -> None:
    values = logits(p50=0.01)
    values[65] = 100.0
    assert tokens.belief(values).value == pytest.approx(50.0)


def test_the_range_stays_within_the_prices(tokens: PriceTokens) -> None:
    belief = tokens.belief(logits(p999=1.0))
    assert (belief.value, belief.low, belief.high) == (LARGEST, LARGEST, LARGEST)
