"""The blender: every subset of members, thin catalogues, ranges that hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from framework.deals import Estimate, MemberEstimate, Similar
from framework.errors import ArtifactError, EstimatorUnavailable, TrainingError
from models.artifact import write_artifact
from models.blender import Blender, Unpriced, read_context, subsets_of
from models.train.blender import (
    Answers,
    PricedItem,
    ask,
    cross_fit,
    estimates_from,
    fit_blender,
    priced_calls,
    quarter_of,
    train_blender,
)

MEMBERS = ("frontier", "random_forest", "specialist")


def answers(items: int = 2_000, seed: int = 0, nearest: float | None = None) -> Answers:
    """Members with errors of known size; retrieval is sharp where the nearest neighbour is near."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(4.2, 1.1, items)
    near = np.full(items, nearest) if nearest is not None else rng.uniform(0.4, 1.0, items)
    error = {"specialist": 0.5, "random_forest": 0.8, "frontier": np.where(near > 0.9, 0.1, 1.5)}
    logs = {name: truth + rng.normal(0, 1, items) * size for name, size in error.items()}
    context = {
        "nearest": near,
        "overlap": near - 0.2,
        "support": near - 0.2,
        "disagreement": np.full(items, 0.5),
        "doubt": np.full(items, 0.5),
        "prose": (rng.random(items) < 0.3).astype(float),
    }
    quarter = rng.integers(0, 4, items)
    return Answers(logs, context, truth, quarter & 1, quarter >> 1, np.ones(items))


@pytest.fixture(scope="module")
def blender() -> Blender:
    return Blender(model=fit_blender(answers())[0])


def said(member: str, value: float | None, nearest: float = 0.6) -> MemberEstimate:
    if value is None:
        return MemberEstimate(member=member, failure="down")
    similar = (
        Similar.model_validate(
            {"description": "a thing" if nearest > 0.9 else "b", "price": value, "similarity": nearest}
        ),
    )
    return MemberEstimate(member=member, value=value, similar=similar if member == "frontier" else ())


def test_every_subset_of_members_has_an_answer(blender: Blender) -> None:
    for subset in subsets_of(MEMBERS):
        by_member = {name: [said(name, 100.0 if name in subset else None)] for name in MEMBERS}
        [estimate] = blender.combine(["a thing"], by_member)
        assert isinstance(estimate, Estimate)
        assert 40 < float(estimate.value) < 250
        assert float(estimate.low) <= float(estimate.value) <= float(estimate.high)
        assert set(estimate.failures) == set(MEMBERS) - set(subset)
        assert {name for name, value in estimate.members.items() if value} == set(subset)


def test_a_member_that_is_down_is_left_out_of_the_map(blender: Blender) -> None:
    [estimate] = blender.combine(["a thing"], {"specialist": [said("specialist", 50.0)]})
    assert isinstance(estimate, Estimate)
    assert estimate.members == {"specialist": 50.0}


def test_an_unknown_member_beside_known_ones_does_not_stop_the_blend(blender: Blender) -> None:
    [estimate] = blender.combine(["x y"], {"specialist": [said("specialist", 50)], "oracle": [said("oracle", 9)]})
    assert isinstance(estimate, Estimate)


def test_where_no_member_has_a_value_there_is_a_reason_and_no_number(blender: Blender) -> None:
    [unpriced] = blender.combine(["a thing"], {"specialist": [said("specialist", None)]})
    assert unpriced == Unpriced(reason="No member could price it: down", failures={"specialist": "down"})
    [nobody] = blender.combine(["a thing"], {})
    assert isinstance(nobody, Unpriced)


def test_a_near_neighbour_moves_the_blend_more_than_a_far_one(blender: Blender) -> None:
    def value(nearest: float) -> float:
        by_member = {
            "frontier": [said("frontier", 400.0, nearest)],
            "specialist": [said("specialist", 100.0)],
            "random_forest": [said("random_forest", 100.0)],
        }
        [estimate] = blender.combine(["a thing"], by_member)
        assert isinstance(estimate, Estimate)
        return float(estimate.value)

    assert value(0.98) > 1.2 * value(0.5)


def test_the_blend_beats_its_best_member_and_a_thin_catalogue_does_no_harm() -> None:
    rich, thin = answers(), answers(seed=1, nearest=0.5)
    for part in (rich, thin):
        blend = np.sqrt(np.mean((cross_fit(part, MEMBERS).mean - part.truth) ** 2))
        without = np.sqrt(np.mean((cross_fit(part, MEMBERS[1:]).mean - part.truth) ** 2))
        best = min(np.sqrt(np.mean((part.logs[name] - part.truth) ** 2)) for name in MEMBERS)
        assert blend < best
        assert blend < without * 1.01


