"""Logging: hunt ids, redaction, no terminal escapes from the web, a bounded buffer."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from framework.log import configure_logging, hunt_context


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "dealhound.log"
    configure_logging(console=False)  # closes the file


def lines_of(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_line_of_a_hunt_carries_its_id(log_file: Path) -> None:
    configure_logging("info", log_file.parent, console=False)
    log = structlog.get_logger("dealhound").bind(agent="scanner")
    with hunt_context("h1"):
        log.info("read", deals=3)
        logging.getLogger("some.library").warning("odd thing")
    log.info("idle")
    inside, library, outside = lines_of(log_file)
    assert (inside["hunt"], inside["agent"], inside["deals"]) == ("h1", "scanner", 3)
    assert library["hunt"] == "h1"
    assert "hunt" not in outside


def test_secrets_are_cut_out_of_our_lines_and_of_libraries(log_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    buffer = configure_logging("info", log_file.parent, ["sk-secret", "sk-secret-longer"])
    log = structlog.get_logger("dealhound")
    log.info("calling", key="sk-secret", nested={"a": ["x sk-secret-longer y"]})
    logging.getLogger("library").error("failed with %s", "sk-secret")
    try:
        raise ValueError("bad key sk-secret")
    except ValueError:
        log.exception("crashed")
    for text in (log_file.read_text(), capsys.readouterr().err, str(buffer.lines())):
        assert "calling" in text
        assert "sk-secret" not in text
        assert "-longer" not in text


def test_scraped_text_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info")
    structlog.get_logger("dealhound").info("read", title="\x1b[2Jgone\nfake line \u202e")
    shown = capsys.readouterr().err
    assert "\x1b" not in shown
    assert shown.count("\n") == 1
    assert "\u202e" not in shown
    configure_logging(console=False)


def test_the_buffer_keeps_the_newest_lines() -> None:
    buffer = configure_logging("info", console=False)
    for number in range(1_005):
        structlog.get_logger("dealhound").info(f"line {number}")
    lines = buffer.lines(last=2_000)
    assert len(lines) == 1_000
    assert [line["event"] for line in (lines[0], lines[-1])] == ["line 5", "line 1004"]
    assert len(buffer.lines(last=2)) == 2


def test_configuring_twice_does_not_double_the_lines(log_file: Path) -> None:
    configure_logging("info", log_file.parent, console=False)
    configure_logging("info", log_file.parent, console=False)
    structlog.get_logger("dealhound").info("once")
    assert len(lines_of(log_file)) == 1


def test_lines_under_the_level_are_left_out(log_file: Path) -> None:
    configure_logging("warning", log_file.parent, console=False)
    structlog.get_logger("dealhound").info("quiet")
    structlog.get_logger("dealhound").warning("loud")
    assert [line["event"] for line in lines_of(log_file)] == ["loud"]
