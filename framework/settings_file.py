"""Changes to the owner's ``dealhound.toml``: comments and order stay, and a file that would not load is never written.

The only owner of tomlkit.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Mapping
from datetime import time
from pathlib import Path
from typing import Any

from framework.errors import SettingsError
from framework.settings import SETTINGS_FILE, Settings, dotenv, environment_name, load_settings

# What can be changed while the daemon runs; the rest takes a restart.
CHANGEABLE = (
    "min_discount_pct",
    "min_discount",
    "min_probability",
    "precision_wish",
    "again_pct",
    "max_alerts",
    "timezone",
    "quiet_hours",
    "daily_cap",
    "cooldown",
    "digest_at",
)


def set_elsewhere(
    home: Path, environ: Mapping[str, str] | None = None, names: Collection[str] = CHANGEABLE
) -> dict[str, str]:
    """Those of the settings ``names`` that a stronger source than the file sets, by name, with that source in words."""
    found: dict[str, str] = {}
    for source, variables in ((".env", dotenv(home / ".env")), ("the environment", environ or os.environ)):
        for name in names:
            variable = environment_name(name)
            for given in (variable, f"{variable}_FILE"):
                if variables.get(given):
                    found[name] = f"{given} in {source}"
    return found


def change_settings(
    home: Path,
    wishes: Mapping[str, str | None],
    environ: Mapping[str, str] | None = None,
    changeable: Collection[str] = CHANGEABLE,
) -> Settings:
    """Write wishes (as text; ``None`` for the default) to the file, and return the settings as they are then.

    Raises ``SettingsError`` for a value that does not fit, for a setting that is not changeable or is set elsewhere,
    and when the file cannot be written; the file is as before then.
    """
    _refuse(set_elsewhere(home, environ, changeable), wishes, changeable)
    file = home / SETTINGS_FILE
    try:
        before = file.read_text(encoding="utf-8") if file.is_file() else ""
        tried = load_settings(home, environ, toml=_with(before, wishes))
        typed = {name: None if wish is None else _plain(getattr(tried, name)) for name, wish in wishes.items()}
        after = _with(before, typed)
        settings = load_settings(home, environ, toml=after)
        if after != before:
            _replace(file, after)
    except OSError as error:
        raise SettingsError(f"{file} cannot be written ({error.strerror}): nothing was changed") from error
    return settings


def _refuse(fixed: Mapping[str, str], wishes: Mapping[str, str | None], changeable: Collection[str]) -> None:
    for name in wishes:
        if name not in changeable:
            raise SettingsError(f"Setting {name} takes a restart: change it in {SETTINGS_FILE}")
        if name in fixed:
            raise SettingsError(f"Setting {name} is set by {fixed[name]}, which wins: change it there")


def _with(content: str, values: Mapping[str, Any]) -> str:
    """The file's text with these top-level values, without those that are ``None``."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(content)
    except TOMLKitError as error:
        raise SettingsError(f"{SETTINGS_FILE} cannot be read as TOML: {error}") from error
    for name, value in values.items():
        if value is not None:
            document[name] = value
        elif name in document:
            del document[name]
    return tomlkit.dumps(document)


def _plain(value: Any) -> Any:
    """A setting as one writes it in the file."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int | float) else as_text(value)


def as_text(value: object) -> str:
    """A changeable setting as its owner writes it; what is not set is empty."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return "-".join(map(as_text, value))
    if isinstance(value, time):
        return value.isoformat("minutes")
    return f"{value:g}" if isinstance(value, float) else str(value)


def _replace(file: Path, content: str) -> None:
    """Whole or not at all, and as readable for others as before (a new file for its owner only: it may hold keys)."""
    mode = file.stat().st_mode & 0o777 if file.exists() else 0o600
    descriptor, draft = tempfile.mkstemp(prefix=".settings-", suffix=".tmp", dir=file.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(content)
            os.fchmod(opened.fileno(), mode)
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(draft, file)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
