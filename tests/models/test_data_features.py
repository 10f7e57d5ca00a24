"""Hashed features: stable, bounded, and near where meanings are near."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.data.features import bag_texts, normalise, quantities
from models.data.products import MAX_TEXT

TABLE = 2**16


def bag(text: str) -> set[int]:
    return set(bag_texts([text], TABLE).row(0).tolist())


@given(st.text())
def test_any_text_has_features_within_the_table(text: str) -> None:
    ids = bag_texts([text], TABLE).row(0)
    assert len(ids) > 0
    assert ids.min() >= 0
    assert ids.max() < TABLE
    assert len(np.unique(ids)) == len(ids)


def test_features_do_not_depend_on_the_process() -> None:
    # Hashes are shipped inside the weights: these ids may never change without a new training.
    assert bag_texts(["Kettle"], TABLE).row(0)[:5].tolist() == [1267, 2500, 5718, 18537, 20222]


def test_case_and_compatibility_forms_do_not_matter() -> None:
    assert bag("Ｓｏｎｙ  WH-1000XM5") == bag("sony wh-1000xm5")


@pytest.mark.parametrize(
    ("one", "other"),
    [("2 TB", "2048 GB"), ("850W", "850 watts"), ('55"', "55 inches"), ("2 pk", "2-pack"), ("1,000 ml", "1000ml")],
)
def test_one_quantity_in_two_spellings_is_one_feature(one: str, other: str) -> None:
    assert list(quantities(one.lower())) == list(quantities(other.lower())) != []


@pytest.mark.parametrize("text", ["version 2", "0 gb", "wh-1000xm5", "10.0.0.1 address"])
def test_a_number_without_a_unit_is_no_quantity(text: str) -> None:
    assert list(quantities(text)) == []


def test_near_quantities_share_more_than_far_ones() -> None:
    assert len(bag("drive 960 GB") & bag("drive 1000 GB")) > len(bag("drive 960 GB") & bag("drive 120 GB"))


def test_words_of_the_title_differ_from_words_of_the_description() -> None:
    assert bag("Kettle\nsteel") != bag("steel\nKettle")


def test_control_characters_go_and_the_first_line_break_stays() -> None:
    assert normalise("Ket\x00tle\x1b[0m\r\nSteel\n\tcase") == "ket tle [0m\nsteel case"


def test_a_megabyte_is_cut() -> None:
    assert len(normalise("word " * 200_000)) <= MAX_TEXT


def test_a_text_gives_the_same_features_alone_and_among_others() -> None:
    bags = bag_texts(["Kettle", "", "Toaster 900 W"], TABLE)
    assert len(bags) == 3
    assert set(bags.row(2).tolist()) == bag("Toaster 900 W")


def test_no_texts_are_no_bags() -> None:
    assert len(bag_texts([], TABLE)) == 0
