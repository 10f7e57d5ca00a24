"""Is a catalogue item the very product that a description names? By its words, not by its vector.

Vectors put "Galaxy Tab A11" and "Galaxy Tab A11+" side by side; the words tell them apart. An item is a twin when all
words of its name stand in the description's title, and nothing in the title speaks against it: another model number,
another capacity or size, an edition ("Pro", "Mini"), or that it is an accessory *for* that product.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORD = re.compile(r"[a-z0-9]+(?:[.'+-][a-z0-9]+)*\+?")
_UNITS = r"gb|tb|mb|inch|in|oz|lb|ft|mm|cm|ml|mah|wh|w|hz|ghz|mp|pack|pk|piece|pc|count|ct|quart|qt|cup|gallon|k"
_SPACED_UNIT = re.compile(rf"(\d)[\s-]+(?=(?:{_UNITS})\b)")
_MEASURE = re.compile(rf"(\d+(?:\.\d+)?)({_UNITS})s?")
_SAME_UNIT = {"in": "inch", "pk": "pack", "pc": "piece", "ct": "count", "qt": "quart"}
_EDITIONS = frozenset(
    {"pro", "mini", "max", "plus", "ultra", "lite", "air", "xl", "se", "fe", "digital", "slim", "go", "edge", "elite"}
    | {"evo", "super", "ti", "xt"}
)
_NOT_ITSELF = re.compile(r"\b(?:for|fits|compatible with|replacement)\s+(?:the\s+|your\s+)?")
_TITLE_CHARACTERS = 160


def same_product(description: str, item: str) -> bool:
    """Whether ``item`` (a catalogue text that begins with its name and a comma) is what ``description`` names."""
    title = _plain(re.split(r"[\n;]", description, maxsplit=1)[0][:_TITLE_CHARACTERS])
    name = _plain(item.split(",", 1)[0])
    own, named = _words(title), _words(name)
    if len(named) < 2 or not named <= own or _is_accessory(title, name):
        return False
    everything = _words(_plain(item))
    if (own ^ everything) & _EDITIONS & (own | named):
        return False
    return not (_models(own) - everything) and not _conflict(_measures(own), _measures(everything))


def _plain(text: str) -> str:
    return _SPACED_UNIT.sub(r"\1", text.lower().replace("”", '"').replace('"', "inch "))


def _words(text: str) -> frozenset[str]:
    """The words of a text; those joined by hyphens count without them, so that "WH-1000XM5" is "WH1000XM5"."""
    return frozenset(word.replace("-", "") for word in _WORD.findall(text))


def _models(words: Iterable[str]) -> set[str]:
    """Words with letters and digits that are no measures: model numbers."""
    return {
        word
        for word in words
        if any(c.isdigit() for c in word) and any(c.isalpha() for c in word) and not _MEASURE.fullmatch(word)
    }


def _measures(words: Iterable[str]) -> dict[str, set[float]]:
    """Numbers by unit."""
    found: dict[str, set[float]] = {}
    for match in filter(None, map(_MEASURE.fullmatch, words)):
        unit = _SAME_UNIT.get(match[2], match[2])
        found.setdefault(unit, set()).add(float(match[1]))
    return found


def _conflict(one: dict[str, set[float]], other: dict[str, set[float]]) -> bool:
    """Whether both state a measure of one unit, and not the same."""
    return any(numbers.isdisjoint(other[unit]) for unit, numbers in one.items() if unit in other)


def _is_accessory(title: str, name: str) -> bool:
    """Whether the product stands in the title only as what something is for."""
    brand = name.split(" ", 1)[0]
    return any(title[match.end() :].startswith(brand) for match in _NOT_ITSELF.finditer(title))
