"""Hashed features of a product's text: words, word pairs, runs of characters, and numbers with their units.

The hashing trick (Weinberger et al., 2009): a feature's identity is its hash modulo the table's size, so no
vocabulary is kept and a word never seen in training is no error. Runs of characters catch model numbers and misspelt
words; a quantity ("2 TB", "850 W", "12 pack") becomes its unit with its magnitude in steps of a quarter octave, so
that near sizes share evidence that the digits themselves do not show.
"""

from __future__ import annotations

import math
import re
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.data.products import MAX_TEXT

TITLE_CHARACTERS = 200  # of the title are cut into runs; a deal's whole text is often one such line
RUNS = (3, 4, 5)

_WORD = re.compile(r"[a-z0-9]+(?:[.'][a-z0-9]+)*|[^\W\d_]+")
_SPACE = re.compile(r"\s+")
_QUANTITY = re.compile(
    r"(?<![\w.])(\d{1,7}(?:,\d{3})*(?:\.\d+)?)[\s-]?"
    r"(tb|gb|mb|inch(?:es)?|in|\"|''|watts?|w|mah|wh|va|volts?|v|ghz|mhz|hz|mm|cm|ft|feet|foot|lbs?|pounds?|oz|ounces?"
    r"|fl|ml|liters?|l|g|kg|quart|qt|gal(?:lon)?s?|packs?|pk|pcs|pieces?|count|ct|sets?|cores?|rpm|dpi|mp|megapixels?"
    r"|ports?|ms|ns|cfm|btu|gauge|years?|x)(?![a-z])"
)
_UNITS = {
    "inches": "inch", "in": "inch", '"': "inch", "''": "inch", "watts": "watt", "w": "watt", "volts": "volt",
    "v": "volt",
    "feet": "ft", "foot": "ft", "lbs": "lb", "pounds": "lb", "pound": "lb", "ounces": "oz", "ounce": "oz",
    "liters": "l", "liter": "l", "qt": "quart", "gallon": "gal", "gallons": "gal", "gals": "gal", "packs": "pack",
    "pk": "pack", "pcs": "pack", "pieces": "pack", "piece": "pack", "count": "pack", "ct": "pack", "sets": "set",
    "cores": "core", "megapixel": "mp", "megapixels": "mp", "ports": "port", "years": "year",
}  # fmt: skip
_SCALED = {
    "tb": ("gb", 1024.0),
    "mb": ("gb", 1 / 1024),
    "ghz": ("mhz", 1000.0),
    "cm": ("mm", 10.0),
    "kg": ("g", 1000.0),
}
_YEAR = re.compile(r"\b(19[89]\d|20[0-3]\d)\b")


@dataclass(frozen=True, slots=True)
class Bags:
    """Hashed features of several texts: text ``i`` has ``ids[offsets[i]:offsets[i + 1]]``, each id once."""

    ids: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def row(self, index: int) -> npt.NDArray[np.int64]:
        """The feature ids of one text."""
        return self.ids[self.offsets[index] : self.offsets[index + 1]]


def normalise(text: str) -> str:
    """Compatibility forms folded, control characters gone, lower case, at most ``MAX_TEXT`` characters.

    The first line break is kept: it parts the title from the description.
    """
    folded = unicodedata.normalize("NFKC", text[: 4 * MAX_TEXT]).lower()
    clean = "".join(c if c == "\n" or unicodedata.category(c)[0] != "C" else " " for c in folded)
    title, _, rest = clean.strip().partition("\n")
    rest = _SPACE.sub(" ", rest).strip()
    title = _SPACE.sub(" ", title).strip()
    return (f"{title}\n{rest}" if rest else title)[:MAX_TEXT]


def bag_texts(texts: Sequence[str], table: int) -> Bags:
    """The features of each text as ids below ``table`` (a power of two)."""
    rows = [_features(normalise(text), table) for text in texts]
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return Bags(np.concatenate(rows) if rows else np.zeros(0, np.int64), offsets)


def _features(text: str, table: int) -> npt.NDArray[np.int64]:
    title, _, _rest = text.partition("\n")
    named = np.fromiter((zlib.crc32(name.encode()) for name in _names(text, title)), np.uint64)
    hashed = np.concatenate([named, _runs(title[:TITLE_CHARACTERS])])
    return np.unique(_mix(hashed) & np.uint64(table - 1)).astype(np.int64)


def _names(text: str, title: str) -> Iterator[str]:
    words = _WORD.findall(text)
    yield from words
    yield from map("{} {}".format, words, words[1:])
    heading = _WORD.findall(title)
    yield from (f"t:{word}" for word in heading)
    if heading:
        yield f"first:{heading[0]}"
        yield f"last:{heading[-1]}"
    yield f"length:{round(math.log2(1 + len(words)) * 2)}"
    yield f"heading:{round(math.log2(1 + len(heading)) * 2)}"
    yield from quantities(text)
    yield from (f"year:{year}" for year in _YEAR.findall(text))


def quantities(text: str) -> Iterator[str]:
    """Each number with a unit in lower-case text as two names: by quarter octave of its magnitude, and by octave."""
    for number, unit in _QUANTITY.findall(text):
        value = float(number.replace(",", ""))
        unit, factor = _SCALED.get(unit, (_UNITS.get(unit, unit), 1.0))
        if value > 0:
            step = round(4 * math.log2(value * factor))
            yield f"{unit}:{step}"
            yield f"{unit}~{step // 4}"


def _runs(title: str) -> npt.NDArray[np.uint64]:
    letters = np.frombuffer(f" {title} ".encode(), np.uint8).astype(np.uint64)
    hashes = []
    for length in RUNS:
        if len(letters) >= length:
            windows = np.lib.stride_tricks.sliding_window_view(letters, length)
            powers = np.array([0x100000001B3**k % 2**64 for k in range(length)], np.uint64)
            hashes.append((windows * powers).sum(axis=1, dtype=np.uint64) * np.uint64(2 * length + 1))
    return np.concatenate(hashes) if hashes else np.zeros(0, np.uint64)


def _mix(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    # Finaliser of MurmurHash3: spreads every bit of a weak hash over the low bits that the table keeps.
    mixed = hashes ^ (hashes >> np.uint64(33))
    mixed = mixed * np.uint64(0xFF51AFD7ED558CCD)
    mixed ^= mixed >> np.uint64(33)
    return mixed
