"""The doctor looks at every part, and says of each that is not well what to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agents import doctor_service
from agents.assemble import Hound
from agents.commands import operating
from framework.health import CheckStatus
from framework.settings import load_settings
from tests.fakes.openai_server import fails, scripted

PARTS = {
    *("installation", "settings", "database", "memory.json", "daemon", "dashboard", "work", "disk", "feeds", "reader"),
    *("budget", "specialist", "frontier", "random_forest", "blender", "catalogue", "messages", "learning"),
}


@pytest.fixture
def hound(tmp_path: Path) -> Iterator[Hound]:
    with Hound(load_settings(tmp_path, {})) as assembled:
        yield assembled


def test_every_part_is_looked_at_and_what_is_not_well_has_a_fix(hound: Hound) -> None:
    rows = operating.doctor(hound)
    assert {row["name"] for row in rows} >= PARTS
    assert [row for row in rows if row["status"] != "ok" and not row["fix"]] == []
    assert [row for row in rows if row["status"] == "failed"] == []


def test_a_daemon_is_told_by_its_last_hunt(hound: Hound) -> None:
    assert doctor_service.daemon(hound).detail == "no hunt so far"
    hound.store.start_hunt("one")
    hound.store.finish_hunt("one", error="the disk is full")
    assert "the disk is full" in doctor_service.daemon(hound).detail
    hound.store.start_hunt("two")
    hound.store.finish_hunt("two")
    assert doctor_service.daemon(hound).status is CheckStatus.OK


def test_a_daemon_that_is_gone_for_long_is_missed(tmp_path: Path) -> None:
    with Hound(load_settings(tmp_path, {}, interval=10)) as hound:
        hound.store._clock = lambda: datetime.now(UTC) - timedelta(hours=1)
        hound.store.start_hunt("old")
        hound.store.finish_hunt("old")
        check = doctor_service.daemon(hound)
    assert check.status is CheckStatus.DEGRADED
    assert "./dealhound run" in check.fix


def test_a_broken_memory_file_and_a_short_password_are_named(tmp_path: Path) -> None:
    with Hound(load_settings(tmp_path, {"DEALHOUND_PASSWORD": "short"})) as hound:
        (tmp_path / "memory.json").write_text("[{]")
        assert doctor_service.memory_file(hound).status is CheckStatus.FAILED
        (tmp_path / "memory.json").write_text('[{"what": "is this"}]')
        assert doctor_service.memory_file(hound).detail == "1 items are no opportunities"
        assert doctor_service.dashboard(hound).status is CheckStatus.DEGRADED


def test_services_that_are_set_up_are_asked(tmp_path: Path) -> None:
    with scripted(fails(401, "Incorrect API key")) as server:
        settings = load_settings(tmp_path, {"DEALHOUND_LLM_BASE_URL": server.url, "OPENAI_API_KEY": "sk-wrong-000000"})
        (check,) = doctor_service.services(settings)
    assert (check.name, check.status) == ("language model", CheckStatus.FAILED)
    assert check.fix
    assert list(doctor_service.services(load_settings(tmp_path, {}))) == []
