"""Learn from the owner's votes, by pure rules whose results can be shown and taken back: how sure the judge must be,
and which kinds of deals the owner never wants to see.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from framework.deals import Condition, Deal

MIN_VOTES = 8
MIN_HIDDEN = 3
MOST_HIDDEN = 0.6  # the share of the deals shown that must have been hidden
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
    than ``MIN_VOTES``, and where all of them together reach the wish: then nothing speaks for another threshold. Where
    even the likeliest alerts fall short, the highest threshold is suggested. The share is smoothed (Jeffreys' prior),
    so that a handful of votes moves it only so far.
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
    if best is not None and best.votes == len(ranked):
        return None
    top = [liked for probability, liked in ranked if probability >= _MOST]
    share = (sum(top) + _PRIOR_GOOD) / (len(top) + _PRIOR_ALL)
    return best or Suggestion(_MOST, share, len(top))


class Trait(NamedTuple):
    """Something that deals have in common."""

    by: Literal["merchant", "brand", "condition", "category"]
    value: str  # in lower case

    def __str__(self) -> str:
        return f"{self.by}:{self.value}"

    @classmethod
    def parse(cls, text: str) -> Trait | None:
        """The trait that a text such as "merchant:walgrove" names, ``None`` when it names none."""
        by, colon, value = text.partition(":")
        for known in ("merchant", "brand", "condition", "category"):
            if by.strip().lower() == known and colon and value.strip():
                return cls(known, value.strip().casefold())
        return None


@dataclass(frozen=True)
class Met:
    """An opportunity that the owner was shown, and what became of it."""

    traits: frozenset[Trait]
    hidden: bool = False
    liked: bool = False  # voted good, or bought


@dataclass(frozen=True)
class Ignored:
    """A kind of deals that the owner does not want, with what that rests on: ``hidden`` of ``shown`` ones."""

    trait: Trait
    hidden: int
    shown: int

    @property
    def reason(self) -> str:
        """Why such a deal is skipped, as a sentence for the owner."""
        return (
            f"you hid {self.hidden} of the {self.shown} deals with {self.trait.by} {self.trait.value!r} "
            f"(learnt; take it back with ./dealhound feedback undo {str(self.trait)!r})"
        )


def traits_of(deal: Deal) -> frozenset[Trait]:
    """What a deal has in common with others."""
    return traits(deal.merchant, deal.brand, deal.condition.value if deal.condition else None)


def traits(
    merchant: str | None, brand: str | None, condition: str | None, categories: Iterable[str] = ()
) -> frozenset[Trait]:
    """The traits that these facts make; being new is none."""
    found: list[tuple[Literal["merchant", "brand", "condition", "category"], str | None]] = [
        ("merchant", merchant),
        ("brand", brand),
        ("condition", condition if condition != Condition.NEW.value else None),
        *(("category", category) for category in categories),
    ]
    return frozenset(Trait(by, value.strip().casefold()) for by, value in found if value and value.strip())


def suggest_ignored(met: Sequence[Met], taken_back: Collection[Trait] = ()) -> list[Ignored]:
    """The traits whose deals the owner hides: at least ``MIN_HIDDEN`` of them and most that were shown, liking none.

    What the owner took back is never suggested again.
    """
    hidden: dict[Trait, int] = defaultdict(int)
    shown: dict[Trait, int] = defaultdict(int)
    spared = set(taken_back)
    for one in met:
        for trait in one.traits:
            shown[trait] += 1
            hidden[trait] += one.hidden
            if one.liked:
                spared.add(trait)
    return [
        Ignored(trait, number, shown[trait])
        for trait, number in sorted(hidden.items())
        if number >= MIN_HIDDEN and number >= MOST_HIDDEN * shown[trait] and trait not in spared
    ]
