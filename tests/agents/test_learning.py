"""Learning from votes: computed from them alone, said once, applied visibly, and taken back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli
from agents.learning import Learner
from agents.messaging.notices import Notices
from framework.deals import Condition, Deal, Entry, Reading, ReadingVerdict
from framework.feedback import Met, Trait, suggest_ignored, traits
from framework.judge import JudgeRule
from framework.memory.feedback import Vote
from framework.memory.store import Store
from framework.money import Money
from tests.framework.memory_examples import FEED, START, FixedClock, fresh_url, judgement, poll, valuation


def surface(store: Store, number: int, probability: float = 0.93, **facts: object) -> str:
    """An opportunity of the given merchant, brand, condition or categories; its id."""
    categories = facts.pop("categories", ())
    entry = Entry(id=f"e{number}", feed_url=FEED, title=f"Thing {number}", categories=categories)
    deal = Deal(entry_id=entry.id, title=entry.title, description="A thing", price=Money.of(20), **facts)
    store.record_poll(poll(entry))
    reading = Reading(entry=entry, verdict=ReadingVerdict.DEAL, deal=deal)
    store.record_reading(reading, product_key=entry.id)
    judged = judgement().model_copy(update={"probability": probability})
    opportunity = store.record_judgement(deal, valuation(), judged)
    assert opportunity is not None
    return opportunity.id


def vote_many(store: Store, *words: tuple[float, Vote]) -> list[str]:
    ids = [surface(store, number, probability) for number, (probability, _) in enumerate(words)]
    for identity, (_, word) in zip(ids, words, strict=True):
        store.vote(identity, word, via="dashboard")
    return ids


def test_the_threshold_follows_the_wish_and_the_rule_says_so(store: Store) -> None:
    learner = Learner(store, 0.8)
    assert learner.rule(JudgeRule()) == JudgeRule()
    ids = vote_many(store, *[(0.9, Vote.GOOD)] * 6, (0.85, Vote.BOUGHT), *[(0.6, Vote.BAD)] * 5)
    rule = learner.rule(JudgeRule())
    assert rule.min_probability == 0.85
    assert "learnt from your votes for 80% good alerts" in rule.origin
    for identity in ids[7:]:
        store.vote(identity, Vote.UNDO, via="cli")
    assert learner.rule(JudgeRule()) == JudgeRule()  # taking votes back takes back what they taught


def test_without_a_wish_and_below_the_owners_own_threshold_nothing_is_learnt(store: Store) -> None:
    vote_many(store, *[(0.9, Vote.GOOD)] * 8, *[(0.6, Vote.BAD)] * 5)
    assert Learner(store).lessons().threshold is None
    assert Learner(store, 0.8, least=0.95).lessons().threshold is None
    assert Learner(store, 0.8, least=0.5).lessons().threshold is not None


def test_a_kind_that_is_hidden_again_and_again_is_left_out_and_can_be_taken_back(
    store: Store, clock: FixedClock
) -> None:
    learner = Learner(store)
    for number in range(4):
        identity = surface(store, number, merchant="Walgrove", condition=Condition.REFURBISHED)
        if number < 3:
            store.vote(identity, Vote.HIDE, via="dashboard")
    surface(store, 9, condition=Condition.REFURBISHED)
    surface(store, 10, condition=Condition.REFURBISHED)
    offer = Deal(entry_id="x", title="y", description="z", price=Money.of(5), merchant="WALGROVE")
    reason = learner.reason_to_skip(offer)
    assert reason is not None
    assert "you hid 3 of the 4 deals with merchant 'walgrove'" in reason
    assert learner.reason_to_skip(offer.model_copy(update={"merchant": "Bestmart"})) is None
    assert learner.reason_to_skip(Entry(id="x", feed_url=FEED, title="Walgrove")) is None
    learner.take_back(Trait("merchant", "walgrove"))
    assert learner.reason_to_skip(offer) is None


def test_categories_count_for_entries_before_they_are_read(store: Store) -> None:
    for number in range(3):
        store.vote(surface(store, number, categories=("Baby", "Deals")), Vote.HIDE, via="link")
    surface(store, 7, categories=("Deals",))
    surface(store, 8, categories=("Deals",))
    surface(store, 9, categories=("Deals",))
    learner = Learner(store)
    assert learner.reason_to_skip(Entry(id="x", feed_url=FEED, title="y", categories=("baby",))) is not None
    assert learner.reason_to_skip(Entry(id="x", feed_url=FEED, title="y", categories=("deals",))) is None


@pytest.mark.parametrize(
    ("hidden", "shown", "liked", "learnt"),
    [(3, 5, False, True), (3, 6, False, False), (2, 2, False, False), (3, 4, True, False)],
)
def test_what_it_takes_to_leave_a_kind_out(hidden: int, shown: int, liked: bool, learnt: bool) -> None:
    one = traits("Shop", None, None)
    met = [Met(one, hidden=number < hidden) for number in range(shown - liked)] + [Met(one, liked=True)] * liked
    assert bool(suggest_ignored(met)) is learnt
    assert suggest_ignored(met, {Trait("merchant", "shop")}) == []


def test_lessons_are_told_once_and_over_restarts(store: Store) -> None:
    for number in range(3):
        store.vote(surface(store, number, brand="Orbiq"), Vote.HIDE, via="cli")
    for _ in range(2):
        learner = Learner(store, tell=lambda: Notices(store, ["console"]))
        assert learner.lessons().ignored
        assert learner.lessons().ignored
    (notice,) = [one for one in store.notifications() if one.kind == "notice"]
    assert notice.message is not None
    assert "brand:orbiq" in notice.message["text"]
    store.vote(surface(store, 5, brand="Orbiq"), Vote.HIDE, via="cli")  # the same lesson, on more votes
    assert Learner(store, tell=lambda: Notices(store, ["console"])).lessons().ignored[0].hidden == 4
    assert len([one for one in store.notifications() if one.kind == "notice"]) == 1


def test_a_reset_starts_afresh_and_keeps_the_votes(store: Store, clock: FixedClock) -> None:
    vote_many(store, *[(0.9, Vote.GOOD)] * 8, *[(0.6, Vote.BAD)] * 5)
    learner = Learner(store, 0.8)
    assert learner.lessons().threshold is not None
    learner.reset(clock.forward(seconds=1))
    assert learner.lessons().threshold is None
    assert len(store.votes()) == 13


def test_the_command_line_votes_lists_takes_back_and_resets(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Store.open(fresh_url(home)) as store:
        store.set_state("feeds.seeded", START.isoformat())
        ids = [surface(store, number, merchant="Walgrove") for number in range(3)]

    def run(*arguments: str) -> list[dict]:
        result = CliRunner().invoke(cli.app, ["feedback", *arguments, "--home", str(home), "--json"])
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]

    for identity in ids:
        (said,) = run("vote", identity, "hide")
    assert "merchant:walgrove" in said["learnt"][0]
    rows = run("list")
    assert [row["what"] for row in rows] == ["learnt", "hidden", "hidden", "hidden"]
    assert run("undo", ids[0])[0]["learnt"] == []
    run("vote", ids[0], "hide")
    assert run("undo", "merchant:Walgrove")[0]["learnt"] == []
    assert run("reset")[0]["vote"] == "reset"
    unknown = CliRunner().invoke(cli.app, ["feedback", "vote", "nothing", "good", "--home", str(home)])
    assert unknown.exit_code != 0
