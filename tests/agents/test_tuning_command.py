"""``train frontier``, from a file of products to a model in the owner's settings."""

import functools
import json
import tomllib

import pytest
from typer.testing import CliRunner

from agents.assemble import Hound
from agents.commands import tuning
from agents.commands.tuning import Wishes
from cli import app
from framework.chat.openai_tuning import OpenAITuning
from framework.errors import ChatRefused, ChatUnavailable, SettingsError, TrainingError
from framework.settings import load_settings
from tests.fakes.openai_tuning_server import KEY, LOST, LOST_AFTER, MODEL, tuning_server


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    impatient = functools.partial(OpenAITuning, sleep=lambda _seconds: None)
    monkeypatch.setattr("agents.commands.tuning.OpenAITuning", impatient)


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "products.jsonl"
    rows = (
        {"id": f"p{n}", "title": f"Kettle number {n}", "price": 10 + n, "split": "dev" if n % 4 == 0 else "train"}
        for n in range(80)
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _hound(tmp_path, server, key=KEY):
    return Hound(load_settings(tmp_path, {"OPENAI_API_KEY": key, "DEALHOUND_LLM_BASE_URL": server.url}))


def _toml(tmp_path):
    return tomllib.loads((tmp_path / "dealhound.toml").read_text())


def _never(_):
    raise AssertionError("asked")


def test_the_model_of_the_job_is_in_the_settings_and_can_be_undone(tmp_path, data):
    (tmp_path / "dealhound.toml").write_text('# mine\nfrontier_model = "ft:old"\nport = 9\n')
    asked, told = [], []
    with tuning_server() as server:
        with _hound(tmp_path, server) as hound:
            wishes = Wishes(limit=30, wandb="deals")
            result = tuning.tune(hound, data, wishes, lambda cost: asked.append(cost) or True, told.append)
        assert result["model"] == MODEL
        assert "30 examples, 10 to validate" in asked[0]
        assert "about $0.0" in asked[0]
        assert len(server.files) == 2
        job = server.jobs["ftjob-1"]
        assert job["integrations"][0]["wandb"] == {"project": "deals"}
        assert {job["training_file"], job["validation_file"]} == set(server.files)
        assert any("step 4 of 4 (100%), loss 0.500" in line for line in told)
        assert _toml(tmp_path) == {"frontier_model": MODEL, "port": 9}
        assert (tmp_path / "dealhound.toml").read_text().startswith("# mine")
        with _hound(tmp_path, server) as hound:
            assert tuning.undo(hound) == {"frontier_model": "ft:old"}
            assert _toml(tmp_path)["frontier_model"] == "ft:old"
            with pytest.raises(SettingsError, match="nothing to undo"):
                tuning.undo(hound)


def test_without_agreement_nothing_is_sent(tmp_path, data):
    with tuning_server() as server, _hound(tmp_path, server) as hound:
        with pytest.raises(TrainingError, match="not agreed"):
            tuning.tune(hound, data, Wishes(), lambda _: False, print)
        assert server.seen == ["GET /fine_tuning/jobs"]
    assert not (tmp_path / "dealhound.toml").exists()


def test_a_lost_answer_to_the_start_is_no_second_job(tmp_path, data):
    with tuning_server() as server, _hound(tmp_path, server) as hound:
        server.faults = [("POST /fine_tuning/jobs", LOST_AFTER, "")]
        with pytest.raises(ChatUnavailable, match="same command again"):
            tuning.tune(hound, data, Wishes(), lambda _: True, lambda _: None)
        assert tuning.tune(hound, data, Wishes(), _never, lambda _: None)["model"] == MODEL
        assert len(server.jobs) == 1
        assert len(server.files) == 2


def test_files_that_were_sent_are_not_sent_again(tmp_path, data):
    with tuning_server() as server, _hound(tmp_path, server) as hound:
        server.faults = [("POST /fine_tuning/jobs", 400, "billing hard limit reached")]
        with pytest.raises(ChatRefused, match="billing hard limit"):
            tuning.tune(hound, data, Wishes(), lambda _: True, lambda _: None)
        tuning.tune(hound, data, Wishes(), lambda _: True, lambda _: None)
        assert sum(line == "POST /files" for line in server.seen) == 2


def test_a_connection_lost_while_following_is_resumed_by_the_jobs_id(tmp_path, data):
    with tuning_server() as server:
        with _hound(tmp_path, server) as hound:
            server.faults = [("GET .*/events", LOST, "")] * 8
            with pytest.raises(ChatUnavailable):
                tuning.tune(hound, data, Wishes(), lambda _: True, lambda _: None)
        with _hound(tmp_path, server) as hound:
            assert tuning.resume(hound, None, lambda _: None)["model"] == MODEL
        with _hound(tmp_path, server) as hound:
            assert tuning.resume(hound, "ftjob-1", lambda _: None)["status"] == "succeeded"
    assert _toml(tmp_path)["frontier_model"] == MODEL


def test_a_job_that_failed_leaves_the_settings(tmp_path, data):
    course = (("validating_files", ["Created"]), ("failed", ["Failed"]))
    problem = "validation_file: line 3 has a wrong role"
    with (
        tuning_server(course, problem) as server,
        _hound(tmp_path, server) as hound,
        pytest.raises(TrainingError, match="failed: validation_file: line 3"),
    ):
        tuning.tune(hound, data, Wishes(), lambda _: True, lambda _: None)
    assert not (tmp_path / "dealhound.toml").exists()


def test_a_cancelled_job_is_told(tmp_path, data):
    with tuning_server() as server, _hound(tmp_path, server) as hound:

        def stop(line):
            if "Validating" in line:
                assert tuning.cancel(hound, None)["status"] == "cancelled"

        with pytest.raises(TrainingError, match="ended as cancelled"):
            tuning.tune(hound, data, Wishes(), lambda _: True, stop)


def test_a_model_set_by_the_environment_is_told_and_not_hidden(tmp_path, data, monkeypatch):
    monkeypatch.setenv("DEALHOUND_FRONTIER_MODEL", "ft:mine")
    with tuning_server() as server, _hound(tmp_path, server) as hound:
        result = tuning.tune(hound, data, Wishes(), lambda _: True, lambda _: None)
    assert "DEALHOUND_FRONTIER_MODEL" in result["settings"]
    assert MODEL in result["settings"]


def test_too_few_products_cost_nothing(tmp_path):
    (tmp_path / "few.jsonl").write_text('{"title": "Kettle", "price": 3}\n')
    with tuning_server() as server, _hound(tmp_path, server) as hound:
        with pytest.raises(TrainingError, match="at least 10"):
            tuning.tune(hound, tmp_path / "few.jsonl", Wishes(), _never, print)
        assert not server.seen


def test_without_a_key_it_says_what_to_set(tmp_path, data):
    with Hound(load_settings(tmp_path, {})) as hound, pytest.raises(SettingsError, match="OPENAI_API_KEY"):
        tuning.tune(hound, data, Wishes(), _never, print)


def test_through_the_command_line(tmp_path, data, monkeypatch):
    run = CliRunner()
    with tuning_server() as server:
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("DEALHOUND_LLM_BASE_URL", server.url)
        at = ["--home", str(tmp_path)]
        said = run.invoke(app, ["train", "frontier", "--data", str(data), *at, "--json"], input="y\n")
        assert said.exit_code == 0, said.output
        assert json.loads(said.stdout.splitlines()[-1])["model"] == MODEL
        assert "about" in said.stderr
        assert KEY not in said.output
        assert run.invoke(app, ["train", "frontier", "--undo", *at]).exit_code == 0
        assert "frontier_model" not in _toml(tmp_path)
        both = run.invoke(app, ["train", "frontier", "--undo", "--resume", *at])
        assert isinstance(both.exception, SettingsError)
