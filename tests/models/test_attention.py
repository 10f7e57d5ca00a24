"""How neighbours are weighted: what they have in common with a product, and what was learned from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from framework.errors import ArtifactError
from models.artifact import write_artifact
from models.attention import FEATURES, TABLE, Attention, features, profile, shared_words
from models.catalogue import Neighbour

RARITY = np.full(TABLE, 2.0)


def near(text: str, similarity: float = 0.7, as_of: int = 2024) -> Neighbour:
    return Neighbour("id", text, "Kitchen", 30.0, as_of, similarity)


def columns(text: str, *neighbours: Neighbour) -> dict[str, np.ndarray]:
    return dict(zip(FEATURES, features(text, neighbours, RARITY).T, strict=True))


def test_what_is_in_common_is_dices_coefficient_by_words_numbers_and_rarity() -> None:
    found = columns("drill 18V\nwith case", near("drill 18V\nwith bag"), near("drill 20V"), near("mug"))
    assert found["words"] == pytest.approx([0.75, 2 / 6, 0])
    assert found["numbers"] == pytest.approx([1, 0, 0])
    assert found["rare words"] == pytest.approx([0.75, 2 / 6, 0])
    assert found["title"] == pytest.approx([1, 0.5, 0])
    assert found["title found"] == pytest.approx([1, 0.5, 0])
    assert found["brand"] == pytest.approx([1, 1, 0])


@pytest.mark.parametrize(
    ("one", "other", "shared"), [("a b c", "a b c", 1), ("a b", "c d", 0), ("drill 18V", "drill", 2 / 3), ("", "", 0)]
)
def test_shared_words_are_dices_coefficient(one: str, other: str, shared: float) -> None:
    assert shared_words(one, [other, "zorgon"]) == pytest.approx([shared, 0])
    assert len(shared_words(one, [])) == 0


def test_rare_words_count_more_than_usual_ones() -> None:
    rarity = RARITY.copy()
    rarity[profile("steel").words] = 0.1
    rows = features("steel zorgon", [near("steel kettle"), near("zorgon kettle")], rarity)
    usual, rare = rows[:, FEATURES.index("rare words")]
    assert rare > 3 * usual


def test_similarity_and_age_are_told_beside_the_best_and_the_newest() -> None:
    found = columns("kettle", near("kettle", 0.8, 2024), near("kettle", 0.4, 2004), near("kettle", 0.4, 0))
    assert found["log similarity beside the best"] == pytest.approx([0, np.log(0.5), np.log(0.5)])
    assert found["decades older"] == pytest.approx([0, 2, 0])


@pytest.mark.parametrize("text", ["", "\n\n", "電気ケトル", "a" * 100_000, "1 2 3 " * 1_000])
def test_any_text_has_finite_features_and_weights(text: str) -> None:
    rows = [near("steel kettle"), near(text), near("")]
    assert np.isfinite(features(text, rows, RARITY)).all()
    weights = Attention().weights(text, rows)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()


def test_shared_words_and_numbers_weigh_more_than_a_little_similarity() -> None:
    rows = [near("MSI GeForce RTX 4060 8 GB graphics card", 0.92), near("MSI GeForce RTX 4070 12 GB card", 0.9)]
    weight = Attention().weights("MSI GeForce RTX 4070 12 GB graphics card", rows)
    assert weight[1] > 2 * weight[0]


def test_a_nearer_neighbour_weighs_more() -> None:
    weight = Attention().weights("steel kettle", [near("iron pot", 0.8), near("iron pot", 0.4)])
    assert weight[0] > weight[1]


def test_one_neighbour_has_all_the_weight() -> None:
    assert Attention().weights("steel kettle", [near("iron pot", 0.3)]) == pytest.approx([1])


def test_weights_that_are_missing_or_not_readable_are_an_artifact_error(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="restore it or train"):
        Attention(tmp_path).weights("kettle", [near("kettle")])
    write_artifact("attention", b"[]", suffix=".weights.json", folder=tmp_path)
    with pytest.raises(ArtifactError, match="train them again"):
        Attention(tmp_path).weights("kettle", [near("kettle")])
