"""The guided set-up: what works is written, what is refused is not, and what stood in the files before stays."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path

import pytest
from dotenv import dotenv_values

from agents.commands.setup import not_tried, pairs, set_up
from agents.setup import probes
from framework.errors import SettingsError
from framework.health import Check, CheckStatus
from framework.own_files import with_settings, with_variables
from framework.settings import Settings, load_settings
from tests.fakes.openai_server import fails, says, scripted
from tests.fakes.pushover import TOKEN, USER, FakePushover

_OK = CheckStatus.OK


class Owner:
    """Answers by setting's question; remembers what was said and which questions were private."""

    def __init__(self, answers: dict[str, Sequence[str]], agrees: Sequence[bool] = ()) -> None:
        self.answers = {words: list(given) for words, given in answers.items()}
        self.agreed, self.said, self.private = list(agrees), [], []

    def say(self, text: str) -> None:
        self.said.append(text)

    def ask(self, question: str, *, private: bool) -> str:
        if private:
            self.private.append(question)
        known = [given for words, given in self.answers.items() if words in question and given]
        return known[0].pop(0) if known else ""

    def agrees(self, question: str) -> bool:
        return self.agreed.pop(0)


def _status(rows: list[dict[str, str]], name: str) -> str:
    return next(row["status"] for row in rows if row["name"] == name)


def test_keys_from_the_environment_are_tried_and_written_for_their_owner_alone(tmp_path: Path) -> None:
    with FakePushover() as pushover:
        (tmp_path / "dealhound.toml").write_text(f'# mine\npushover_url = "{pushover.url}"\nport = 0 # any\n')
        (tmp_path / ".env").write_text("# keys\nOPENAI_API_KEY=\nOTHER=kept\n")
        environ = {"PUSHOVER_USER": USER, "PUSHOVER_TOKEN": TOKEN, "PATH": "/bin"}
        rows = set_up(tmp_path, environ, {"timezone": "Europe/Berlin"}, None)
    assert {row["status"] for row in rows} == {"ok"}
    assert pushover.accepted == [], "nothing is sent"
    written = (tmp_path / ".env").read_text()
    assert written == f"# keys\nOPENAI_API_KEY=\nOTHER=kept\nPUSHOVER_USER={USER}\nPUSHOVER_TOKEN={TOKEN}\n"
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    toml = (tmp_path / "dealhound.toml").read_text()
    assert toml.startswith("# mine\n")
    assert "port = 0 # any" in toml
    settings = load_settings(tmp_path, {})
    assert (settings.timezone, settings.port) == ("Europe/Berlin", 0)
    assert settings.pushover_user is not None
    assert settings.pushover_user.get_secret_value() == USER


def test_what_a_service_refuses_is_not_written(tmp_path: Path) -> None:
    with FakePushover() as pushover:
        (tmp_path / "dealhound.toml").write_text(f'pushover_url = "{pushover.url}"\n')
        environ = {"PUSHOVER_USER": USER, "PUSHOVER_TOKEN": "z" * 30}
        rows = set_up(tmp_path, environ, {}, None)
    assert _status(rows, "phone") == "failed"
    assert not (tmp_path / ".env").exists()
    assert "z" * 30 not in str(rows)


def test_an_unusable_value_is_refused_in_words(tmp_path: Path) -> None:
    rows = set_up(tmp_path, {}, {"timezone": "Europe/Berln"}, None)
    assert _status(rows, "hours") == "failed"
    assert "did you mean Europe/Berlin" in str(rows)
    assert not (tmp_path / "dealhound.toml").exists()


def test_the_owner_is_asked_again_and_secrets_are_asked_for_in_private(tmp_path: Path) -> None:
    with scripted(fails(401, "Incorrect API key"), says("yes")) as server:
        owner = Owner(
            {
                "Key of OpenAI": ["sk-wrong-key-0000", "sk-right-key-000"],
                "Base URL": [server.url, server.url],
                "Name of the model": ["scripted", "scripted"],
            },
            agrees=[True],
        )
        rows = set_up(tmp_path, {}, {}, owner)
    assert _status(rows, "language model") == "ok"
    assert dotenv_values(tmp_path / ".env") == {"OPENAI_API_KEY": "sk-right-key-000"}
    assert load_settings(tmp_path, {}).llm_model == "scripted"
    assert any("Key of OpenAI" in question for question in owner.private)
    assert any("Password" in question for question in owner.private)
    assert not any("Time zone" in question for question in owner.private)
    assert "sk-" not in str(owner.said) + str(rows)


