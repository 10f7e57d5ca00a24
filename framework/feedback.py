"""Learn the alert threshold from the owner's votes: a pure rule, so that it can be shown and undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MIN_VOTES = 8
_PRIOR_GOOD, _PRIOR_ALL = 0.5, 1.0  # half a vote each way: one lucky vote proves nothing
_LEAST, _MOST = 0.5, 0.99


@dataclass(frozen=True)
class Suggestion:
    """A threshold on the judge's probability, with what it rests on."""

    min_probability: float
    precision: float  # share of votes at or above it that were good
    votes: int


def suggest_threshold(votes: Sequence[tuple[float, bool]], wish: float) -> Suggestion | None:
    """The lowest threshold at which the share of good alerts reaches ``wish``.

    ``votes`` are pairs of the judge's probability and whether the owner found it good. ``None`` while there are fewer
    than ``MIN_VOTES``. Where even the likeliest alerts fall short, the highest threshold is suggested. The share is
    smoothed (Jeffreys' prior), so that a handful of votes moves it only so far.
    """
    if len(votes) < MIN_VOTES:
        return None
    ranked = sorted(votes, reverse=True)
    best: Suggestion | None = None
    good = 0
    for count, (probability, liked) in enumerate(ranked, start=1):
        good += liked
        precision = (good + _PRIOR_GOOD) / (count + _PRIOR_ALL)
        last_of_equals = count == len(ranked) or ranked[count][0] < probability
        if last_of_equals and precision >= wish:
            best = Suggestion(min(max(probability, _LEAST), _MOST), precision, count)
    top = [liked for probability, liked in ranked if probability >= _MOST]
    share = (sum(top) + _PRIOR_GOOD) / (len(top) + _PRIOR_ALL)
    return best or Suggestion(_MOST, share, len(top))
