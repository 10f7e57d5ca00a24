"""The map of the catalogue: products as points in two and three dimensions, near where they are alike."""

from __future__ import annotations

from pydantic import Field

from framework.deals import Value


class Place(Value):
    """One catalogue product on the map; ``flat`` is its place in 2-D, ``deep`` in 3-D."""

    description: str
    category: str
    price: float = Field(gt=0)  # US dollars
    flat: tuple[float, float]
    deep: tuple[float, float, float]


class Atlas(Value):
    """All places, and how many products the catalogue held when they were laid out (large ones are sampled)."""

    places: tuple[Place, ...]
    catalogue_size: int