def test_a_refused_answer_is_kept_where_its_owner_insists(tmp_path: Path) -> None:
    owner = Owner({"Address to listen": ["0.0.0.0"]}, agrees=[False, True])
    set_up(tmp_path, {}, {}, owner)
    assert "DEALHOUND_PASSWORD" in " ".join(owner.said)
    assert load_settings(tmp_path, {}).host == "0.0.0.0"


def test_an_answer_of_nothing_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DEALHOUND_PASSWORD='old one'\n")
    owner = Owner({})
    set_up(tmp_path, {}, {}, owner)
    assert (tmp_path / ".env").read_text() == "DEALHOUND_PASSWORD='old one'\n"
    assert not (tmp_path / "dealhound.toml").exists()
    assert any("Password (Enter keeps the one that is set)" in question for question in owner.private)


def test_a_secret_on_the_command_line_and_an_unknown_setting_are_refused(tmp_path: Path) -> None:
    for wrong in ("password=x", "openai_api_key=x", "database_url=x", "timezone"):
        with pytest.raises(SettingsError):
            pairs([wrong])
    with pytest.raises(SettingsError, match="asks for no 'interval'"):
        set_up(tmp_path, {}, pairs(["interval=60"]), None)
    assert pairs(["quiet_hours=22:00-07:00"]) == {"quiet_hours": "22:00-07:00"}


def test_untried_answers_are_written_without_asking_anybody(tmp_path: Path) -> None:
    rows = set_up(tmp_path, {"DEALHOUND_CHROMA_URL": "http://127.0.0.1:9"}, {}, None, not_tried)
    assert {row["detail"] for row in rows} == {"not tried out"}
    assert load_settings(tmp_path, {}).chroma_url == "http://127.0.0.1:9"


@pytest.mark.parametrize(
    "value", ["plain", "with space", "it's", 'quo"te', "back\\slash", "$HOME ${X} #no", "=x=", "ü"]
)
def test_a_variable_reads_back_as_it_was_given(tmp_path: Path, value: str) -> None:
    (tmp_path / ".env").write_text(with_variables("A=1\nexport KEY=old\nKEY=older\nB=2\n", {"KEY": value}))
    assert dotenv_values(tmp_path / ".env", interpolate=False) == {"A": "1", "KEY": value, "B": "2"}


def test_a_broken_toml_is_left_alone() -> None:
    with pytest.raises(SettingsError, match="mend it first"):
        with_settings("port = = 1", {"timezone": "UTC"})


def test_a_setting_goes_before_tables_and_in_place_of_its_old_value() -> None:
    text = with_settings(
        'timezone = "UTC" # home\n\n[filters]\nexclude = ["x"]\n', {"timezone": "Asia/Tokyo", "host": "::1"}
    )
    assert text.index("host") < text.index("[filters]")
    assert '"Asia/Tokyo" # home' in text


def test_services_that_do_not_answer_are_told_from_those_that_refuse(tmp_path: Path) -> None:
    def settings(**changes: str) -> Settings:
        return load_settings(tmp_path, {}, **changes)

    nobody = "http://127.0.0.1:9"
    asked = [
        probes.language_model(settings(llm_base_url=f"{nobody}/v1", llm_model="m")),
        probes.chroma(settings(chroma_url=nobody)),
        probes.database(settings(database_url="postgresql+psycopg://u@127.0.0.1:9/x")),
        probes.phone(settings(pushover_user=USER, pushover_token=TOKEN, pushover_url=nobody)),
        probes.phone(settings(pushover_user=USER)),
        probes.modal_token(settings(modal_token_id="ak-1")),
    ]
    assert [check.status.value for check in asked] == ["degraded", "failed", "failed", "degraded", "failed", "failed"]
    assert all(check.fix for check in asked)
    assert TOKEN not in str(asked)


def test_without_anything_set_every_part_says_what_is_used_instead(tmp_path: Path) -> None:
    checks = [part(load_settings(tmp_path, {})) for part in _PROBES]
    assert {check.status for check in checks} == {_OK}
    assert all(isinstance(check, Check) and check.detail for check in checks)


_PROBES = (
    *(probes.phone, probes.language_model, probes.modal_token, probes.database),
    *(probes.chroma, probes.dashboard, probes.hours),
)
