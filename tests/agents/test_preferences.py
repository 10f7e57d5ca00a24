"""Settings changed from the dashboard: kept in the file, and in force without a restart."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from agents.assemble import Hound
from agents.commands.preferences import OwnerPreferences
from framework.errors import SettingsError
from framework.settings import load_settings


def test_a_changed_threshold_and_quiet_hours_hold_for_the_next_hunt_and_message(tmp_path: Path) -> None:
    with Hound(load_settings(tmp_path, {})) as hound:
        preferences = OwnerPreferences(hound)
        before, sender = hound.rule, hound.messenger
        kept = preferences.change({"min_discount_pct": "40", "quiet_hours": "22:00-07:00"})
        assert (before.min_discount_pct, hound.rule.min_discount_pct) == (25, 40)
        assert hound.messenger is not sender
        assert hound._plan().quiet == (time(22), time(7))
        assert preferences.settings().min_discount_pct == 40
        assert kept == "dealhound.toml"
    assert load_settings(tmp_path, {}).min_discount_pct == 40


def test_only_what_was_changed_comes_into_force(tmp_path: Path) -> None:
    with Hound(load_settings(tmp_path, {})) as hound:
        (tmp_path / "dealhound.toml").write_text("port = 9999\n")
        OwnerPreferences(hound).change({"max_alerts": "2"})
        assert (hound.settings.max_alerts, hound.settings.port) == (2, 7860)


def test_what_the_environment_sets_is_fixed_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEALHOUND_MIN_DISCOUNT", "30")
    with Hound(load_settings(tmp_path)) as hound:
        preferences = OwnerPreferences(hound)
        assert preferences.fixed() == {"min_discount": "DEALHOUND_MIN_DISCOUNT in the environment"}
        with pytest.raises(SettingsError, match="change it there"):
            preferences.change({"min_discount": "3"})
