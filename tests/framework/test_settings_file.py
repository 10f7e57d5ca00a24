"""Changes to the owner's dealhound.toml: kept with its comments, refused where they would not load or not count."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from framework.errors import SettingsError
from framework.settings import load_settings
from framework.settings_file import CHANGEABLE, change_settings, set_elsewhere

FILE = """\
# My own notes
min_discount = 20  # large savings only

[filters]
exclude = ["boots"]
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "dealhound.toml").write_text(FILE)
    return tmp_path


def _text(home: Path) -> str:
    return (home / "dealhound.toml").read_text()


def test_a_change_is_kept_in_its_place_with_comments_and_tables(home: Path) -> None:
    wishes = {"min_discount": "12.50", "quiet_hours": "22:00-07:00", "min_discount_pct": "40", "digest_at": "18:00"}
    settings = change_settings(home, wishes, {})
    assert (settings.min_discount, settings.min_discount_pct) == (12.5, 40)
    assert settings.quiet_hours == (time(22), time(7))
    assert load_settings(home, {}) == settings
    written = _text(home)
    assert written.startswith("# My own notes\nmin_discount = 12.5  # large savings only\n")
    assert 'quiet_hours = "22:00-07:00"\nmin_discount_pct = 40\n' in written
    assert '[filters]\nexclude = ["boots"]' in written


def test_an_empty_wish_takes_the_default_back(home: Path) -> None:
    settings = change_settings(home, {"min_discount": None, "daily_cap": None}, {})
    assert (settings.min_discount, settings.daily_cap) == (5, None)
    assert "min_discount" not in _text(home)


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"quiet_hours": "22:00-25:00"}, "quiet_hours"),
        ({"quiet_hours": "at night"}, "quiet_hours"),
        ({"min_discount_pct": "100"}, "min_discount_pct"),
        ({"min_probability": "sure"}, "min_probability"),
        ({"timezone": "Europe/Berln"}, "did you mean Europe/Berlin"),
        ({"daily_cap": "0"}, "daily_cap"),
        ({"port": "80"}, "takes a restart"),
        ({"home": "/"}, "takes a restart"),
    ],
)
def test_what_does_not_fit_is_named_and_the_file_stays(home: Path, wishes: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        change_settings(home, wishes, {})
    assert _text(home) == FILE


def test_what_the_environment_sets_cannot_be_changed_here(home: Path) -> None:
    (home / ".env").write_text("DEALHOUND_COOLDOWN=60\n")
    environ = {"DEALHOUND_MIN_DISCOUNT": "30", "DEALHOUND_TIMEZONE_FILE": "/run/zone", "DEALHOUND_DAILY_CAP": ""}
    assert set(set_elsewhere(home, environ)) == {"cooldown", "min_discount", "timezone"}
    with pytest.raises(SettingsError, match=r"DEALHOUND_COOLDOWN in \.env, which wins"):
        change_settings(home, {"cooldown": "10"}, environ)
    assert _text(home) == FILE


def test_a_new_file_is_for_its_owner_only_and_an_old_one_keeps_its_rights(tmp_path: Path) -> None:
    file = tmp_path / "dealhound.toml"
    change_settings(tmp_path, {"max_alerts": "3"}, {})
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("max_alerts = 3\n", 0o600)
    file.chmod(0o644)
    change_settings(tmp_path, {"max_alerts": "4"}, {})
    assert file.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in tmp_path.iterdir()] == ["dealhound.toml"]


def test_a_damaged_file_is_said_and_not_overwritten(home: Path) -> None:
    (home / "dealhound.toml").write_text("min_discount = = 3\n")
    with pytest.raises(SettingsError, match="cannot be read as TOML"):
        change_settings(home, {"max_alerts": "3"}, {})
    assert _text(home) == "min_discount = = 3\n"


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be written"):
        change_settings(tmp_path / "missing", {"max_alerts": "3"}, {})


def test_every_changeable_setting_is_one() -> None:
    assert set(CHANGEABLE) <= set(type(load_settings(Path("/nowhere"), {})).model_fields)
