"""Vectors of a data file's texts, computed once and kept: the encoder is most of the cost of every training."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import structlog

from models.artifact import read_manifest
from models.encoder import DIMENSION, Encoder, Vectors

log = structlog.get_logger("train.vectors")

_CHUNK = 2_048


def cached_vectors(texts: Sequence[str], encoder: Encoder, folder: Path, artifacts: Path) -> Vectors:
    """The vector of every text, in half precision on disk; an interrupted run goes on where it stopped.

    The cache is named by the texts and the encoder, so neither can change unnoticed.
    """
    digest = hashlib.sha256(read_manifest("encoder", artifacts).sha256.encode())
    for text in texts:
        digest.update(hashlib.sha256(text.encode("utf-8", "replace")).digest())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"vectors-{digest.hexdigest()[:16]}.npy"
    progress = path.with_suffix(".json")
    done = json.loads(progress.read_text())["done"] if progress.exists() and path.exists() else 0
    mode = "r+" if done else "w+"
    table = np.lib.format.open_memmap(path, mode=mode, dtype=np.float16, shape=(len(texts), DIMENSION))
    for start in range(done, len(texts), _CHUNK):
        chunk = list(texts[start : start + _CHUNK])
        table[start : start + len(chunk)] = encoder.encode(chunk)
        table.flush()
        progress.write_text(json.dumps({"done": start + len(chunk)}))
        log.info("texts_encoded", done=start + len(chunk), of=len(texts))
    return np.asarray(table, np.float32)


class KnownVectors:
    """An encoder that only looks up vectors computed before."""

    def __init__(self, texts: Sequence[str], vectors: Vectors) -> None:
        self._row = {text: index for index, text in enumerate(texts)}
        self._vectors = vectors

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One unit vector per text; ``KeyError`` names a text that was not computed."""
        return self._vectors[[self._row[text] for text in texts]]
