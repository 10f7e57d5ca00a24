"""The random forest member: trees over the encoder's vector, run as ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from framework.deals import MemberEstimate
from models.artifact import SHIPPED, read_artifact
from models.knn import Encodes
from models.session import open_session
from models.text import clean, why_unusable

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


class RandomForest:
    """Prices a product by a forest trained on log price (``models/train/forest.py``)."""

    name = "random_forest"

    def __init__(self, encoder: Encodes, folder: Path = SHIPPED) -> None:
        self._encoder = encoder
        self._folder = folder

    @cached_property
    def _session(self) -> InferenceSession:
        content, _ = read_artifact("forest", self._folder)
        return open_session(content, str(self._folder / "forest.onnx"))

    def estimate(self, descriptions: Sequence[str]) -> list[MemberEstimate]:
        """One estimate per description; a failure where the text is unusable.

        Raises ``ArtifactError`` when the forest or the encoder is missing or damaged.
        """
        if not descriptions:
            return []
        texts = [clean(text) for text in descriptions]
        logs = self._session.run(None, {"vectors": self._encoder.encode(texts)})[0].ravel()
        return [self._one(text, float(value)) for text, value in zip(texts, logs, strict=True)]

    def _one(self, text: str, log_price: float) -> MemberEstimate:
        failure = why_unusable(text)
        if failure is not None:
            return MemberEstimate(member=self.name, failure=failure)
        return MemberEstimate(member=self.name, value=float(np.exp(log_price)))
