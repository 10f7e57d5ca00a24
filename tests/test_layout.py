"""The project runs from its checkout: our packages are the ones that load, and nobody else owns their names."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("name", ["framework", "models", "agents"])
def test_our_packages_load_from_this_checkout_and_belong_to_nobody_else(name: str) -> None:
    module = importlib.import_module(name)
    assert Path(str(module.__file__)).parent == ROOT / name
    assert name not in importlib.metadata.packages_distributions()


def test_no_module_shadows_the_standard_library() -> None:
    ours = {path.stem for room in ("framework", "models", "agents") for path in (ROOT / room).glob("*.py")}
    ours |= {path.stem for path in ROOT.glob("*.py")}
    assert ours & (set(sys.stdlib_module_names) - {"__init__"}) == set()


def test_every_package_has_an_init_file() -> None:
    for room in ("framework", "models", "agents"):
        # Alembic loads its scripts by path: they are no package.
        folders = {path.parent for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts}
        assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []
