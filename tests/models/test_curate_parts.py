"""Duplicates, balance and the token window, each on its own."""

import numpy as np
import pytest

from framework.errors import ArtifactError, SettingsError
from models.data.curate import balance, similar
from models.data.curate.plan import Plan
from models.data.curate.window import TokenWindow

LONG = " ".join(f"word{n}" for n in range(100))


def _clusters(texts):
    signatures = np.stack([similar.signature(similar.words_of(text)) for text in texts])
    return similar.similar_clusters(signatures).tolist()


def test_texts_that_differ_by_a_word_are_one_cluster_and_others_are_not():
    other = LONG.replace("word", "term")
    assert _clusters([LONG, other, f"{LONG} new", "short", f"{LONG} hot", other]) == [0, 1, 0, 3, 0, 1]


def test_half_of_the_words_in_common_is_not_alike():
    assert _clusters([LONG, " ".join(LONG.split()[:50] + [f"x{n}" for n in range(50)])]) == [0, 1]


def test_similarity_is_found_as_often_as_it_should_be():
    """Pairs of Jaccard similarity 0.9 by word pairs: all but one in ten thousand are found."""
    draw = np.random.default_rng(1)
    texts = []
    for number in range(200):
        words = [f"a{number}b{draw.integers(10**6)}" for _ in range(60)]
        texts += [" ".join(words), " ".join([*words, "one", "two", "three"])]
    leaders = _clusters(texts)
    assert sum(leaders[n] == leaders[n + 1] for n in range(0, len(texts), 2)) >= 198
    assert len(set(leaders)) >= 200, "texts of different pairs stay apart"


def test_case_and_punctuation_make_no_difference_but_numbers_do():
    one, two = similar.words_of("Drive, 1 TB (Black)"), similar.words_of("drive 1 tb black!")
    assert similar.exact_key(one) == similar.exact_key(two)
    assert similar.variant_key(one) == similar.variant_key(two)
    assert similar.variant_key(one) != similar.variant_key(similar.words_of("Drive, 2 TB (Black)"))


def test_stated_groups_join_clusters_and_zero_is_none():
    leaders = np.array([0, 0, 2, 3, 4])
    assert similar.with_groups(leaders, np.array([0, 7, 7, 0, 0], np.uint64)).tolist() == [0, 0, 0, 3, 4]


def _skewed():
    draw = np.random.default_rng(0)
    prices = np.concatenate([draw.uniform(5, 20, 9_000), draw.uniform(200, 900, 1_000)])
    categories = np.where(draw.random(10_000) < 0.8, 0, draw.integers(1, 5, 10_000))
    return prices, categories


def test_the_draw_evens_out_both_skews():
    prices, categories = _skewed()
    kept = balance.draw(balance.chances(prices, categories, 3_000, 1.0), 0)
    assert kept.sum() == pytest.approx(3_000, rel=0.05)
    dear, largest = (prices[kept] > 100).mean(), np.bincount(categories[kept]).max() / kept.sum()
    assert dear > 0.3, "of 10% before"
    assert largest < 0.4, "of 80% before"


def test_strength_zero_leaves_the_shares():
    prices, categories = _skewed()
    kept = balance.draw(balance.chances(prices, categories, 3_000, 0.0), 0)
    assert (prices[kept] > 100).mean() == pytest.approx(0.1, abs=0.01)


def test_what_is_wished_for_beyond_what_there_is_is_all_of_it():
    prices, categories = _skewed()
    assert balance.draw(balance.chances(prices, categories, 20_000, 1.0), 0).all()
    assert balance.quotas(np.array([1, 5, 0]), 6, 1.0).tolist() == pytest.approx([1, 5, 0])


def test_a_text_is_cut_between_tokens_and_keeps_its_title():
    window = TokenWindow(8)
    (title, description, count), (_, whole, few) = window.fit([("A kettle", "boils water " * 30), ("Pan", "of iron")])
    assert (title, description, count) == ("A kettle", "boils water boils water", 92)
    assert (whole, few) == ("of iron", 3)


def test_a_file_that_is_no_tokenizer_is_told(tmp_path):
    (tmp_path / "tokenizer.json").write_text("{}")
    for path in (tmp_path / "tokenizer.json", tmp_path / "none.json"):
        with pytest.raises(ArtifactError, match="okenizer"):
            TokenWindow(8, path)


@pytest.mark.parametrize(
    "choice",
    [
        {"prices": (0.1, 5)},
        {"prices": (9, 5)},
        {"tokens": (9, 5)},
        {"size": 0},
        {"strength": 2},
        {"similar": 0.2},
        {"dev": 0.6, "test": 0.5},
    ],
)
def test_choices_that_cannot_work_are_refused(choice):
    with pytest.raises(SettingsError, match="cannot work"):
        Plan(**choice)
