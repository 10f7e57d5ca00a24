"""``train rehearse``: the whole way of the large specialist on a tiny random model, without a network or a GPU.

Data, training, evaluation, merging, GGUF, and the ensemble pricing a deal with the result: the same code that an owner
runs on a GPU with a real base model, in about a minute. The model has learnt nothing worth knowing.
"""

from __future__ import annotations

import resource
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from agents.assemble import Hound
from agents.commands import curation
from agents.commands.specialist import needs_extra
from framework.deals import Estimate
from framework.errors import TrainingError
from models.data.curate.write import PRODUCTS
from models.data.products import Product, load_products

DEAL = "Sony WH-1000XM5 wireless noise cancelling headphones, over-ear, 30 hours of battery, black"
SETTINGS: dict[str, Any] = {
    "r": 8,
    "alpha": 16,
    "dropout": 0.0,
    "batch": 16,
    "accumulate": 1,
    "learning_rate": 1e-2,
    "max_tokens": 48,
    "save_steps": 40,
    "dev_limit": 100,
}


def rehearse(hound: Hound, data: Path | None, limit: int) -> dict[str, Any]:
    """Run every step and say what each took. Raises ``SettingsError`` without the extras ``large`` and ``local``.

    ``data`` is a file of priced products, by default made-up ones are curated; ``limit`` is how many are drawn.
    """
    with needs_extra("large local"):
        import llama_cpp  # noqa: F401 - looked for before the long part, not after it
        import torch

        from models.train.qlora.merge import merge_adapter
        from models.train.qlora.settings import QloraSettings
        from models.train.qlora.tiny import make_tiny_base
        from models.train.qlora.training import train_qlora
    from models.train.gguf.export import export_gguf

    torch.set_num_threads(1)  # of so small a model the threads would mostly wait for each other
    folder = hound.settings.state / "rehearsal"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    steps = _Steps()
    products = steps.run("data", lambda: _curate(hound, folder / "data", data, limit))
    texts = [product.text for product in products]
    base = steps.run("base model", lambda: make_tiny_base(folder / "base", texts))
    trained = steps.run(
        "train and evaluate",
        lambda: train_qlora(
            folder / "data" / PRODUCTS,
            folder / "adapter",
            str(base),
            QloraSettings(**SETTINGS),
            work=folder / "checkpoints",
        ),
    )
    steps.run("merge", lambda: merge_adapter(folder / "adapter", folder / "merged"))
    steps.run("gguf", lambda: export_gguf(folder / "merged", folder / "specialist.gguf", "q8_0"))
    priced = steps.run("price a deal", lambda: _price(hound, folder))
    return {
        "folder": str(folder),
        "products": len(products),
        "steps": steps.done,
        "evaluation": trained.metrics,
        "deal": DEAL,
        **priced,
    }


class _Steps:
    """What was done, how long it took, and the most memory that the process had by then."""

    def __init__(self) -> None:
        self.done: list[dict[str, Any]] = []
        self._log = structlog.get_logger("dealhound").bind(agent="specialist")

    def run(self, name: str, step: Callable[[], Any]) -> Any:
        """Do a step and note it."""
        started = time.perf_counter()
        result = step()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        self.done.append({"step": name, "seconds": round(time.perf_counter() - started, 1), "peak_mb": peak})
        self._log.info("rehearsed", **self.done[-1])
        return result


def _curate(hound: Hound, out: Path, data: Path | None, limit: int) -> list[Product]:
    """Curated products to train on: made-up ones, or those of a file."""
    source: dict[str, Any] = {"files": [data]} if data else {"rehearsal": 2 * limit}
    curation.build(hound, out, **source, size=limit, workers=1)
    return load_products(out / PRODUCTS)


def _price(hound: Hound, folder: Path) -> dict[str, Any]:
    """A deal priced by the ensemble whose specialist is the GGUF file, in a home of the rehearsal's own."""
    wishes = {"home": folder / "home", "specialist": "llama_cpp", "specialist_gguf": folder / "specialist.gguf"}
    with Hound(hound.settings.model_copy(update=wishes)) as rehearsed:
        (estimate,) = rehearsed.ensemble.estimate([DEAL])
    if not isinstance(estimate, Estimate) or estimate.members.get("specialist") is None:
        raise TrainingError("The specialist that was made could not price a deal; see the log")
    return {"value": float(estimate.value), "members": estimate.members}
