"""The shared encoder: the three lower layers of all-MiniLM-L6-v2 in int8, frozen.

One pass gives two things. *States*, a vector per word piece, are what the specialist's own layers go on from. The
*embedding*, one unit vector per text, is what the catalogue, retrieval and the random forest work with: the mean of
the states, whitened (J. Su et al., "Whitening sentence representations for better semantics and faster retrieval",
2021). On priced products its neighbours are better than those of the whole of MiniLM, at half the cost
(``docs/experiments.md``).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from models.artifact import SHIPPED, read_artifact, read_manifest
from models.session import open_session
from models.tokenizer import Tokenizer, shared_tokenizer

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Vectors = npt.NDArray[np.float32]

DIMENSION = 384
BATCH = 8  # as fast as any on 2 cores; larger ones leave the cache, and each doubling takes 60 MiB


@dataclass(frozen=True, slots=True)
class EncodedBatch:
    """The states of a few texts of like length: ``rows`` says which, ``mask`` is 1 where there is a word piece."""

    rows: npt.NDArray[np.int64]
    states: Vectors  # (texts, word pieces, DIMENSION)
    mask: Vectors  # (texts, word pieces)


class Encoder:
    """Turns texts into states and embeddings. Safe to call from several threads.

    The model is loaded at the first call. The latest embeddings are kept, so that the members of the ensemble, who ask
    for the same texts within one hunt, share one encoding: whoever asks for states leaves the embeddings behind.
    Quantisation ranges are those of a batch: the embedding of a text differs by about 0.01 (1 - cosine) with the
    company it is encoded in.
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
        self._loading = threading.Lock()

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the model: vectors and states of another one are of no use.

        Raises ``ArtifactError`` when the manifest cannot be read.
        """
        return read_manifest("encoder", self._folder).sha256

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return self._given_tokenizer or shared_tokenizer()

    @cached_property
    def _opened(self) -> InferenceSession:
        content, _ = read_artifact("encoder", self._folder)
        return open_session(content, str(self._folder / "encoder.onnx"))

    def _session(self) -> InferenceSession:
        with self._loading:
            return self._opened

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One unit vector per text, shape ``(len(texts), DIMENSION)``.

        Raises ``ArtifactError`` when the model is missing or is not the one its manifest names.
        """
        with self._lock:
            known = {text: self._cache[text] for text in texts if text in self._cache}
        new = [text for text in dict.fromkeys(texts) if text not in known]
        for rows, feed in self._feeds(new):
            (vectors,) = self._session().run(["embedding"], feed)
            known |= {new[row]: vector for row, vector in zip(rows, vectors, strict=True)}
        self._remember({text: known[text] for text in new})
        if not texts:
            return np.empty((0, DIMENSION), np.float32)
        return np.stack([known[text] for text in texts])

    def batches(self, texts: Sequence[str]) -> Iterator[EncodedBatch]:
        """The states of all texts, batch by batch; every text is in exactly one.

        Raises ``ArtifactError`` like ``encode``.
        """
        for rows, feed in self._feeds(texts):
            states, vectors = self._session().run(["states", "embedding"], feed)
            self._remember({texts[row]: vector for row, vector in zip(rows, vectors, strict=True)})
            yield EncodedBatch(rows, states, feed["attention_mask"].astype(np.float32))

    def _feeds(self, texts: Sequence[str]) -> Iterator[tuple[npt.NDArray[np.int64], dict[str, npt.NDArray[np.int64]]]]:
        """The inputs of the model in batches of like lengths, so that little is padded."""
        ids = self._tokenizer.encode_batch(texts)
        order = np.argsort([len(row) for row in ids], kind="stable")
        for start in range(0, len(order), self._batch):
            chosen = order[start : start + self._batch]
            yield chosen, pad([ids[row] for row in chosen])

    def _remember(self, fresh: dict[str, Vectors]) -> None:
        with self._lock:
            self._cache.update(fresh)
            while len(self._cache) > self._cache_size:
                self._cache.popitem(last=False)


def pad(rows: list[npt.NDArray[np.int64]]) -> dict[str, npt.NDArray[np.int64]]:
    """Token rows as the rectangular inputs of a transformer, with the mask of what is real."""
    width = max(len(row) for row in rows)
    ids = np.zeros((len(rows), width), np.int64)
    mask = np.zeros_like(ids)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = row
        mask[index, : len(row)] = 1
    return {"input_ids": ids, "attention_mask": mask}
