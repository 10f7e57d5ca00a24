"""The words in which a language model is asked for a price, and how its answer is read.

A prompt ends right before the number (``... Price is $``) and the completion is that number alone, in whole dollars:
the loss then falls on the price and on nothing else, and a tokenizer with one token for each number up to 999 answers
with a single token, whose probabilities are a distribution over prices. The form is that of the course this project's
idea comes from (ed-donner/llm_engineering, week 7), without its cents.
"""

from __future__ import annotations

import math
import re

from framework.errors import TrainingError

SYSTEM = "You estimate prices of products. Reply with the price and nothing else."
QUESTION = "What does this cost to the nearest dollar?"
ANSWER = "Price is $"
# What rounds to a whole number of dollars from 1 to 999.
LEAST_PRICE, MOST_PRICE = 0.5, 999.49

_NUMBER = r"(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
_WITH_DOLLAR = re.compile(r"\$\s*" + _NUMBER)
_ANY = re.compile(r"(?<![\d.,-])" + _NUMBER)
_MOST_READ = 10_000_000.0  # dollars; more is no price but a model that repeats digits


def prompt(text: str) -> str:
    """The question about a product whose description is ``text``, up to the dollar sign before the answer."""
    return f"{question(text)}\n\n{ANSWER}"


def question(text: str) -> str:
    """The question alone, for a chat model, which begins its answer itself."""
    return f"{QUESTION}\n\n{text.strip()}"


def completion(price: float) -> str:
    """The answer: ``price`` in whole US dollars, half a dollar rounded up (0.50 is ``1``, 999.49 is ``999``).

    Raises ``TrainingError`` for a price outside ``LEAST_PRICE`` to ``MOST_PRICE``.
    """
    if not LEAST_PRICE <= price <= MOST_PRICE:
        raise TrainingError(
            f"A price of ${price} cannot be trained on; ./dealhound data build keeps ${LEAST_PRICE} to ${MOST_PRICE}"
        )
    return str(math.floor(price + 0.5))


def parse_price(text: str) -> float | None:
    """The price in US dollars that an answer names; ``None`` where it names none above 0.

    Read is what follows the last ``Price is $``, else the first amount with a dollar sign, else the first number.
    """
    _, marked, rest = text.rpartition(ANSWER)
    found = _ANY.match(rest.strip()) if marked else _WITH_DOLLAR.search(text) or _ANY.search(text)
    if found is None:
        return None
    price = float(found[1].replace(",", ""))
    return price if 0 < price <= _MOST_READ else None
