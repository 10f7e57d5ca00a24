"""The map of the catalogue: laid out once, kept, and near where products are alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from framework.errors import CatalogueUnavailable
from models.atlas import CatalogueAtlas, lay_out
from models.catalogue import CatalogueItem


def _items(groups: int = 4, each: int = 12) -> list[tuple[CatalogueItem, np.ndarray]]:
    """Products in clearly separate groups."""
    random = np.random.default_rng(7)
    items = []
    for group in range(groups):
        middle = np.eye(16)[group] * 5
        for number in range(each):
            facts = {"id": f"{group}-{number}", "description": f"thing {group} {number}", "category": str(group)}
            items.append((CatalogueItem(**facts, price=10), (middle + random.normal(size=16) * 0.2).astype(np.float32)))
    return items


class Shelf:
    """A catalogue by its reading methods."""

    def __init__(self, items: list, fails: bool = False) -> None:
        self.content, self.fails, self.asked = items, fails, 0

    def count(self) -> int:
        if self.fails:
            raise CatalogueUnavailable("here", "down")
        return len(self.content)

    def items(self, limit: int, offset: int) -> list:
        self.asked += 1
        return self.content[offset : offset + limit]


def test_products_of_one_kind_lie_nearer_to_each_other_than_to_the_rest() -> None:
    atlas = lay_out(_items(), 48)
    for form in ("flat", "deep"):
        points = np.array([getattr(place, form) for place in atlas.places])
        distance = np.linalg.norm(points[:, None] - points[None], axis=-1)
        np.fill_diagonal(distance, np.inf)
        nearest = distance.argmin(axis=1)
        same = [atlas.places[row].category == atlas.places[other].category for row, other in enumerate(nearest)]
        assert np.mean(same) > 0.9


@pytest.mark.parametrize("count", [1, 2, 4, 5])
def test_a_tiny_catalogue_has_a_map_too(count: int) -> None:
    assert len(lay_out(_items()[:count], count).places) == count


def test_the_map_is_laid_out_once_and_read_from_its_file_afterwards(tmp_path: Path) -> None:
    path, shelf = tmp_path / "state" / "atlas.json", Shelf(_items())
    first = CatalogueAtlas(shelf, path)
    assert first() is None
    first.wait(60)
    atlas = first()
    assert atlas is not None
    assert len(atlas.places) == 48
    asked = shelf.asked
    second = CatalogueAtlas(shelf, path)
    assert second() == atlas
    second.wait(60)
    assert shelf.asked == asked


def test_a_catalogue_that_has_grown_gets_a_new_map_and_a_large_one_is_sampled(tmp_path: Path) -> None:
    path = tmp_path / "atlas.json"
    first = CatalogueAtlas(Shelf(_items(2)), path)
    first()
    first.wait(60)
    second = CatalogueAtlas(Shelf(_items(4)), path, most=20)
    assert second().catalogue_size == 24
    second.wait(60)
    assert second().catalogue_size == 48
    assert len(second().places) == 16


@pytest.mark.parametrize("content", ["", "{", '{"places": [{"description": 1}], "catalogue_size": 1}'])
def test_a_damaged_file_is_laid_out_anew(tmp_path: Path, content: str) -> None:
    path = tmp_path / "atlas.json"
    path.write_text(content)
    atlas = CatalogueAtlas(Shelf(_items(1)), path)
    assert atlas() is None
    atlas.wait(60)
    assert len(atlas().places) == 12


def test_no_map_without_a_catalogue_and_no_crash(tmp_path: Path) -> None:
    for shelf in (Shelf([]), Shelf([], fails=True)):
        atlas = CatalogueAtlas(shelf, tmp_path / "atlas.json")
        assert atlas() is None
        atlas.wait(60)
        assert atlas() is None
