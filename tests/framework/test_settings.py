"""Settings: sources and their order, faults that name the fix, secrets that stay secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from framework.errors import SettingsError
from framework.settings import PROJECT, Settings, environment_name, load_settings


def load(tmp_path: Path, toml: str = "", dotenv: str = "", **environ: str) -> Settings:
    (tmp_path / "dealhound.toml").write_text(toml)
    (tmp_path / ".env").write_text(dotenv)
    return load_settings(home=tmp_path, environ=environ)


def test_defaults_need_no_file(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, environ={})
    assert settings.interval == 900
    assert settings.openai_api_key is None
    assert settings.sqlalchemy_url == f"sqlite:///{tmp_path}/state/dealhound.db"


def test_stronger_sources_win(tmp_path: Path) -> None:
    toml, dotenv = "interval = 100\nport = 1\nmax_pages = 7", "DEALHOUND_INTERVAL=200\nDEALHOUND_PORT=2"
    settings = load(tmp_path, toml, dotenv, DEALHOUND_INTERVAL="300")
    assert (settings.interval, settings.port, settings.max_pages) == (300, 2, 7)
    assert load_settings(home=tmp_path, environ={"DEALHOUND_INTERVAL": "300"}, interval=400).interval == 400


def test_a_secret_may_come_from_a_file_and_the_plain_variable_wins(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-from-file\n")
    path = str(tmp_path / "key")
    from_file = load(tmp_path, OPENAI_API_KEY_FILE=path).openai_api_key
    plain = load(tmp_path, OPENAI_API_KEY_FILE=path, OPENAI_API_KEY="sk-plain").openai_api_key
    assert from_file is not None
    assert plain is not None
    assert (from_file.get_secret_value(), plain.get_secret_value()) == ("sk-from-file", "sk-plain")


def test_empty_variables_count_as_not_set(tmp_path: Path) -> None:
    assert load(tmp_path, OPENAI_API_KEY="", DEALHOUND_PORT="").openai_api_key is None


@pytest.mark.parametrize(
    ("toml", "environ", "words"),
    [
        ("intervall = 60", {}, ["'intervall'", "did you mean interval?"]),
        ("interval = 'soon'", {}, ["Setting interval", "dealhound.toml", "integer"]),
        ("interval = 1", {}, ["Setting interval", "greater than or equal to 10"]),
        ("= broken", {}, ["cannot be read as TOML"]),
        ("", {"DEALHOUND_PROT": "1"}, ["DEALHOUND_PROT in the environment", "did you mean DEALHOUND_PORT?"]),
        ("", {"DEALHOUND_LLM": "gpt"}, ["Setting llm", "DEALHOUND_LLM", "'auto'"]),
        ("", {"DEALHOUND_TIMEZONE": "Europe/Berln"}, ["did you mean Europe/Berlin?"]),
        ("", {"PUSHOVER_TOKEN_FILE": "/nowhere/token"}, ["PUSHOVER_TOKEN_FILE", "cannot be read"]),
    ],
)
def test_a_fault_names_the_setting_its_source_and_the_fix(
    tmp_path: Path, toml: str, environ: dict[str, str], words: list[str]
) -> None:
    with pytest.raises(SettingsError) as fault:
        load(tmp_path, toml, **environ)
    for word in words:
        assert word in str(fault.value)


def test_a_faulty_secret_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as fault:
        load(tmp_path, 'openai_api_key = ["sk-very-secret"]')
    assert "sk-very-secret" not in str(fault.value)


def test_secrets_print_as_stars(tmp_path: Path) -> None:
    settings = load(tmp_path, OPENAI_API_KEY="sk-very-secret", PUSHOVER_TOKEN="push-secret")
    shown = repr(settings) + str(settings) + settings.model_dump_json()
    assert "sk-very-secret" not in shown
    assert "push-secret" not in shown
    assert settings.secrets() == ["sk-very-secret", "push-secret"]


def test_lists_may_be_written_as_text(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        'feeds = ["https://a.example/rss"]',
        DEALHOUND_ALLOW_HOSTS="localhost:8000,127.0.0.1",
        DEALHOUND_APPRISE_URLS="ntfy://topic, json://host/a,b",
    )
    assert settings.feeds == ("https://a.example/rss",)
    assert settings.allow_hosts == ("localhost:8000", "127.0.0.1")
    assert settings.apprise_urls == ("ntfy://topic", "json://host/a,b")


def test_the_example_file_shows_every_setting_and_is_valid(tmp_path: Path) -> None:
    example = (PROJECT / "dealhound.example.toml").read_text()
    missing = [name for name in Settings.model_fields if name != "home" and f"\n# {name} = " not in example]
    assert missing == []
    uncommented = "\n".join(line.removeprefix("# ") for line in example.splitlines() if " = " in line)
    load(tmp_path, uncommented)


def test_every_setting_is_described_and_named(tmp_path: Path) -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert environment_name(name).isupper()
