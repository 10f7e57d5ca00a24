"""Products as what the fine-tuning reads: a prompt that ends in "Price is $", and the price as its completion."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset

from framework.errors import TrainingError
from models.data.products import Product, load_products
from models.data.prompts import LEAST_PRICE, MOST_PRICE, completion, prompt
from models.train.qlora.base import clip


def load_splits(data: Path) -> tuple[list[Product], list[Product]]:
    """Products to train on and to measure by; without a ``dev`` split, each tenth product line is set aside.

    Products whose price has no token are left out. Raises ``TrainingError`` when either part is empty.
    """
    products = [product for product in load_products(data) if LEAST_PRICE <= product.price <= MOST_PRICE]
    dev = [product for product in products if product.split == "dev"]
    train = [product for product in products if product.split == "train"]
    if not dev:
        dev = [product for product in train if _tenth(product.group)]
        train = [product for product in train if not _tenth(product.group)]
    if not train or not dev:
        raise TrainingError(f"{data} holds {len(train)} products to train on and {len(dev)} to measure by; give more")
    return train, dev


def as_dataset(products: Sequence[Product], tokenizer: Any, max_tokens: int) -> Dataset:
    """The products as the columns ``prompt`` and ``completion``."""
    texts = clip(tokenizer, [product.text for product in products], max_tokens)
    columns = {
        "prompt": [prompt(text) for text in texts],
        "completion": [completion(product.price) for product in products],
    }
    return Dataset.from_dict(columns)


def _tenth(group: str) -> bool:
    """The same tenth of the product lines on every machine."""
    return hashlib.blake2b(group.encode("utf-8", "replace"), digest_size=2).digest()[0] % 10 == 0
