"""A fine-tuned specialist of a few hundred thousand weights, made once and shared by the tests that need one."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

BASE_PRICES = {"kettle": 30, "laptop": 900, "cable": 8, "monitor": 220}
MAX_TOKENS = 32


@dataclass(frozen=True)
class Tuned:
    """What a fine-tuning in small left behind. ``reports`` are its log lines."""

    data: Path
    base: Path
    adapter: Path
    work: Path
    merged: Path
    settings: Any
    manifest: Any
    reports: list[dict[str, float]]


def write_products(path: Path, count: int = 240) -> Path:
    """Made-up products of four kinds, each with a price of its own."""
    draw = random.Random(1)
    kinds = list(BASE_PRICES)
    with path.open("w") as file:
        for index in range(count):
            kind = kinds[index % len(kinds)]
            row = {"id": str(index), "title": f"{draw.choice(['red', 'blue', 'black'])} {kind} {draw.randrange(100)}"}
            row["price"] = BASE_PRICES[kind] * draw.uniform(0.95, 1.05)  # type: ignore[assignment]
            file.write(json.dumps({**row, "split": "dev" if index % 5 == 0 else "train"}) + "\n")
    return path


@pytest.fixture(scope="session")
def one_thread() -> Iterator[None]:
    """Of so small a model the threads would mostly wait for each other."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tuned(tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> Tuned:
    """Tiny base, 40 steps of training with a checkpoint after 20, adapter, merged model."""
    pytest.importorskip("trl")
    pytest.importorskip("peft")
    from models.data.products import load_products
    from models.train.qlora.merge import merge_adapter
    from models.train.qlora.settings import QloraSettings
    from models.train.qlora.tiny import make_tiny_base
    from models.train.qlora.training import train_qlora

    folder = tmp_path_factory.mktemp("tuned")
    data = write_products(folder / "products.jsonl")
    base = make_tiny_base(folder / "base", [product.text for product in load_products(data)])
    settings = QloraSettings(
        r=8,
        alpha=16,
        dropout=0,
        batch=16,
        accumulate=1,
        learning_rate=1e-2,
        max_steps=40,
        save_steps=20,
        max_tokens=MAX_TOKENS,
        dev_limit=16,
    )
    reports: list[dict[str, float]] = []
    manifest = train_qlora(
        data, folder / "adapter", str(base), settings, work=folder / "work", on_progress=reports.append
    )
    merge_adapter(folder / "adapter", folder / "merged")
    return Tuned(data, base, folder / "adapter", folder / "work", folder / "merged", settings, manifest, reports)


@pytest.fixture(scope="session")
def pricer(tuned: Tuned) -> Any:
    """The merged model in transformers."""
    from transformers import AutoModelForCausalLM

    from models.train.qlora.base import load_tokenizer
    from models.train.qlora.pricer import TransformersPricer

    tokenizer, prices = load_tokenizer(str(tuned.merged))
    model = AutoModelForCausalLM.from_pretrained(str(tuned.merged))
    return TransformersPricer(model, tokenizer, prices, max_tokens=MAX_TOKENS)


TEXTS = ["red kettle 12", "black laptop 77", "blue cable", "monitor é 4k " * 30, "Ünïcode ☃ $99 <|end_of_text|> 1,299"]
