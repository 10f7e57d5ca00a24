"""The deploy folder, checked by what can be checked without Docker: names, paths, ports and hardening."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from framework.settings import load_settings

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
IGNORED = (ROOT / ".dockerignore").read_text().splitlines()
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]


def _instructions(name: str) -> list[str]:
    joined = DOCKERFILE.replace("\\\n", " ")
    return [line.split(None, 1)[1] for line in joined.splitlines() if line.startswith(f"{name} ")]


def _environment() -> dict[str, str]:
    pairs = re.findall(r"([A-Z_]+)=(\S+)", " ".join(_instructions("ENV")))
    return {name: value for name, value in pairs if name.startswith("DEALHOUND_")}


def test_the_image_holds_all_that_runs_and_nothing_else() -> None:
    copied = [source for line in _instructions("COPY") for source in line.split()[:-1]]
    assert all((ROOT / source).exists() for source in copied)
    assert all(f"!{source}" in IGNORED for source in copied)
    assert {"framework", "models", "agents", "cli.py", "scheduler.py", "dashboard.py"} <= set(copied)
    assert not {"tests", "benchmarks", ".env", "state", "memory.json"} & set(copied)
    assert IGNORED[1] == "*", "only what is named gets in"


def test_the_image_runs_without_root_and_says_how_it_is() -> None:
    assert _instructions("USER") == ["10001:10001"]
    assert DOCKERFILE.index("USER 10001") < DOCKERFILE.index("ENTRYPOINT")
    (base,) = _instructions("FROM")
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", base)
    (check,) = _instructions("HEALTHCHECK")
    assert "/healthz" in check
    assert _instructions("ENTRYPOINT") == ['["python", "cli.py"]']
    (extra,) = [line.partition("=")[2] for line in _instructions("ARG")]
    assert extra in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def test_the_images_settings_are_settings_and_the_port_is_the_exposed_one(tmp_path: Path) -> None:
    environment = {**_environment(), "DEALHOUND_PASSWORD": "given"}
    settings = load_settings(tmp_path, environment)
    assert str(settings.port) == _instructions("EXPOSE")[0]
    assert settings.host == "0.0.0.0"
    assert environment["DEALHOUND_HOME"] == _instructions("VOLUME")[0]


def test_every_setting_in_the_compose_file_is_one(tmp_path: Path) -> None:
    named = set(re.findall(r"(DEALHOUND_[A-Z_]+)=?", (DEPLOY / "compose.yaml").read_text()))
    values = {
        "DEALHOUND_HOST": "0.0.0.0",
        "DEALHOUND_PASSWORD": "given",
        "DEALHOUND_DATABASE_URL": "postgresql+psycopg://dealhound:x@postgres/dealhound",
        "DEALHOUND_CHROMA_URL": "http://chroma:8000",
        "DEALHOUND_LLM_BASE_URL": "http://llama:8080/v1",
        "DEALHOUND_LLM_MODEL": "local",
    }
    assert named == set(values)
    assert load_settings(tmp_path, values).allow_hosts == (), "feeds and pages have no business with the other services"


def test_services_are_hardened_pinned_and_optional() -> None:
    assert set(SERVICES) == {"dealhound", "postgres", "chroma", "llama"}
    for name, service in SERVICES.items():
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["logging"]["options"]["max-size"], name
        assert ":" in service["image"], name
        assert not service["image"].endswith(":latest"), name
        assert ("profiles" in service) == (name != "dealhound"), name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source.startswith("./") or source in COMPOSE["volumes"], volume
    hound = SERVICES["dealhound"]
    assert hound["ports"] == ["127.0.0.1:7860:7860"]
    assert "ports" not in SERVICES["postgres"]
    assert hound["read_only"]
    assert hound["cap_drop"] == ["ALL"]
    assert (DEPLOY / hound["build"]["context"] / hound["build"]["dockerfile"]).resolve() == DEPLOY / "Dockerfile"


def test_the_chroma_server_is_as_new_as_its_client() -> None:
    pins = (DEPLOY / "constraints.txt").read_text()
    assert f"chromadb=={SERVICES['chroma']['image'].rpartition(':')[2]}" in pins


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_the_unit_is_sound_and_hardened(tmp_path: Path) -> None:
    unit = tmp_path / "dealhound.service"
    unit.write_text((DEPLOY / "dealhound.service").read_text().replace("/opt/dealhound/.venv/bin/python", "/bin/sh"))
    verified = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, timeout=60)
    assert (verified.returncode, verified.stderr) == (0, "")
    graded = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", unit],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert graded.returncode == 0, graded.stdout[-200:]


def test_the_unit_starts_what_is_there_and_names_settings() -> None:
    text = (DEPLOY / "dealhound.service").read_text()
    assert "ExecStart=/opt/dealhound/.venv/bin/python /opt/dealhound/cli.py run" in text
    assert (ROOT / "cli.py").exists()
    assert re.search(r"^WatchdogSec=\d+$", text, re.M)
    assert "DEALHOUND_HOME=/var/lib/dealhound" in text
