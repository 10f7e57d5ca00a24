"""The specialist as a GGUF file: a fine-tuned language model that llama.cpp runs in this process."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from framework.deals import MemberEstimate
from framework.errors import ArtifactError, EstimatorUnavailable, TrainingError
from models.data.prompts import prompt
from models.specialist.token_prices import PriceBelief, PriceTokens

_log = structlog.get_logger(__name__)

MAX_TOKENS_KEY = "dealhound.max_tokens"
MAX_TOKENS = 180  # of a description, where the file does not say
CONTEXT = 512  # tokens of a whole question: the longest description trained on and what stands around it


class LlamaCppSpecialist:
    """Prices products by the probabilities of the token that follows "Price is $".

    The file is loaded at the first call. Raises ``ArtifactError`` there when it is missing or is no model that can say
    prices, ``EstimatorUnavailable`` without llama-cpp-python.
    """

    name = "specialist"

    def __init__(self, path: Path, *, threads: int = 0) -> None:
        """``threads`` 0 means the processors this process may use."""
        self._path = path
        self._threads = threads or len(os.sched_getaffinity(0))
        self._lock = threading.Lock()
        self._model: _Model | None = None

    def estimate(self, descriptions: Sequence[str]) -> list[MemberEstimate]:
        """Today's worth of each description in US dollars with an 80% range; one without any text fails."""
        return [self._estimate(text) for text in descriptions]

    def _estimate(self, text: str) -> MemberEstimate:
        if not text.strip():
            return MemberEstimate(member=self.name, failure="no text")
        with self._lock:
            belief = self._loaded().belief(text)
        return MemberEstimate(member=self.name, value=belief.value, low=belief.low, high=belief.high)

    def _loaded(self) -> _Model:
        if self._model is None:
            if not self._path.is_file():
                fix = "There is no such GGUF file; run ./dealhound specialist export --gguf, or set specialist_gguf"
                raise ArtifactError(str(self._path), fix)
            self._model = _Model(self._path, self._threads)
            _log.info("specialist_loaded", file=self._path.name, size_mb=round(self._path.stat().st_size / 1e6, 1))
        return self._model

    def close(self) -> None:
        """Free the model's memory."""
        with self._lock:
            if self._model is not None:
                self._model.close()
                self._model = None


class _Model:
    """The loaded model. Not thread-safe."""

    def __init__(self, path: Path, threads: int) -> None:
        try:
            from llama_cpp import Llama

            self._llama: Any = Llama(
                str(path), n_ctx=CONTEXT, n_batch=CONTEXT, n_threads=threads, n_threads_batch=threads, verbose=False
            )
            self._max_tokens = int(self._llama.metadata.get(MAX_TOKENS_KEY, MAX_TOKENS))
        except ImportError as error:
            fix = "llama-cpp-python is not installed: run ./dealhound setup local"
            raise EstimatorUnavailable("specialist", fix) from error
        except (ValueError, OSError, RuntimeError, AssertionError) as error:
            raise ArtifactError(str(path), "The GGUF file cannot be loaded; is it whole?") from error
        try:
            self._prices = PriceTokens.find(self._tokens, path.name)
        except TrainingError as error:
            raise ArtifactError(str(path), str(error)) from error

    def belief(self, text: str) -> PriceBelief:
        """What the model believes of one description."""
        tokens = self._tokens(text)
        if len(tokens) > self._max_tokens:
            kept: bytes = self._llama.detokenize(tokens[: self._max_tokens])
            text = kept.decode("utf-8", "ignore")
        # add_bos: as the file says that the model was trained. Control tokens in the text stay plain text.
        question = self._llama.tokenize(prompt(text).encode("utf-8", "replace"), add_bos=True, special=False)
        self._llama.reset()
        self._llama.eval(question)
        pointer = self._llama._ctx.get_logits_ith(-1)
        return self._prices.belief(np.ctypeslib.as_array(pointer, shape=(self._llama.n_vocab(),)))

    def _tokens(self, text: str) -> list[int]:
        tokens: list[int] = self._llama.tokenize(text.encode("utf-8", "replace"), add_bos=False, special=False)
        return tokens

    def close(self) -> None:
        self._llama.close()
