"""Retrieval without a language model."""

from __future__ import annotations

import numpy as np
import pytest

from framework.errors import CatalogueUnavailable, EstimatorUnavailable
from models.catalogue import CatalogueItem, Neighbour
from models.encoder import Vectors
from models.exact import ExactIndex
from models.knn import RetrievalEstimator
from tests.models.test_catalogue import WordEncoder


def estimator(*items: tuple[str, float]) -> RetrievalEstimator:
    encoder = WordEncoder()
    rows = [CatalogueItem(id=text, description=text, price=price) for text, price in items]
    return RetrievalEstimator(ExactIndex(rows, encoder.encode([text for text, _ in items])), encoder)


def test_a_twin_is_priced_like_its_twin() -> None:
    [said] = estimator(("steel kettle", 30), ("cordless drill", 200)).estimate(["steel kettle"])
    assert said.value == pytest.approx(30, rel=0.05)
    assert said.similar[0].description == "steel kettle"
    assert said.degraded == "retrieval only, no LLM"


def test_neighbours_that_disagree_say_so_by_their_spread() -> None:
    alike = [(f"steel kettle {number}", 30.0) for number in range(6)]
    unlike = [(f"steel kettle {number}", 10.0 * 2**number) for number in range(6)]
    sure, unsure = (estimator(*rows).estimate(["steel kettle"])[0].spread for rows in (alike, unlike))
    assert sure is not None
    assert unsure is not None
    assert sure < 0.1 < 0.4 < unsure


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


def test_no_text_gives_no_estimate() -> None:
    assert estimator(("steel kettle", 30)).estimate([]) == []


def test_similarities_stay_cosines_when_rounding_goes_over_one() -> None:
    index = ExactIndex([CatalogueItem(id="k", description="k", price=1)], np.array([[1.0001, 0]], np.float32))
    assert index.query(np.array([[1.0001, 0]], np.float32), 3)[0][0].similarity == 1.0
