"""Rebuild the shipped encoder, catalogue vectors, attention, forest and blender: a step of making a release.

    python -m models.train PRODUCTS.jsonl[.gz] [--encoder] [--vectors] [--attention] [--forest] [--artifacts DIR]

Without flags only the blender (with its ranges) is refitted: run it whenever the specialist or the catalogue changed.
The products' vectors are computed once and kept in ``runs/``; after that a refit takes a minute or two.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from models.artifact import SHIPPED
from models.encoder import Encoder
from models.shipped import embed_shipped
from models.specialist import Specialist
from models.train.members import load_corpus, train_attention_on, train_blender_on, train_forest_on


def main() -> None:
    """Parse the arguments and train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("products", type=Path)
    parser.add_argument("--encoder", action="store_true", help="make the encoder first (train the specialist after it)")
    parser.add_argument("--attention", action="store_true", help="learn the weights of neighbours first")
    parser.add_argument("--forest", action="store_true", help="train the random forest first")
    parser.add_argument("--vectors", action="store_true", help="encode the shipped catalogue first")
    parser.add_argument("--artifacts", type=Path, default=SHIPPED)
    args = parser.parse_args()
    if args.encoder:
        from models.train.encoder import export_encoder

        export_encoder(args.products, args.artifacts)
    if args.vectors:
        embed_shipped(Encoder(args.artifacts), args.artifacts)
    corpus = load_corpus(args.products, artifacts=args.artifacts)
    if args.attention:
        train_attention_on(corpus, artifacts=args.artifacts)
    if args.forest:
        train_forest_on(corpus, artifacts=args.artifacts)
    train_blender_on(corpus, Specialist(Encoder(args.artifacts), args.artifacts), artifacts=args.artifacts)


if __name__ == "__main__":
    main()
