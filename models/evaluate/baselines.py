"""Baselines beside the ensemble, as a course on price prediction would try them: from one number to kernel machines.

Each takes the training texts and log prices and returns a function from texts to log prices. All read text only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Predictor = Callable[[Sequence[str]], Floats]

_SVR_ROWS = 10_000  # a linear SVR beyond this costs minutes and gains little
_VECTOR_SIZE = 100


def constant(texts: Sequence[str], logs: Floats) -> Predictor:
    """Always the mean price: the yardstick of every ratio."""
    value = float(np.log(np.exp(logs).mean()))
    return lambda new: np.full(len(new), value)


def bag_of_words(texts: Sequence[str], logs: Floats) -> Predictor:
    """Counts of the 1,000 most frequent words, ordinary linear regression."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline

    return _fitted(make_pipeline(CountVectorizer(max_features=1_000, stop_words="english"), Ridge(1e-3)), texts, logs)


def word_vectors(texts: Sequence[str], logs: Floats) -> Predictor:
    """Averaged word vectors (latent semantic analysis of word counts) and linear regression."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline

    words = TfidfVectorizer(max_features=20_000, sublinear_tf=True)
    vectors = TruncatedSVD(_VECTOR_SIZE, n_iter=3, random_state=0)
    return _fitted(make_pipeline(words, vectors, Ridge(1e-3)), texts, logs)


def tfidf_ridge(texts: Sequence[str], logs: Floats) -> Predictor:
    """TF-IDF of words and word pairs, ridge regression: hard to beat for its price."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline

    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, max_features=200_000, sublinear_tf=True, dtype=np.float32)
    return _fitted(make_pipeline(words, Ridge(1.0, solver="sparse_cg", tol=1e-3)), texts, logs)


def support_vectors(texts: Sequence[str], logs: Floats) -> Predictor:
    """A linear support vector regression on TF-IDF, on a part of the training texts."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVR

    rows = np.random.default_rng(0).permutation(len(texts))[:_SVR_ROWS]
    model = make_pipeline(TfidfVectorizer(min_df=2, sublinear_tf=True), LinearSVR(C=0.5, random_state=0))
    return _fitted(model, [texts[row] for row in rows], logs[rows])


BASELINES: dict[str, Callable[[Sequence[str], Floats], Predictor]] = {
    "constant": constant,
    "bag of words": bag_of_words,
    "word vectors": word_vectors,
    "SVR": support_vectors,
    "TF-IDF ridge": tfidf_ridge,
}


def _fitted(model: Any, texts: Sequence[str], logs: Floats) -> Predictor:
    model.fit(texts, logs)
    low, high = float(logs.min()), float(logs.max())
    return lambda new: np.asarray(np.clip(model.predict(new), low, high), np.float64)
