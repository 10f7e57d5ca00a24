"""The command line as its users have it: a process of its own, over a home folder of the test's own; and a browser."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.browser import chromium as open_chromium

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Outcome:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The JSON lines on stdout; every line must be one."""
        return [json.loads(line) for line in self.out.splitlines()]


Cli = Callable[..., Outcome]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def cli(home: Path) -> Cli:
    """Run ``cli.py`` with arguments; keyword arguments become environment variables."""

    def run(*arguments: str | Path, **environ: str) -> Outcome:
        done = subprocess.run(
            [sys.executable, ROOT / "cli.py", *arguments],
            env={**os.environ, "DEALHOUND_HOME": str(home), **environ},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One headless Chromium for all tests."""
    with open_chromium() as driver:
        yield driver
