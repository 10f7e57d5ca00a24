"""How much each neighbour's price counts: attention over the neighbours, learned from products with known prices.

A small network scores what a neighbour has in common with the product (similarity of vectors, words, rare words,
words of the title, numbers, brand, age of the price), alone and beside the best neighbour; the weights are the softmax
of the scores (Nadaraya-Watson regression with a learned kernel; T. Plötz and S. Roth, "Neural nearest neighbors
networks", 2018). It was trained with whole, halved and nearly empty catalogues, so that it weighs thin ones soberly.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import Base64Bytes, BaseModel, ConfigDict, ValidationError

from framework.errors import ArtifactError
from models.artifact import SHIPPED, read_artifact
from models.catalogue import Neighbour

Floats = npt.NDArray[np.float64]

NAME = "attention"
TABLE = 2**18  # rows of the table of rarities; words are hashed, and must seldom meet
RARITY_STEP = 0.05  # rarities are kept in steps of this, as bytes
WORDS, CHARACTERS, TITLE_CHARACTERS = 60, 500, 160  # of each text are compared: the title and the first facts
FEATURES = (
    "log similarity", "words", "numbers", "rare words", "title", "title found", "brand", "rare numbers",
    "log similarity beside the best", "rare words beside the best", "title beside the best", "decades older",
)  # fmt: skip

_WORD = re.compile(r"[a-z0-9]+(?:\.[0-9]+)?")
_DIGITS = frozenset("0123456789")


class AttentionModel(BaseModel):
    """The artifact: rarities of hashed words, the scaling of the features, and the network's weights."""

    model_config = ConfigDict(frozen=True)

    rarity: Base64Bytes  # inverse document frequency in steps of ``RARITY_STEP``
    mean: list[float]
    deviation: list[float]
    hidden: list[list[float]]  # (units, features)
    hidden_bias: list[float]
    out: list[float]


@dataclass(frozen=True, slots=True)
class Profile:
    """A text's distinct words as hashes, which of them hold a digit, and which stand in the title; the first word."""

    words: npt.NDArray[np.int64]
    number: npt.NDArray[np.bool_]
    titled: npt.NDArray[np.bool_]
    brand: int


@lru_cache(maxsize=8_192)
def profile(text: str) -> Profile:
    """The profile of a text whose first line is its title."""
    title = _WORD.findall(text.partition("\n")[0][:TITLE_CHARACTERS].lower())
    heading = frozenset(title)
    words = list(dict.fromkeys(_WORD.findall(text[:CHARACTERS].lower())))[:WORDS]
    return Profile(
        np.array([_hash(word) for word in words], np.int64),
        np.array([not _DIGITS.isdisjoint(word) for word in words], bool),
        np.array([word in heading for word in words], bool),
        _hash(title[0]) if title else -1,
    )


def _hash(word: str) -> int:
    return zlib.crc32(word.encode()) & (TABLE - 1)


class Attention:
    """Weighs neighbours. The artifact is read at first use; safe to share between threads."""

    def __init__(self, folder: Path = SHIPPED, model: AttentionModel | None = None) -> None:
        self._folder = folder
        self._given = model

    @cached_property
    def _model(self) -> AttentionModel:
        if self._given is not None:
            return self._given
        content, manifest = read_artifact(NAME, self._folder)
        try:
            return AttentionModel.model_validate_json(content)
        except ValidationError as error:
            raise ArtifactError(manifest.file, "The weights of retrieval are not readable; train them again") from error

    @cached_property
    def rarity(self) -> Floats:
        """Inverse document frequency by hashed word."""
        return np.frombuffer(self._model.rarity, np.uint8).astype(np.float64) * RARITY_STEP

    @cached_property
    def _network(self) -> tuple[Floats, Floats, Floats]:
        """The layers with the scaling folded in: hidden weights and biases, output weights."""
        model = self._model
        hidden = np.array(model.hidden) / np.array(model.deviation)
        return hidden, np.array(model.hidden_bias) - hidden @ np.array(model.mean), np.array(model.out)

    def weights(self, text: str, near: Sequence[Neighbour]) -> Floats:
        """The weight of each neighbour of ``text``, in all 1.

        Raises ``ArtifactError`` when the artifact is missing, changed or unreadable.
        """
        hidden, bias, out = self._network
        scores = np.tanh(features(text, near, self.rarity) @ hidden.T + bias) @ out
        weight = np.exp(scores - scores.max())
        return np.asarray(weight / weight.sum(), np.float64)


def features(text: str, near: Sequence[Neighbour], rarity: Floats) -> Floats:
    """What each neighbour has in common with ``text``: a row per neighbour, the columns of ``FEATURES``."""
    own, theirs = profile(text), [profile(item.description) for item in near]
    words = np.concatenate([one.words for one in theirs])
    number = np.concatenate([one.number for one in theirs])
    titled = np.concatenate([one.titled for one in theirs])
    owner = np.repeat(np.arange(len(near)), [len(one.words) for one in theirs])
    shared = _marked(own.words)[words]
    of_title = _marked(own.words[own.titled])[words] & titled
    mass, own_mass = rarity[words], rarity[own.words]

    def total(values: npt.NDArray[np.generic]) -> Floats:
        return np.asarray(np.bincount(owner, values.astype(np.float64), minlength=len(near)), np.float64)

    title = total(mass * of_title)
    columns = [
        np.log(np.maximum([item.similarity for item in near], 0.01)),
        _dice(total(shared), len(own.words) + total(np.ones(len(words))), 0.0),
        _dice(total(shared & number), own.number.sum() + total(number), 1.0),
        _dice(total(mass * shared), own_mass.sum() + total(mass), 0.0),
        _dice(title, own_mass[own.titled].sum() + total(mass * titled), 0.0),
        title / max(float(own_mass[own.titled].sum()), 1e-6),
        np.array([one.brand == own.brand for one in theirs], float),
        _dice(total(mass * (shared & number)), own_mass[own.number].sum() + total(mass * number), 1.0),
    ]
    years = np.array([item.as_of or 0 for item in near], float)
    beside = [columns[index] - columns[index].max() for index in (0, 3, 4)]
    return np.stack([*columns, *beside, np.where(years > 0, years.max() - years, 0.0) / 10], axis=1)


def shared_words(text: str, others: Sequence[str]) -> Floats:
    """The share of words that each of the others has in common with ``text``, from 0 to 1 (Dice's coefficient)."""
    own = profile(text).words
    marked, theirs = _marked(own), [profile(other).words for other in others]
    common = np.array([marked[words].sum() for words in theirs], float)
    return _dice(common, len(own) + np.array([len(words) for words in theirs], float), 0.0)


def _marked(words: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    marks = np.zeros(TABLE, bool)
    marks[words] = True
    return marks


def _dice(common: Floats, total: Floats, of_nothing: float) -> Floats:
    """Dice's coefficient from what is common and the sum of both sides."""
    return np.asarray(np.where(total > 0, 2 * common / np.maximum(total, 1e-6), of_nothing), np.float64)
