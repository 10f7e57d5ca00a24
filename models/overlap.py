"""How much two product texts share word for word: what a sentence vector blurs.

Two graphics cards differ by "16 GB" and "4070 Ti"; their vectors hardly do, their prices do. Words are counted by
Dice's coefficient, and those that hold a digit (sizes, counts, model numbers) once more on their own.
"""

from __future__ import annotations

import re
from functools import lru_cache

_WORD = re.compile(r"[a-z0-9]+(?:\.[0-9]+)?")
_DIGIT = re.compile(r"\d")
WORDS = 60  # of each text are compared: the title and the first facts
CHARACTERS = 500  # are enough to hold them


@lru_cache(maxsize=4_096)
def words(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """The first distinct words of a text, and those among them that hold a digit."""
    first = frozenset(_WORD.findall(text[:CHARACTERS].lower())[:WORDS])
    return first, frozenset(word for word in first if _DIGIT.search(word))


def overlap(one: str, other: str) -> tuple[float, float]:
    """The share of words and the share of numbers in common, each from 0 to 1; no numbers on either side count as 1."""
    (words_one, numbers_one), (words_other, numbers_other) = words(one), words(other)
    return _dice(words_one, words_other, 0.0), _dice(numbers_one, numbers_other, 1.0)


def _dice(one: frozenset[str], other: frozenset[str], of_nothing: float) -> float:
    total = len(one) + len(other)
    return 2 * len(one & other) / total if total else of_nothing
