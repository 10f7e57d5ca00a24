"""The owner's settings that the dashboard can change: kept in ``dealhound.toml``, in force at once."""

from __future__ import annotations

from collections.abc import Mapping

from agents.assemble import Hound
from framework.settings import SETTINGS_FILE, Settings
from framework.settings_file import change_settings, set_elsewhere


class OwnerPreferences:
    """The preferences of one running hound."""

    def __init__(self, hound: Hound) -> None:
        self._hound = hound

    def settings(self) -> Settings:
        """The settings in force."""
        return self._hound.settings

    def fixed(self) -> Mapping[str, str]:
        """Those that the environment sets, which cannot be changed here."""
        return set_elsewhere(self._hound.settings.home)

    def change(self, wishes: Mapping[str, str | None]) -> str:
        """Keep wishes in the file and go by them. Raises ``SettingsError``."""
        settings = change_settings(self._hound.settings.home, wishes)
        self._hound.go_by(settings, tuple(wishes))
        return SETTINGS_FILE
