"""Retrieval without a language model."""

from __future__ import annotations

import numpy as np
import pytest

from framework.errors import CatalogueUnavailable, EstimatorUnavailable
from models.catalogue import CatalogueItem, Neighbour
from models.encoder import Vectors
from models.exact import ExactIndex
from models.knn import KnnRule, RetrievalEstimator, weights
from models.overlap import overlap
from tests.models.test_catalogue import WordEncoder


def near(price: float, similarity: float, category: str = "Kitchen", as_of: int = 2024) -> Neighbour:
    return Neighbour("id", "text", category, price, as_of, similarity)


def estimator(*items: tuple[str, float]) -> RetrievalEstimator:
    encoder = WordEncoder()
    rows = [CatalogueItem(id=text, description=text, price=price) for text, price in items]
    return RetrievalEstimator(ExactIndex(rows, encoder.encode([text for text, _ in items])), encoder)


def test_a_twin_is_priced_like_its_twin() -> None:
    [said] = estimator(("steel kettle", 30), ("cordless drill", 200)).estimate(["steel kettle"])
    assert said.value == pytest.approx(30, rel=0.05)
    assert said.similar[0].description == "steel kettle"
    assert said.degraded == "retrieval only, no LLM"


def test_a_catalogue_of_one_item_answers_only_for_its_like() -> None:
    alike, other = estimator(("steel kettle", 30)).estimate(["steel kettle", "diamond ring"])
    assert alike.value == pytest.approx(30)
    assert (other.value, other.failure) == (None, "Nothing in the catalogue is similar")


def test_an_empty_catalogue_is_a_failure_of_each_item() -> None:
    assert [said.failure for said in estimator().estimate(["kettle", "drill"])] == ["The catalogue is empty"] * 2


@pytest.mark.parametrize("text", ["", "   ", "\x00\x01", "12 34", "電気ケトル 大容量"])
def test_a_text_without_readable_words_is_a_failure(text: str) -> None:
    [said] = estimator(("steel kettle", 30)).estimate([text])
    assert said.value is None
    assert said.failure


def test_a_catalogue_that_does_not_answer_makes_the_member_unavailable() -> None:
    class Broken:
        def query(self, vectors: Vectors, k: int) -> list[list[Neighbour]]:
            raise CatalogueUnavailable("/tmp/c", "The catalogue does not answer: disk full")

    with pytest.raises(EstimatorUnavailable, match=r"frontier: .*disk full"):
        RetrievalEstimator(Broken(), WordEncoder()).estimate(["kettle"])


def test_nearer_newer_and_same_kind_neighbours_weigh_more() -> None:
    def of(*rows: Neighbour) -> list[float]:
        return list(weights("text", rows, KnnRule()))

    assert of(near(1, 0.8), near(2, 0.8)) == [1, 1]
    assert of(near(1, 0.9), near(2, 0.7))[1] < 0.5
    assert of(near(1, 0.8, as_of=2024), near(2, 0.8, as_of=2008))[1] < 0.7
    kitchen, other, jewelry = of(near(1, 0.9), near(1, 0.8), near(2, 0.8, category="Jewelry"))
    assert kitchen > other > jewelry


def test_shared_words_and_numbers_weigh_more_than_a_little_similarity() -> None:
    def card(text: str, similarity: float) -> Neighbour:
        return Neighbour("id", text, "GPU", 500, 2024, similarity)

    rows = [card("MSI GeForce RTX 4060 8 GB graphics card", 0.92), card("MSI GeForce RTX 4070 12 GB card", 0.9)]
    weight = weights("MSI GeForce RTX 4070 12 GB graphics card", rows, KnnRule())
    assert weight[1] > 2 * weight[0]


@pytest.mark.parametrize(
    ("one", "other", "shared", "numbers"),
    [
        ("a b c", "a b c", 1, 1),
        ("a b", "c d", 0, 1),
        ("drill 18V", "drill 20V", 0.5, 0),
        ("drill 18V", "drill", 2 / 3, 0),
        ("", "", 0, 1),
    ],
)
def test_overlap_is_dices_coefficient_of_words_and_of_numbers(
    one: str, other: str, shared: float, numbers: float
) -> None:
    assert overlap(one, other) == (pytest.approx(shared), pytest.approx(numbers))


def test_no_text_gives_no_estimate() -> None:
    assert estimator(("steel kettle", 30)).estimate([]) == []


def test_similarities_stay_cosines_when_rounding_goes_over_one() -> None:
    index = ExactIndex([CatalogueItem(id="k", description="k", price=1)], np.array([[1.0001, 0]], np.float32))
    assert index.query(np.array([[1.0001, 0]], np.float32), 3)[0][0].similarity == 1.0
