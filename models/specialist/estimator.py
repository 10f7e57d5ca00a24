"""The bundled specialist: a small network fine-tuned to price products, run by onnxruntime."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog

from framework.deals import MemberEstimate
from models.data.features import bag_texts
from models.specialist import bins
from models.specialist.artifact import Manifest, load_artifact, open_session
from models.tokenizer import ARTIFACTS, Tokenizer, shared_tokenizer

_log = structlog.get_logger(__name__)

BATCH = 32
NO_TEXT = "no text"

Floats = npt.NDArray[np.float64]


class Specialist:
    """Prices products with ``specialist.onnx``: word pieces and hashed features in, a distribution of prices out.

    The artifact is verified and loaded at the first call, once, whichever thread comes first. Raises
    ``ArtifactError`` there when it is missing or is not the file its manifest describes.
    """

    name = "specialist"

    def __init__(self, folder: Path = ARTIFACTS, *, tokenizer: Tokenizer | None = None, threads: int = 0) -> None:
        self._folder = folder
        self._tokenizer = tokenizer
        self._threads = threads
        self._lock = threading.Lock()
        self._network: _Network | None = None

    def estimate(self, descriptions: Sequence[str]) -> list[MemberEstimate]:
        """Today's worth of each description in US dollars; one without any text fails as "no text"."""
        log_prices, _ = self.log_predictions(descriptions)
        return [
            MemberEstimate(member=self.name, failure=NO_TEXT)
            if np.isnan(log_price)
            else MemberEstimate(member=self.name, value=float(np.exp(log_price)))
            for log_price in log_prices
        ]

    def log_predictions(self, descriptions: Sequence[str]) -> tuple[Floats, Floats]:
        """Log price (US dollars) and its standard deviation by the model itself; both NaN where there is no text."""
        centre = np.full(len(descriptions), np.nan)
        spread = np.full(len(descriptions), np.nan)
        rows = [index for index, text in enumerate(descriptions) if has_text(text)]
        if rows:
            centre[rows], spread[rows] = self._loaded().beliefs([descriptions[index] for index in rows])
        return centre, spread

    def _loaded(self) -> _Network:
        with self._lock:
            if self._network is None:
                manifest, content = load_artifact(self._folder)
                session = open_session(self._folder, content, self._threads)
                self._network = _Network(session, manifest, self._tokenizer or shared_tokenizer())
                _log.info("specialist_loaded", trained=manifest.created, size_mb=round(len(content) / 1e6, 1))
            return self._network


class _Network:
    """The open session with the settings that its inputs are made by."""

    def __init__(self, session: Any, manifest: Manifest, tokenizer: Tokenizer) -> None:
        self._session = session
        self._manifest = manifest
        self._tokenizer = tokenizer

    def beliefs(self, texts: list[str]) -> tuple[Floats, Floats]:
        """Log price and its standard deviation. Texts of like length share a batch, so that little is padding."""
        table, share = self._manifest.table, self._manifest.linear_share
        tokens = [cut(ids, self._manifest.max_tokens) for ids in self._tokenizer.encode_batch(texts)]
        bags = bag_texts(texts, table)
        centre, spread = np.zeros(len(texts)), np.zeros(len(texts))
        order = np.argsort([len(ids) for ids in tokens], kind="stable")
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            ids, mask = pad([tokens[row] for row in rows], 0)
            features, _ = pad([bags.row(row) for row in rows], table)
            feed = {"tokens": ids, "mask": mask, "features": features}
            probabilities, linear = self._session.run(["probabilities", "linear"], feed)
            centre[rows] = (1 - share) * bins.median(probabilities) + share * linear
            spread[rows] = bins.spread(probabilities)
        return centre, spread


def has_text(text: str) -> bool:
    """Whether there is a letter or a digit to read."""
    return any(character.isalnum() for character in text[:10_000])


def cut(ids: npt.NDArray[np.int64], length: int) -> npt.NDArray[np.int64]:
    """The first ``length`` ids, the closing ``[SEP]`` kept."""
    return ids if len(ids) <= length else np.concatenate([ids[: length - 1], ids[-1:]])


def pad(rows: Sequence[npt.NDArray[np.int64]], filler: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """The rows as one array, short ones filled up, and a mask of what is real."""
    width = max(1, max(len(row) for row in rows))
    padded = np.full((len(rows), width), filler, np.int64)
    mask = np.zeros((len(rows), width), np.float32)
    for index, row in enumerate(rows):
        padded[index, : len(row)] = row
        mask[index, : len(row)] = 1.0
    return padded, mask
