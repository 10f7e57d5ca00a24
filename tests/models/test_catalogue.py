"""The catalogue on a real Chroma."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from framework.errors import CatalogueUnavailable
from models.catalogue import Catalogue, CatalogueItem, ShippedCatalogue, pages
from models.exact import ExactIndex


class WordEncoder:
    """Unit vectors from hashed words: texts that share words are near, and no model is needed. Counts its texts."""

    def __init__(self, digest: str = "words") -> None:
        self.encoded = 0
        self.digest = digest

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.encoded += len(texts)
        return np.array([self._vector(text) for text in texts], np.float32).reshape(len(texts), 64)

    @staticmethod
    def _vector(text: str) -> np.ndarray:
        vector = np.full(64, 1e-3)
        for word in text.lower().split():
            vector[hashlib.md5(word.encode()).digest()[0] % 64] += 1
        return vector / np.linalg.norm(vector)


KETTLE = CatalogueItem(id="k", description="steel kettle", price=30, category="Kitchen", as_of=2024)
DRILL = CatalogueItem(id="d", description="cordless drill", price=99.5, category="Tools", brand="Makita", as_of=2023)


@pytest.fixture
def encoder() -> WordEncoder:
    return WordEncoder()


@pytest.fixture
def catalogue(tmp_path: Path, encoder: WordEncoder) -> Catalogue:
    return Catalogue(encoder, path=tmp_path / "catalogue")


def test_an_empty_catalogue_finds_nothing(catalogue: Catalogue, encoder: WordEncoder) -> None:
    assert catalogue.query(encoder.encode(["kettle"]), 5) == [[]]
    assert catalogue.query(encoder.encode([]), 5) == []
    assert catalogue.items() == []


def test_the_nearest_comes_first_with_its_facts(catalogue: Catalogue, encoder: WordEncoder) -> None:
    assert catalogue.add([KETTLE, DRILL]) == 2
    found = catalogue.query(encoder.encode(["cordless drill", "steel kettle"]), 5)
    assert [[item.id for item in row] for row in found] == [["d", "k"], ["k", "d"]]
    nearest = found[0][0]
    assert (nearest.price, nearest.category, nearest.as_of) == (99.5, "Tools", 2023)
    assert nearest.similarity == pytest.approx(1, abs=1e-3)
    assert float(nearest.as_similar().price) == 99.5


def test_unchanged_rows_are_not_encoded_or_written_again(catalogue: Catalogue, encoder: WordEncoder) -> None:
    catalogue.add([KETTLE, DRILL])
    encoder.encoded = 0
    dearer = KETTLE.model_copy(update={"price": 35.0})
    assert catalogue.add([dearer, DRILL]) == 1
    assert encoder.encoded == 1
    assert catalogue.count() == 2
    assert {item.id: item.price for item, _ in catalogue.items()} == {"k": 35.0, "d": 99.5}


def test_of_an_id_given_twice_the_last_counts(catalogue: Catalogue) -> None:
    catalogue.add([KETTLE, KETTLE.model_copy(update={"price": 12.0})])
    assert [item.price for item, _ in catalogue.items()] == [12.0]


def test_items_come_in_pages_and_whole(catalogue: Catalogue) -> None:
    many = [CatalogueItem(id=f"i{n}", description=f"thing number {n}", price=n + 1) for n in range(25)]
    catalogue.add(many)
    assert [len(catalogue.items(limit=10, offset=offset)) for offset in (0, 10, 20, 30)] == [10, 10, 5, 0]
    everything = [item for page in pages(catalogue) for item, _ in page]
    assert sorted(everything, key=lambda item: item.price) == many


def test_what_is_written_survives_a_restart(tmp_path: Path, encoder: WordEncoder) -> None:
    Catalogue(encoder, path=tmp_path / "c").add([KETTLE])
    assert Catalogue(encoder, path=tmp_path / "c").items()[0][0] == KETTLE


def test_a_fresh_catalogue_receives_the_shipped_products_once(tmp_path: Path, encoder: WordEncoder) -> None:
    vectors = encoder.encode([KETTLE.description])
    encoder.encoded = 0
    for _ in range(2):
        catalogue = Catalogue(encoder, path=tmp_path / "c", shipped=lambda: ShippedCatalogue("v1", [KETTLE], vectors))
        assert catalogue.info().shipped == 1
    assert encoder.encoded == 0


def test_a_new_release_replaces_shipped_products_and_keeps_added_ones(tmp_path: Path, encoder: WordEncoder) -> None:
    old = Catalogue(encoder, path=tmp_path / "c", shipped=lambda: ShippedCatalogue("v1", [KETTLE], None))
    old.add([DRILL])
    toaster = CatalogueItem(id="t", description="toaster", price=20)
    new = Catalogue(encoder, path=tmp_path / "c", shipped=lambda: ShippedCatalogue("v2", [toaster], None))
    assert {item.id for item, _ in new.items()} == {"d", "t"}


def test_clearing_leaves_only_what_is_shipped(tmp_path: Path, encoder: WordEncoder) -> None:
    catalogue = Catalogue(encoder, path=tmp_path / "c", shipped=lambda: ShippedCatalogue("v1", [KETTLE], None))
    catalogue.add([DRILL])
    catalogue.clear()
    assert [item.id for item, _ in catalogue.items()] == ["k"]


def test_a_server_that_is_not_there_is_a_typed_error_without_credentials(encoder: WordEncoder) -> None:
    catalogue = Catalogue(encoder, url="http://user:secret@127.0.0.1:9")
    with pytest.raises(CatalogueUnavailable) as caught:
        catalogue.count()
    assert "secret" not in str(caught.value)
    assert caught.value.where == "http://127.0.0.1:9"


def test_a_folder_that_cannot_be_made_is_a_typed_error(tmp_path: Path, encoder: WordEncoder) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CatalogueUnavailable):
        Catalogue(encoder, path=tmp_path / "file" / "catalogue").count()


def test_chroma_finds_what_an_exact_search_finds(catalogue: Catalogue, encoder: WordEncoder) -> None:
    rng = np.random.default_rng(0)
    words = ["red", "blue", "steel", "kettle", "drill", "lamp", "mug", "chair", "table", "phone", "case", "cable"]
    items = [
        CatalogueItem(id=f"i{n}", description=" ".join(rng.choice(words, 5)), price=float(n + 1)) for n in range(300)
    ]
    catalogue.add(items)
    exact = ExactIndex(items, encoder.encode([item.description for item in items]))
    asked = encoder.encode([" ".join(rng.choice(words, 4)) for _ in range(20)])
    for ours, true in zip(catalogue.query(asked, 5), exact.query(asked, 5), strict=True):
        assert [item.similarity for item in ours] == pytest.approx([item.similarity for item in true], abs=1e-3)


def test_another_encoder_makes_all_vectors_again_once_and_keeps_the_products(
    tmp_path: Path, encoder: WordEncoder
) -> None:
    Catalogue(encoder, path=tmp_path / "c").add([KETTLE, DRILL])
    new = WordEncoder("other words")
    assert Catalogue(new, path=tmp_path / "c").count() == 2
    assert new.encoded == 2
    catalogue = Catalogue(new, path=tmp_path / "c")
    assert [item for item, _ in catalogue.items()] == [KETTLE, DRILL]
    assert new.encoded == 2
    assert catalogue.add([KETTLE]) == 0
