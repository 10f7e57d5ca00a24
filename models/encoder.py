"""The frozen sentence encoder: all-MiniLM-L6-v2 in int8, shared by the catalogue, retrieval and the random forest."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from models.artifact import SHIPPED, read_artifact
from models.session import open_session
from models.tokenizer import Tokenizer, shared_tokenizer

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Vectors = npt.NDArray[np.float32]

DIMENSION = 384
BATCH = 32  # measured best on 2 cores: larger batches leave the cache and are slower


class Encoder:
    """Turns texts into unit vectors whose dot product is their similarity. Safe to call from several threads.

    The model is loaded at the first call. The latest vectors are kept, so that the members of the ensemble, who ask
    for the same texts within one hunt, share one encoding. Quantisation ranges are those of a batch: the vector of a
    text differs by about 0.003 (1 - cosine) with the company it is encoded in.
    """

    def __init__(
        self, folder: Path = SHIPPED, *, tokenizer: Tokenizer | None = None, batch: int = BATCH, cache_size: int = 2_048
    ) -> None:
        self._folder = folder
        self._given_tokenizer = tokenizer
        self._batch = batch
        self._cache: OrderedDict[str, Vectors] = OrderedDict()
        self._cache_size = cache_size
        self._lock = threading.Lock()

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return self._given_tokenizer or shared_tokenizer()

    @cached_property
    def _session(self) -> InferenceSession:
        content, _ = read_artifact("encoder", self._folder)
        return open_session(content, str(self._folder / "encoder.onnx"))

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One unit vector per text, shape ``(len(texts), 384)``.

        Raises ``ArtifactError`` when the model is missing or is not the one its manifest names.
        """
        with self._lock:
            known = {text: self._cache[text] for text in texts if text in self._cache}
            new = [text for text in dict.fromkeys(texts) if text not in known]
            fresh = dict(zip(new, self._encode_new(new), strict=True))
            self._cache.update(fresh)
            while len(self._cache) > self._cache_size:
                self._cache.popitem(last=False)
        if not texts:
            return np.empty((0, DIMENSION), np.float32)
        return np.stack([known[text] if text in known else fresh[text] for text in texts])

    def _encode_new(self, texts: list[str]) -> Vectors:
        """Encode in batches of like lengths, so that little is padded."""
        vectors = np.empty((len(texts), DIMENSION), np.float32)
        ids = self._tokenizer.encode_batch(texts)
        order = np.argsort([len(row) for row in ids], kind="stable")
        for start in range(0, len(order), self._batch):
            chosen = order[start : start + self._batch]
            vectors[chosen] = self._session.run(None, pad([ids[i] for i in chosen]))[0]
        return vectors


def pad(rows: list[npt.NDArray[np.int64]]) -> dict[str, npt.NDArray[np.int64]]:
    """Token rows as the rectangular inputs of a transformer, with the mask of what is real."""
    width = max(len(row) for row in rows)
    ids = np.zeros((len(rows), width), np.int64)
    mask = np.zeros_like(ids)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = row
        mask[index, : len(row)] = 1
    return {"input_ids": ids, "attention_mask": mask}
