"""Evaluation: figures, the replay of offers, the page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from framework.deals import MemberEstimate
from framework.errors import TrainingError
from framework.judge import JudgeRule
from models.blender import Blender
from models.data.products import Product
from models.evaluate.baselines import BASELINES
from models.evaluate.metrics import accuracy, coverage, reliability
from models.evaluate.replay import draw_offers, judge_all, score
from models.evaluate.report import text_table, write_html
from models.evaluate.run import evaluate_file
from models.train.blender import PricedItem, ask, fit_blender
from models.valuation import Valuer


def product(n: int, price: float) -> Product:
    title = f"{'steel' if price > 50 else 'paper'} thing number {n} <b>& co</b>"
    return Product(f"p{n}", title, "", price, "prose", 2023, f"g{n}", "dev", f"Things: {n % 3}")


def products(count: int) -> list[Product]:
    rng = np.random.default_rng(0)
    return [product(n, float(price)) for n, price in enumerate(np.exp(rng.normal(4.2, 1, count)).round(2))]


class Knowing:
    """Knows the products' prices and says them with an error of known size."""

    def __init__(self, name: str, known: Sequence[Product], error: float, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.name = name
        self._said = {p.text: p.price * float(np.exp(rng.normal(0, error))) for p in known}

    def estimate(self, descriptions: Sequence[str]) -> list[MemberEstimate]:
        return [MemberEstimate(member=self.name, value=self._said[text]) for text in descriptions]


def write_jsonl(path: Path, rows: Sequence[Product]) -> Path:
    fields = ("id", "title", "description", "price", "group", "split", "category")
    lines = [{**{name: getattr(p, name) for name in fields}, "desc_kind": p.kind, "vintage": p.vintage} for p in rows]
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return path


def test_accuracy_is_in_dollars_and_leaves_out_what_has_no_value() -> None:
    said, truth = np.array([110.0, np.nan, 10.0, 500.0]), np.array([100.0, 50.0, 10.0, 1000.0])
    row = accuracy(said, truth, constant=100.0)
    assert row["mae"] == pytest.approx(170)
    assert row["median_error"] == pytest.approx(10)
    assert row["ratio"] == pytest.approx(170 / 330)
    assert row["close"] == pytest.approx(2 / 3)
    assert row["answered"] == 0.75
    assert accuracy(np.array([np.nan]), np.array([1.0]), 1.0) == {"answered": 0.0}


def test_coverage_is_given_whole_and_by_fifth_of_price() -> None:
    truth = np.arange(1.0, 101.0)
    said = coverage(np.where(truth > 80, truth + 1, truth), truth + 2, truth)
    assert said["whole"] == pytest.approx(0.8)
    assert said["fifths"] == [1, 1, 1, 1, 0]


def test_reliability_sets_what_was_said_beside_what_happened() -> None:
    said = np.array([0.1] * 10 + [0.9] * 10)
    happened = np.array([False] * 9 + [True] + [True] * 9 + [False])
    groups = reliability(said, happened, groups=2)
    assert [(group["said"], group["happened"]) for group in groups] == [
        pytest.approx((0.1, 0.1)),
        pytest.approx((0.9, 0.9)),
    ]


def test_offers_are_drawn_by_the_protocol() -> None:
    offers = draw_offers(products(3_000), seed=4, repeat=2)
    discount = np.array([offer.discount for offer in offers])
    assert np.mean(discount < 0.1) == pytest.approx(0.7, abs=0.02)
    assert np.mean(discount >= 0.3) == pytest.approx(0.1, abs=0.02)
    claimed = [offer for offer in offers if offer.facts.list_price is not None]
    assert len(claimed) / len(offers) == pytest.approx(0.6, abs=0.02)
    dressed = [o for o in claimed if o.discount < 0.1 and float(o.facts.list_price.amount) > 1.45 * o.worth]
    assert len(dressed) / len([o for o in claimed if o.discount < 0.1]) == pytest.approx(0.3 * 0.55 / 0.7, abs=0.03)
    assert all(offer.facts.list_price is None for offer in draw_offers(products(50), claims=False))
    assert draw_offers(products(50), seed=4) == draw_offers(products(50), seed=4)


def test_a_good_estimator_gives_better_alerts_than_the_references_rule() -> None:
    known = products(900)
    answers = ask(
        [Knowing("specialist", known, 0.25, 1)], [PricedItem(description=p.text, price=p.price) for p in known]
    )
    blender = Blender(model=fit_blender(answers)[0])
    estimates = blender.combine(
        [p.text for p in known], {"specialist": Knowing("specialist", known, 0.25, 1).estimate([p.text for p in known])}
    )
    offers = draw_offers(known, repeat=2)
    valuer = Valuer(blender.shape)
    valuations = [valuer.value_deal(offer.facts, estimates[offer.product]) for offer in offers]
    rule = JudgeRule()
    result = score(judge_all(offers, valuations, rule), rule)
    assert result["judge"]["precision"] > result["reference"]["precision"] + 0.2
    assert result["judge"]["precision"] > 0.75
    precisions = {point["recall"]: point["precision"] for point in result["curve"]}
    assert precisions[0.1] >= precisions[0.5]
    for group in result["reliability"]:
        assert group["said"] == pytest.approx(group["happened"], abs=0.1)


def test_an_offer_that_could_not_be_valued_is_no_alert() -> None:
    offers = draw_offers(products(10))
    result = score(judge_all(offers, [None] * 10, JudgeRule()), JudgeRule())
    assert result["judge"] == {"alerts": 0, "precision": 0, "recall": 0}


def test_every_baseline_learns_from_text_and_beats_the_constant() -> None:
    known = products(400)
    texts, logs = [p.text for p in known], np.log([p.price for p in known])
    errors = {
        name: float(np.abs(fit(texts, logs)(texts) - logs).mean())
        for name, fit in BASELINES.items()
        if name != "word vectors"
    }
    worst = errors.pop("constant")
    assert set(errors) == {"bag of words", "SVR", "TF-IDF ridge"}
    assert all(error < worst for error in errors.values())


def test_a_file_is_evaluated_into_figures_a_table_and_a_page(tmp_path: Path) -> None:
    known = products(300)
    members = [Knowing("specialist", known, 0.3, 1), Knowing("random_forest", known, 0.6, 2)]
    answers = ask(members, [PricedItem(description=p.text, price=p.price, group=p.group) for p in known])
    blender = Blender(model=fit_blender(answers)[0])
    report = evaluate_file(write_jsonl(tmp_path / "p.jsonl", known), members, blender)
    whole = report["slices"]["whole"]["accuracy"]
    assert whole["blend"]["rmsle"] < whole["random_forest"]["rmsle"]
    assert report["products"] == 300
    assert json.loads(json.dumps(report)) is not None
    page = write_html(report)
    assert "<b>&" not in page
    assert 'src="http' not in page
    assert page.count("Plotly.newPlot") >= 7
    assert "alerts: precision" in text_table(report)


def test_a_file_with_a_handful_of_products_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="too few"):
        evaluate_file(write_jsonl(tmp_path / "p.jsonl", products(3)), [], Blender())
