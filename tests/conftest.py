"""Fixtures that every test shares: a clean environment, state in a temporary folder, the recorded inputs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from framework.memory.store import Store
from tests.fakes.postgres import Postgres, postgres_folder
from tests.framework.memory_examples import FixedClock, fresh_url

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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for all tests; the test is skipped where the server or its driver is not installed."""
    programs = postgres_folder()
    if programs is None:
        pytest.skip("no PostgreSQL server or no psycopg here")
    with Postgres(programs) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new memory: what uses it is tested on both databases."""
    if request.param == "sqlite":
        return fresh_url(tmp_path)
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_memory()


@pytest.fixture
def clock() -> FixedClock:
    """The time of the memory under test."""
    return FixedClock()


@pytest.fixture
def store(database_url: str, clock: FixedClock) -> Iterator[Store]:
    """A new memory, on either database."""
    with Store.open(database_url, clock=clock) as opened:
        yield opened
