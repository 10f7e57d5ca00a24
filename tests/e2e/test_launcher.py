"""The launcher: sets itself up once, says clearly what is missing, and may be started twice at once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in small: the real launcher, no dependencies, and a command line that prints its arguments."""
    folder = tmp_path_factory.mktemp("launcher") / "a checkout"  # with a space, as on people's machines
    (folder / "deploy").mkdir(parents=True)
    shutil.copy(ROOT / "dealhound", folder)
    (folder / "deploy/constraints.txt").write_text("")
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "stand-in"\nversion = "1"\n'
    )
    (folder / "backend.py").write_text(BACKEND)
    (folder / "cli.py").write_text("import sys\nprint('ran', sys.argv[1:])\n")
    return folder


@pytest.fixture(scope="module")
def set_up(fresh: Path) -> tuple[Path, tuple[int, str, str]]:
    """The checkout after its first start, and how that start ended. Making an environment is slow: it is made once."""
    return fresh, run(fresh, "hunt", "--feed", "a b")


@pytest.fixture
def checkout(set_up: tuple[Path, tuple[int, str, str]], tmp_path: Path) -> Path:
    """A copy of the checkout after its first start."""
    return Path(shutil.copytree(set_up[0], tmp_path / "a checkout", symlinks=True))


def change_pins(checkout: Path) -> None:
    (checkout / "deploy/constraints.txt").write_text("# other pins\n")


# The least that pip asks of a build backend: an editable wheel without any content.
BACKEND = """
import time, zipfile
def build_editable(folder, config_settings=None, metadata_directory=None):
    time.sleep(1)
    name = "stand_in-1-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr("stand_in-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: stand-in\\nVersion: 1\\n")
        tags = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        wheel.writestr("stand_in-1.dist-info/WHEEL", tags)
        wheel.writestr("stand_in-1.dist-info/RECORD", "")
    return name
"""


def start(checkout: Path, *arguments: str, **environ: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "DEALHOUND_PYTHON": sys.executable, **environ}
    return subprocess.Popen(
        [checkout / "dealhound", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(checkout: Path, *arguments: str, **environ: str) -> tuple[int, str, str]:
    process = start(checkout, *arguments, **environ)
    out, err = process.communicate(timeout=110)
    return process.returncode, out, err


def test_it_sets_up_once_and_passes_its_arguments_on(set_up: tuple[Path, tuple[int, str, str]]) -> None:
    folder, (status, out, err) = set_up
    assert (status, out) == (0, "ran ['hunt', '--feed', 'a b']\n"), err
    assert "installing" in err
    assert run(folder, "hunt") == (0, "ran ['hunt']\n", "")


def test_new_pins_are_installed(checkout: Path) -> None:
    change_pins(checkout)
    _, _, err = run(checkout)
    assert "installing" in err
    assert "making .venv" not in err


def test_two_that_start_at_once_install_once(checkout: Path) -> None:
    change_pins(checkout)
    first, second = start(checkout, "one"), start(checkout, "two")
    errors = [process.communicate(timeout=110)[1] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), errors
    assert "".join(errors).count("installing") == 1
    assert not (checkout / ".venv.lock").exists()


def test_a_lock_whose_holder_died_is_taken_over(checkout: Path) -> None:
    change_pins(checkout)
    gone = subprocess.Popen(["true"])
    gone.wait()
    (checkout / ".venv.lock").mkdir()
    (checkout / ".venv.lock/pid").write_text(str(gone.pid))
    status, _, err = run(checkout)
    assert status == 0, err


def test_an_old_python_is_named_as_the_reason(checkout: Path, tmp_path: Path) -> None:
    shutil.rmtree(checkout / ".venv")
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")  # what the launcher's question to an old Python ends with
    old.chmod(0o755)
    status, _, err = run(checkout, DEALHOUND_PYTHON=str(old))
    assert status == 1
    assert "needs Python 3.11 or newer" in err


def test_a_failed_installation_says_so_and_is_tried_again(checkout: Path) -> None:
    change_pins(checkout)
    backend = checkout / "backend.py"
    backend.write_text("raise RuntimeError('no space left')\n")
    status, _, err = run(checkout)
    assert status == 1
    assert "the installation failed" in err
    assert "Check the network" in err
    backend.write_text(BACKEND)
    assert run(checkout)[0] == 0


def test_an_unknown_extra_is_named(checkout: Path) -> None:
    status, _, err = run(checkout, "setup", "everything")
    assert status == 1
    assert "no extra is called everything" in err


def test_a_signal_while_it_runs_reaches_the_program(checkout: Path) -> None:
    (checkout / "cli.py").write_text("import time\nprint('up', flush=True)\ntime.sleep(60)\n")
    process = start(checkout)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.terminate()
    process.communicate(timeout=20)
    assert process.returncode != 0
