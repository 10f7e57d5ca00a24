"""``train`` and ``evaluate``. What the owner trains goes to the state folder and is used instead of what is shipped."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import structlog

from agents.assemble import Hound
from framework.errors import SettingsError, TrainingError
from models.artifact import Manifest
from models.data.products import Product, load_products

BLENDER_ITEMS = 400  # priced items that a refit takes unless told otherwise: enough for eight coefficients
_TOKENS_PER_PRICE = (600, 60)  # in and out, of one frontier estimate with five comparables


def train_specialist(
    hound: Hound, data: Path, out: Path | None, size: Literal["tiny", "cpu", "gpu"], seed: int, resume: bool, warm: bool
) -> dict[str, Any]:
    """Fine-tune the bundled specialist. Raises ``SettingsError`` without the ``train`` extra."""
    try:
        from models.train.specialist import train_specialist as train
    except ImportError as error:
        raise SettingsError(f"Training needs {error.name}: run ./dealhound setup train") from error
    folder = out or hound.own_models
    log = structlog.get_logger("dealhound").bind(agent="specialist")
    manifest = train(
        data,
        folder,
        size=size,
        seed=seed,
        resume=resume,
        warm=warm,
        work=hound.settings.state / "training",
        on_progress=lambda report: log.info("training", progress=str(report)),
    )
    return {"folder": str(folder), **manifest.model_dump(mode="json")}


def train_forest(hound: Hound, data: Path, out: Path | None, seed: int) -> dict[str, Any]:
    """Train the random forest on the ``train`` products of a file."""
    from models.train.forest import ForestSettings
    from models.train.members import load_corpus, train_forest_on

    corpus = load_corpus(data, cache=hound.settings.state / "training")
    folder = out or hound.own_models
    return _trained(train_forest_on(corpus, settings=ForestSettings(seed=seed), artifacts=folder), folder)


def train_blender(
    hound: Hound, data: Path, out: Path | None, limit: int | None, agreed: Callable[[str], bool]
) -> dict[str, Any]:
    """Refit the blender to the owner's members, from priced items that none of them was trained on.

    ``agreed`` is asked first, with what it will cost, where members are paid by the call.
    """
    from models.train.blender import PricedItem
    from models.train.blender import train_blender as train

    products = _unseen(load_products(data), limit or BLENDER_ITEMS)
    items = [PricedItem(description=product.text, price=product.price, group=product.group) for product in products]
    paid = hound.paid_members()
    if paid and not agreed(_question(hound, paid, len(items))):
        raise TrainingError("Nothing was trained: the calls were not agreed to")
    folder = out or hound.own_models
    log = structlog.get_logger("dealhound").bind(agent="ensemble")
    manifest = train(
        [member.estimator for member in hound.members],
        items,
        folder=folder,
        progress=lambda done, total: log.info("asking the members", done=done, total=total),
    )
    return _trained(manifest, folder)


def _question(hound: Hound, paid: Sequence[str], items: int) -> str:
    """What is about to be asked of members that are paid by the call, and what it costs where that is known."""
    return f"This asks {' and '.join(paid)} for {items} prices{_cost(hound, items) if 'frontier' in paid else ''}"


def _cost(hound: Hound, items: int) -> str:
    """What that many frontier estimates cost, where the model's prices are known."""
    from framework.chat.factory import limits_of

    limits = limits_of(hound.settings)
    if hound.chat is None or limits.price_input is None or limits.price_output is None:
        return ""
    tokens_in, tokens_out = (items * tokens for tokens in _TOKENS_PER_PRICE)
    dollars = (tokens_in * limits.price_input + tokens_out * limits.price_output) / 1_000_000
    return f", about {tokens_in + tokens_out:,} tokens or ${dollars:.2f}"


def _unseen(products: Sequence[Product], limit: int) -> list[Product]:
    """At most ``limit`` products that no member was trained on (``dev`` where the file has splits), drawn by chance."""
    unseen = [product for product in products if product.split != "train"] or list(products)
    random.Random(1).shuffle(unseen)  # noqa: S311 - a seeded draw, no secret
    return unseen[:limit]


def _trained(manifest: Manifest, folder: Path) -> dict[str, Any]:
    return {"folder": str(folder), **manifest.model_dump(mode="json")}


def evaluate(
    hound: Hound,
    data: Path | None,
    names: Sequence[str],
    limit: int | None,
    html: Path | None,
    agreed: Callable[[str], bool],
) -> dict[str, Any]:
    """Accuracy, calibration and alert precision on priced products; kept for the dashboard.

    Without ``data`` the last report is given again: the owner's own, else the one that came with the release.
    ``agreed`` is asked first, with what it will cost, where members are paid by the call.
    """
    from models.evaluate.report import write_html

    report = _evaluate_on(hound, data, names, limit, agreed) if data else last_report(hound)
    if report is None:
        raise SettingsError("Nothing was evaluated yet: give --data with priced products, one JSON object a line")
    if html is not None:
        html.write_text(write_html(report), encoding="utf-8")
    return report


def last_report(hound: Hound) -> dict[str, Any] | None:
    """The report of the last evaluation, ``None`` where there is none."""
    from models.artifact import SHIPPED

    for file in (_report_file(hound), SHIPPED / "evaluation.json"):
        if file.exists():
            report: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            return report
    return None


def _report_file(hound: Hound) -> Path:
    return hound.settings.state / "evaluation.json"


def _evaluate_on(
    hound: Hound, data: Path, names: Sequence[str], limit: int | None, agreed: Callable[[str], bool]
) -> dict[str, Any]:
    from agents.specialists import BESIDE
    from models.evaluate.run import evaluate_file, split

    others = hound.specialists.others()
    chosen = [member.estimator for member in hound.members if not names or member.name in names]
    beside = [other for other in others if not names or other.name in names]
    known_names = [member.name for member in hound.members] + [other.name for other in others]
    unknown = set(names) - set(known_names)
    if unknown:
        known = ", ".join(known_names)
        raise SettingsError(f"No member is called {', '.join(sorted(unknown))}; there are: {known}")
    costly = {*hound.paid_members(), BESIDE.format(kind="modal")}
    paid = [estimator.name for estimator in (*chosen, *beside) if estimator.name in costly]
    if paid:
        _, test = split(load_products(data), limit)
        if not agreed(_question(hound, paid, len(test))):
            raise TrainingError("Nothing was evaluated: the calls were not agreed to; --models leaves members out")
    log = structlog.get_logger("dealhound").bind(agent="ensemble")
    report = evaluate_file(
        data,
        chosen,
        hound.blender,
        rule=hound.rule,
        baselines=True,
        beside=beside,
        limit=limit,
        progress=lambda done, total: log.info("pricing", done=done, total=total),
    )
    _report_file(hound).parent.mkdir(parents=True, exist_ok=True)
    _report_file(hound).write_text(json.dumps(report), encoding="utf-8")
    return dict(report)
