"""The owner's own settings files, changed line by line: what else stands in them stays as it is."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from framework.errors import SettingsError


def with_variables(text: str, values: Mapping[str, str]) -> str:
    """The text of a ``.env`` with these variables set: in place where they are set already, else at the end."""
    left, lines = dict(values), []
    for line in text.splitlines():
        name = re.match(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=", line)
        if name and name[1] in values:
            if name[1] in left:  # a second assignment of the same name would win over ours: it goes
                lines.append(_assignment(name[1], left.pop(name[1])))
            continue
        lines.append(line)
    lines += [_assignment(name, value) for name, value in left.items()]
    return "\n".join(lines) + "\n"


def with_settings(text: str, values: Mapping[str, str]) -> str:
    """The text of a ``dealhound.toml`` with these settings; comments and order stay. Raises ``SettingsError``."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        raise SettingsError(f"dealhound.toml cannot be read as TOML, mend it first: {error}") from error
    document.update(values)
    return tomlkit.dumps(document)


def write_private(path: Path, text: str) -> None:
    """Replace a file at one blow, readable by its owner alone (mode 600). Raises ``SettingsError``."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:  # mkstemp makes it 600
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}") from error


def _assignment(name: str, value: str) -> str:
    """Quoted for python-dotenv and for Docker Compose alike: within single quotes nothing is expanded."""
    if re.fullmatch(r"[A-Za-z0-9_.:/@%+,=?&-]*", value):
        return f"{name}={value}"
    if "\n" in value or "\r" in value:
        raise SettingsError(f"{name} cannot hold a line break")
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"{name}='{escaped}'"
