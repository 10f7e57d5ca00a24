"""The specialist agent over a model elsewhere: the ensemble goes on without it, in time, and says why."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest
from modal import exception
from pydantic import SecretStr

from agents import doctor
from agents.assemble import Hound
from agents.commands import specialist as commands
from agents.commands.training import evaluate
from agents.ensemble import EnsembleAgent
from agents.keep_warm import KeepWarm
from agents.specialist import SpecialistAgent
from framework.deals import Estimate
from framework.errors import EstimatorUnavailable, SettingsError, TrainingError
from framework.settings import Settings
from models.specialist.llama_cpp import LlamaCppSpecialist
from models.specialist.remote import ModalSpecialist
from tests.fakes.modal_object import FakeModal

HEADPHONES = "Wireless noise cancelling headphones"


@pytest.fixture
def assemble(tmp_path: Path) -> Iterator[Callable[..., Hound]]:
    """A hound with these settings."""
    open_ones: list[Hound] = []

    def assembled(**settings: Any) -> Hound:
        open_ones.append(Hound(Settings(home=tmp_path, **settings)))
        return open_ones[-1]

    yield assembled
    for hound in open_ones:
        hound.__exit__(None, None, None)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hound]:
    """One hound for the tests that price with its other members."""
    with Hound(Settings(home=tmp_path_factory.mktemp("home"))) as hound:
        yield hound


def agent(modal: FakeModal, deadline: float = 30.0) -> SpecialistAgent:
    model = ModalSpecialist(lambda: modal)
    return SpecialistAgent(model, deadline=deadline, slow_start=model)


# --- the ensemble without it ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("modal", "said"),
    [
        (FakeModal(error=exception.ConnectionError("x")), "cannot be reached"),
        (FakeModal(hang=True), "probably starting"),
        (FakeModal(error=exception.AuthError("x")), "does not know the token"),
        (FakeModal(error=exception.ResourceExhaustedError("x")), "out of credit"),
        (FakeModal(reply=["cheap"]), "not what models/modal_app.py gives"),
    ],
    ids=["unreachable", "cold", "wrong token", "out of credit", "wrong reply"],
)
def test_the_ensemble_goes_on_without_modal_and_says_why(modal: FakeModal, said: str, local: Hound) -> None:
    without = agent(modal, deadline=0.2 if modal.hang else 30.0)
    ensemble = EnsembleAgent([without, *local.members[1:]], local.blender)
    (estimate,) = ensemble.estimate([HEADPHONES])
    modal.released.set()
    assert isinstance(estimate, Estimate)
    assert estimate.members["specialist"] is None
    assert estimate.value > 0
    (failed,) = without.estimate([HEADPHONES])
    assert said in str(failed.failure) or modal.hang


def test_a_cold_start_is_explained() -> None:
    modal = FakeModal(hang=True)
    (estimate,) = agent(modal, deadline=0.05).estimate([HEADPHONES])
    modal.released.set()
    assert "no answer within 0.05 s: it is probably starting" in str(estimate.failure)


# --- starting and keeping ---------------------------------------------------------------------------------------------


def test_warming_up_waits_for_nothing_and_fails_quietly() -> None:
    modal = FakeModal(error=exception.ConnectionError("x"))
    agent(modal).warm_up()
    assert modal.warmed.wait(30)


def test_a_local_specialist_needs_no_warming() -> None:
    local = SpecialistAgent(ModalSpecialist(lambda: FakeModal()))
    local.warm_up()
    assert local.keep_warm(1)


def test_a_container_is_kept_in_the_owners_hours_only() -> None:
    modal = FakeModal()
    now = [datetime(2026, 1, 1, 7, 59, tzinfo=UTC)]
    keeper = KeepWarm(agent(modal), (time(8), time(22)), UTC, clock=lambda: now[0])
    keeper.look()
    now[0] = now[0].replace(hour=8, minute=0)
    keeper.look()
    keeper.look()
    now[0] = now[0].replace(hour=22)
    keeper.look()
    assert modal.containers == [0, 1, 0]


def test_what_could_not_be_arranged_is_tried_again() -> None:
    modal = FakeModal(error=exception.ServiceError("x"))
    keeper = KeepWarm(agent(modal), (time(0), time(12)), UTC, clock=lambda: datetime(2026, 1, 1, 3, tzinfo=UTC))
    keeper.look()
    modal.error = None
    keeper.look()
    assert modal.containers == [1]


def test_a_daemon_that_ends_lets_go_of_its_container() -> None:
    modal = FakeModal()
    keeper = KeepWarm(agent(modal), (time(0), time(12)), UTC, clock=lambda: datetime(2026, 1, 1, 3, tzinfo=UTC))
    keeper.release()
    assert modal.containers == []
    keeper.look()
    keeper.release()
    assert modal.containers == [1, 0]


# --- the settings -----------------------------------------------------------------------------------------------------


def test_the_setting_chooses_the_model(assemble: Callable[..., Hound], tmp_path: Path) -> None:
    assert not assemble().specialist.is_remote
    assert isinstance(assemble(specialist="llama_cpp").specialist.estimator, LlamaCppSpecialist)
    remote = assemble(specialist="modal", modal_deadline=5)
    assert isinstance(remote.specialist.estimator, ModalSpecialist)
    assert remote.paid_members() == ["specialist"]
    assert remote.keep_warm is None
    assert assemble(specialist="modal", modal_keep_warm="08:00-22:00").keep_warm is not None


def test_the_others_that_are_set_up_are_compared(assemble: Callable[..., Hound], tmp_path: Path) -> None:
    gguf = tmp_path / "specialist.gguf"
    gguf.touch()
    everything = {"modal_token_id": SecretStr("ak-1"), "modal_token_secret": SecretStr("as-1")}
    assert assemble().specialists.others() == []
    names = [other.name for other in assemble(specialist_gguf=gguf, **everything).specialists.others()]
    assert [name for name in names if name != "specialist (llama_cpp)"] == ["specialist (modal)"]
    chosen = assemble(specialist="modal", **everything).specialists.others()
    assert [other.name for other in chosen] == ["specialist (bundled)"]
    (said,) = chosen[0].estimate([HEADPHONES])
    assert said.member == "specialist (bundled)"
    assert said.value is not None


def test_the_doctor_names_the_model_and_the_fix(assemble: Callable[..., Hound]) -> None:
    look = doctor._member("specialist")
    assert look(assemble()).detail.startswith("the bundled network answers")
    missing = look(assemble(specialist="llama_cpp"))
    assert missing.status.value == "failed"
    assert "specialist export --gguf" in str(missing.fix)


# --- deploying --------------------------------------------------------------------------------------------------------


def tokens() -> dict[str, SecretStr]:
    return {"modal_token_id": SecretStr("ak-1"), "modal_token_secret": SecretStr("as-1")}


def test_deploying_needs_a_token(assemble: Callable[..., Hound], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "_stored_token", lambda: False)
    with pytest.raises(SettingsError, match="MODAL_TOKEN_ID"):
        commands.deploy(assemble(), lambda cost: True, lambda command, environment: 0)


def test_deploying_says_the_cost_first_and_then_runs_modal_with_the_settings(assemble: Callable[..., Hound]) -> None:
    calls: list[tuple[list[str], dict[str, str]]] = []
    notes: list[str] = []
    hound = assemble(modal_gpu="L4", modal_adapter="owner/prices", modal_keep_warm="22:00-06:30", **tokens())

    def agree(cost: str) -> bool:
        notes.append(cost)
        assert not calls
        return True

    def run(command: Any, environment: dict[str, str]) -> int:
        calls.append((list(command), environment))
        return 0

    assert commands.deploy(hound, agree, run)["model"] == "owner/prices"
    ((command, environment),) = calls
    assert command[1:4] == ["-m", "modal", "deploy"]
    assert Path(command[4]).name == "modal_app.py"
    assert environment["SPECIALIST_GPU"] == "L4"
    assert (environment["MODAL_TOKEN_ID"], environment["MODAL_TOKEN_SECRET"]) == ("ak-1", "as-1")
    assert "$0.80 an hour for a L4" in notes[0]
    assert "8.5 hours a day (modal_keep_warm): about $6.80 a day" in notes[0]


def test_deploying_against_the_owners_will_or_modals_is_an_error(assemble: Callable[..., Hound]) -> None:
    with pytest.raises(TrainingError, match="not agreed"):
        commands.deploy(assemble(**tokens()), lambda cost: False, lambda command, environment: 0)
    with pytest.raises(EstimatorUnavailable, match="did not take the app"):
        commands.deploy(assemble(**tokens()), lambda cost: True, lambda command, environment: 1)


def test_fine_tuning_without_a_base_is_said(assemble: Callable[..., Hound], tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--base"):
        commands.train_qlora(assemble(), tmp_path, None, None, None, [], resume=False)


def test_an_evaluation_asks_before_it_calls_what_is_paid_by_the_call(
    assemble: Callable[..., Hound], tmp_path: Path
) -> None:
    data = tmp_path / "priced.jsonl"
    rows = [{"title": f"Desk lamp number {i}, brass", "price": 20.0 + i, "group": str(i)} for i in range(8)]
    data.write_text("\n".join(json.dumps(row) for row in rows))
    asked: list[str] = []
    hound = assemble(**tokens())
    with pytest.raises(TrainingError, match="not agreed"):
        evaluate(hound, data, [], 6, None, lambda cost: asked.append(cost) or False)
    assert asked == ["This asks specialist (modal) for 6 prices"]
    evaluate(hound, data, ["specialist"], 6, None, lambda cost: asked.append(cost) or False)
    assert len(asked) == 1