def test_ranges_hold_on_unseen_items_for_every_subset() -> None:
    model, _ = fit_blender(answers(4_000))
    unseen = answers(4_000, seed=9)
    for subset in subsets_of(MEMBERS):
        part = Answers(
            {name: unseen.logs[name] for name in subset},
            unseen.context,
            unseen.truth,
            unseen.half,
            unseen.quarter,
            unseen.weight,
        )
        inside = [
            float(item.low) <= price <= float(item.high)
            for item, price in zip(estimates_from(model, part), np.exp(unseen.truth), strict=True)
            if item is not None
        ]
        assert np.mean(inside) == pytest.approx(0.8, abs=0.03)


def test_ranges_are_wider_where_members_disagree(blender: Blender) -> None:
    def width(other: float) -> float:
        by_member = {"specialist": [said("specialist", 100)], "random_forest": [said("random_forest", other)]}
        [estimate] = blender.combine(["a thing"], by_member)
        assert isinstance(estimate, Estimate)
        return float(estimate.high / estimate.low)

    rng = np.random.default_rng(3)
    base = answers(3_000, seed=4)
    noise = rng.choice([0.1, 1.2], 3_000)
    logs = {"specialist": base.truth + noise * rng.normal(size=3_000), "random_forest": base.truth + 0}
    logs["random_forest"] = base.truth + noise * rng.normal(size=3_000)
    part = Answers(logs, base.context, base.truth, base.half, base.quarter, base.weight)
    blender = Blender(model=fit_blender(part)[0])
    assert width(400) > 1.3 * width(105)


def test_a_member_with_gaps_still_gets_coefficients() -> None:
    part = answers()
    part.logs["frontier"][::2] = np.nan
    model, _ = fit_blender(part)
    assert len(model.subsets) == 7
    assert all(item is not None for item in estimates_from(model, part))


class Noisy:
    """Says the price that stands in the text, with an error; refuses texts with "?"."""

    def __init__(self, name: str, factor: float, down: bool = False) -> None:
        self.name, self.factor, self.down, self.asked = name, factor, down, 0

    def estimate(self, descriptions: Sequence[str]) -> list[MemberEstimate]:
        if self.down:
            raise EstimatorUnavailable(self.name, "no network")
        self.asked += len(descriptions)
        return [
            MemberEstimate(member=self.name, failure="unclear")
            if "?" in text
            else MemberEstimate(member=self.name, value=self.factor * float(text.split()[-1]))
            for text in descriptions
        ]


def items(count: int) -> list[PricedItem]:
    rng = np.random.default_rng(0)
    prices = np.exp(rng.normal(4, 1, count)).round(2)
    return [PricedItem(description=f"thing {n} {price}", price=price, group=f"g{n}") for n, price in enumerate(prices)]


def test_the_owner_can_refit_for_own_members_knowing_the_cost(tmp_path: Path) -> None:
    members = [Noisy("oracle", 1.5), Noisy("modal", 0.5)]
    assert priced_calls(members, items(200)) == {"oracle": 200, "modal": 200}
    train_blender(members, items(200), folder=tmp_path)
    assert [member.asked for member in members] == [200, 200]
    by_member = {member.name: member.estimate(["a thing 80"]) for member in members}
    [estimate] = Blender(tmp_path).combine(["a thing 80"], by_member)
    assert isinstance(estimate, Estimate)
    assert float(estimate.value) == pytest.approx(80, rel=0.1)


def test_a_member_that_is_down_has_no_answers_and_the_fit_goes_on() -> None:
    said = ask(
        [Noisy("oracle", 1.0), Noisy("modal", 1.0, down=True)], [*items(5), PricedItem(description="? 5", price=5)]
    )
    assert np.isnan(said.logs["modal"]).all()
    assert np.isfinite(said.logs["oracle"]).tolist() == [True] * 5 + [False]


def test_too_few_items_and_silent_members_are_training_errors(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="too few"):
        train_blender([Noisy("oracle", 1.0)], items(10), folder=tmp_path)
    with pytest.raises(TrainingError, match="No member answered"):
        train_blender([Noisy("oracle", 1.0, down=True)], items(100), folder=tmp_path)


def test_a_damaged_artifact_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError):
        _ = Blender(tmp_path).model
    write_artifact("blender", b'{"subsets": 3}', suffix=".coefficients.json", folder=tmp_path)
    with pytest.raises(ArtifactError, match="train it again"):
        _ = Blender(tmp_path).model


def test_the_shipped_blender_knows_every_subset_of_the_members() -> None:
    fitted = {subset.members for subset in Blender().model.subsets}
    assert fitted == set(subsets_of(MEMBERS))


def test_texts_of_fields_are_told_from_prose() -> None:
    texts = [
        "Kingston Fury RAM\nSpeed: DDR5-6000. Modules: 2 x 16GB. Color: Black",
        "Comfortable shoes with a plush feel. They pair with a variety of looks: day and night.",
    ]
    assert read_context(texts, [(), ()], {})["prose"].tolist() == [0.0, 1.0]


def test_items_of_a_group_share_their_quarter() -> None:
    assert quarter_of("pc-keyboard") == quarter_of("pc-keyboard")
    counts = np.bincount([quarter_of(f"group {n}") for n in range(2_000)])
    assert counts.min() > 400
