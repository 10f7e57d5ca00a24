"""The bundled specialist: a small network fine-tuned to price products, run by onnxruntime on the encoder's states."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog

from framework.deals import MemberEstimate
from models.artifact import SHIPPED
from models.data.features import bag_texts
from models.encoder import Encoder
from models.session import open_session
from models.specialist import bins
from models.specialist.artifact import FILE, InputSettings, load_specialist
from models.text import clean

_log = structlog.get_logger(__name__)

NO_TEXT = "no text"

Floats = npt.NDArray[np.float64]


class Specialist:
    """Prices products with ``specialist.onnx``: encoded texts and hashed features in, a distribution of prices out.

    The artifact is verified and loaded at the first call, once, whichever thread comes first. Raises
    ``ArtifactError`` there when it is missing, changed or made for another encoder.
    """

    name = "specialist"

    def __init__(self, encoder: Encoder, folder: Path = SHIPPED) -> None:
        self._encoder = encoder
        self._folder = folder
        self._lock = threading.Lock()
        self._network: _Network | None = None

    def estimate(self, descriptions: Sequence[str]) -> list[MemberEstimate]:
        """Today's worth of each description in US dollars; one without any text fails as "no text"."""
        log_prices, spreads = self.log_predictions(descriptions)
        return [
            MemberEstimate(member=self.name, failure=NO_TEXT)
            if np.isnan(log_price)
            else MemberEstimate(member=self.name, value=float(np.exp(log_price)), spread=float(spread))
            for log_price, spread in zip(log_prices, spreads, strict=True)
        ]

    def log_predictions(self, descriptions: Sequence[str]) -> tuple[Floats, Floats]:
        """Log price (US dollars) and its standard deviation by the model itself; both NaN where there is no text."""
        centre = np.full(len(descriptions), np.nan)
        spread = np.full(len(descriptions), np.nan)
        rows = [index for index, text in enumerate(descriptions) if has_text(text)]
        if rows:
            texts = [clean(descriptions[index]) for index in rows]
            centre[rows], spread[rows] = self._loaded().beliefs(texts)
        return centre, spread

    def _loaded(self) -> _Network:
        with self._lock:
            if self._network is None:
                settings, content = load_specialist(self._folder, self._encoder.digest)
                self._network = _Network(open_session(content, str(self._folder / FILE)), settings, self._encoder)
                _log.info("specialist_loaded", size_mb=round(len(content) / 1e6, 1))
            return self._network


class _Network:
    """The open session with the settings that its inputs are made by."""

    def __init__(self, session: Any, settings: InputSettings, encoder: Encoder) -> None:
        self._session = session
        self._settings = settings
        self._encoder = encoder

    def beliefs(self, texts: list[str]) -> tuple[Floats, Floats]:
        """Log price and its standard deviation."""
        table, share = self._settings.table, self._settings.linear_share
        bags = bag_texts(texts, table)
        centre, spread = np.zeros(len(texts)), np.zeros(len(texts))
        for batch in self._encoder.batches(texts):
            features = pad([bags.row(int(row)) for row in batch.rows], table)
            feed = {"states": batch.states, "mask": batch.mask, "features": features}
            probabilities, linear = self._session.run(["probabilities", "linear"], feed)
            centre[batch.rows] = (1 - share) * bins.median(probabilities) + share * linear
            spread[batch.rows] = bins.spread(probabilities)
        return centre, spread


def has_text(text: str) -> bool:
    """Whether there is a letter or a digit to read."""
    return any(character.isalnum() for character in text[:10_000])


def pad(rows: Sequence[npt.NDArray[np.int64]], filler: int) -> npt.NDArray[np.int64]:
    """The rows as one array, short ones filled up."""
    padded = np.full((len(rows), max(1, max(len(row) for row in rows))), filler, np.int64)
    for index, row in enumerate(rows):
        padded[index, : len(row)] = row
    return padded
