"""Train the members and the blender from one file of products: what ``./dealhound train`` runs.

``train`` products teach the forest and fill the catalogues; ``dev`` products, which no member saw, fit the blender.
The blender sees retrieval at work in four catalogues (all of ``train``, a tenth, a hundredth, the shipped one), so that
it learns when to leave retrieval out.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import structlog

from models.artifact import SHIPPED, Manifest
from models.attention import Attention
from models.base import Estimator
from models.catalogue import CatalogueItem
from models.data.products import Product, file_sha256, load_products
from models.encoder import Encoder, Vectors
from models.exact import ExactIndex
from models.knn import RetrievalEstimator
from models.random_forest import RandomForest
from models.shipped import load_shipped
from models.text import clean
from models.train.blender import Answers, PricedItem, ask, fit_blender, join, save_blender, weighted
from models.train.forest import ForestSettings, train_forest
from models.train.vectors import KnownVectors, cached_vectors

log = structlog.get_logger("train.members")

CACHE = Path("runs")
# Catalogue sizes as shares of the training products, and the weight of each in the fit.
CATALOGUES: dict[str, float] = {"full": 0.6, "tenth": 0.15, "hundredth": 0.3, "shipped": 0.1}
_SHARES = {"full": 1.0, "tenth": 0.1, "hundredth": 0.01}


@dataclass(frozen=True, slots=True)
class Corpus:
    """The products of a file with their vectors."""

    products: list[Product]
    texts: list[str]
    vectors: Vectors
    sha256: str

    def of(self, split: str) -> list[int]:
        """Positions of the products of a split."""
        return [index for index, product in enumerate(self.products) if product.split == split]

    def encoder(self) -> KnownVectors:
        """An encoder that knows these texts."""
        return KnownVectors(self.texts, self.vectors)


def load_corpus(path: Path, *, artifacts: Path = SHIPPED, cache: Path = CACHE) -> Corpus:
    """Read the products and encode them (once; the vectors are kept in ``cache``)."""
    products = load_products(path)
    texts = [clean(product.text) for product in products]
    vectors = cached_vectors(texts, Encoder(artifacts, cache_size=0), cache, artifacts)
    return Corpus(products, texts, vectors, file_sha256(path))


def row_weight(product: Product) -> float:
    """How much a product counts in training: shop prose of recent years three times, old benchmarks a third."""
    if product.core:
        return 3.0
    return 0.3 if product.vintage < 2015 else 1.0


def train_forest_on(corpus: Corpus, *, settings: ForestSettings | None = None, artifacts: Path = SHIPPED) -> Manifest:
    """Train the forest on the ``train`` products."""
    rows = corpus.of("train")
    logs = np.log([corpus.products[row].price for row in rows])
    weights = np.array([row_weight(corpus.products[row]) for row in rows])
    return train_forest(
        corpus.vectors[rows], logs, weights, settings=settings, folder=artifacts, data_sha256=corpus.sha256
    )


def train_attention_on(corpus: Corpus, *, artifacts: Path = SHIPPED) -> Manifest:
    """Learn how neighbours are weighted on the ``train`` products."""
    from models.train.attention import train_attention

    rows = corpus.of("train")
    products = [corpus.products[row] for row in rows]
    weights = np.array([row_weight(product) for product in products])
    return train_attention(
        products, catalogue_items(products), corpus.vectors[rows], weights, folder=artifacts, data_sha256=corpus.sha256
    )


def catalogue_items(products: Sequence[Product]) -> list[CatalogueItem]:
    """Products as catalogue items."""
    return [
        CatalogueItem(id=p.id, description=clean(p.text), price=p.price, category=p.category, as_of=p.vintage)
        for p in products
    ]


def indexes(corpus: Corpus, artifacts: Path = SHIPPED) -> dict[str, ExactIndex]:
    """The catalogues that the blender is fitted with, by name."""
    rows = corpus.of("train")
    groups = sorted({corpus.products[row].group for row in rows})
    random.Random(5).shuffle(groups)  # noqa: S311 - a seeded draw, no secret
    rank = {group: index / len(groups) for index, group in enumerate(groups)}
    made: dict[str, ExactIndex] = {}
    for name, share in _SHARES.items():
        kept = [row for row in rows if rank[corpus.products[row].group] < share]
        made[name] = ExactIndex(catalogue_items([corpus.products[row] for row in kept]), corpus.vectors[kept])
    shipped = load_shipped(artifacts)
    vectors = shipped.vectors
    if vectors is None:
        vectors = Encoder(artifacts).encode([item.description for item in shipped.items])
    made["shipped"] = ExactIndex(shipped.items, vectors)
    return made


def gather_answers(
    corpus: Corpus, specialist: Estimator | None, *, artifacts: Path = SHIPPED
) -> tuple[dict[str, Answers], list[Product]]:
    """What every member says of the ``dev`` products, by catalogue."""
    rows = corpus.of("dev")
    products = [corpus.products[row] for row in rows]
    items = [
        PricedItem(description=corpus.texts[row], price=p.price, group=p.group)
        for row, p in zip(rows, products, strict=True)
    ]
    encoder = corpus.encoder()
    steady: list[Estimator] = [RandomForest(encoder, artifacts)]
    if specialist is not None:
        steady.append(specialist)
    base = ask(steady, items)
    answers: dict[str, Answers] = {}
    for name, index in indexes(corpus, artifacts).items():
        found = ask([RetrievalEstimator(index, encoder, Attention(artifacts))], items)
        logs = {**base.logs, **found.logs}
        context = {**found.context, "doubt": base.context["doubt"]}
        answers[name] = replace(found, logs=logs, context=context)
        log.info("answers_gathered", catalogue=name, items=len(items))
    return answers, products


def train_blender_on(corpus: Corpus, specialist: Estimator | None, *, artifacts: Path = SHIPPED) -> Manifest:
    """Fit the blender on the ``dev`` products over all catalogues, and write it."""
    answers, products = gather_answers(corpus, specialist, artifacts=artifacts)
    joined = join([weighted(answers[name], share) for name, share in CATALOGUES.items()])
    model, metrics = fit_blender(joined)
    return save_blender(model, metrics, len(products), artifacts, corpus.sha256)
