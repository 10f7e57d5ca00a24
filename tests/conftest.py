"""Fixtures that every test shares: a clean environment, state in a temporary folder, the recorded inputs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_OURS = ("DEALHOUND_", "OPENAI_", "MODAL_", "PUSHOVER_", "HF_TOKEN")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No key or setting of the developer reaches a test, and state goes to a folder of the test's own."""
    for name in list(os.environ):
        if name.startswith(_OURS) and name != "DEALHOUND_SHARED":
            monkeypatch.delenv(name)
    monkeypatch.setenv("DEALHOUND_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recorded inputs; the test is skipped where it is not set up."""
    folder = os.environ.get("DEALHOUND_SHARED")
    if not folder or not Path(folder).is_dir():
        pytest.skip("DEALHOUND_SHARED is not set")
    return Path(folder).resolve()
