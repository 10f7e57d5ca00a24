"""``init`` at a real terminal, the API's tokens, and shell completion, as their users have them."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, Cli
from tests.fakes.pushover import TOKEN, USER, FakePushover


class Terminal:
    """A command at a terminal of its own: what it showed, and keys typed once a question has appeared."""

    def __init__(self, *arguments: str, home: Path, **environ: str) -> None:
        self._master, slave = pty.openpty()
        self.shown = ""
        self._read_to = 0
        self.process = subprocess.Popen(
            [sys.executable, ROOT / "cli.py", *arguments],
            env={**os.environ, "DEALHOUND_HOME": str(home), "TERM": "dumb", **environ},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)

    def answer(self, question: str, keys: str) -> None:
        """Wait for the question, then type: after its last blank, because what is typed earlier may be thrown away."""
        whole = re.compile(re.escape(question) + r"[^\n]*: $")
        self._wait(lambda: whole.search(self.shown[self._read_to :]))
        self._read_to = len(self.shown)
        os.write(self._master, f"{keys}\n".encode())

    def end(self) -> int:
        """Everything shown, and the exit status."""
        self._wait(lambda: self.process.poll() is not None and not self._ready(0))
        os.close(self._master)
        return int(self.process.wait(30))

    def _ready(self, seconds: float) -> bool:
        return bool(select.select([self._master], [], [], seconds)[0])

    def _wait(self, condition: object) -> None:
        end = time.monotonic() + 240
        while not condition():  # type: ignore[operator]
            assert time.monotonic() < end, f"it did not come: {self.shown[-500:]}"
            if self._ready(0.2):
                try:
                    self.shown += os.read(self._master, 65_536).decode()
                except OSError:  # the other end is closed
                    self.process.wait(30)
                    return


@pytest.mark.timeout(600)
def test_the_set_up_at_a_terminal_tries_keys_out_and_never_shows_them(home: Path) -> None:
    with FakePushover() as pushover:
        (home / "dealhound.toml").write_text(f'pushover_url = "{pushover.url}"\n')
        terminal = Terminal("init", home=home)
        terminal.answer("Pushover user key", USER)
        terminal.answer("Pushover application token", "x" * 30)
        terminal.answer("Apprise URLs", "")
        terminal.answer("Try again?", "y")
        terminal.answer("Pushover user key", USER)
        terminal.answer("Pushover application token", TOKEN)
        terminal.answer("Apprise URLs", "")
        for question in ("Key of OpenAI", "Base URL", "Name of the model", "Modal token id", "Modal token secret"):
            terminal.answer(question, "")
        for question in ("URL, such as postgresql", "URL, such as http://localhost:8000"):
            terminal.answer(question, "")
        terminal.answer("Address to listen on", "")
        terminal.answer("Password", "long and private")
        terminal.answer("Time zone", "Europe/Berlin")
        terminal.answer("Quiet hours", "22:00-07:00")
        assert terminal.end() == 0
    for secret in (USER, TOKEN, "x" * 30, "long and private"):
        assert secret not in terminal.shown
    assert "Pushover knows user and application" in terminal.shown
    written = (home / ".env").read_text()
    assert TOKEN in written
    assert "DEALHOUND_PASSWORD='long and private'" in written
    assert 'timezone = "Europe/Berlin"' in (home / "dealhound.toml").read_text()


def test_without_questions_it_answers_in_json_and_fails_where_a_key_is_refused(cli: Cli, home: Path) -> None:
    with FakePushover() as pushover:
        (home / "dealhound.toml").write_text(f'pushover_url = "{pushover.url}"\n')
        done = cli("init", "--yes", "--json", "--set", "timezone=UTC", PUSHOVER_USER=USER, PUSHOVER_TOKEN="y" * 30)
    assert done.status == 1
    assert {row["name"]: row["status"] for row in done.rows}["phone"] == "failed"
    assert "y" * 30 not in done.out + done.err
    assert not (home / ".env").exists()
    assert cli("init", "--json").status == 2
    refused = cli("init", "--yes", "--set", "password=secret")
    assert refused.status == 2
    assert "secret:" not in refused.err


def test_tokens_are_made_listed_and_ended(cli: Cli) -> None:
    password = {"DEALHOUND_PASSWORD": "long and private"}
    made = cli("tokens", "add", "script", "--json", **password)
    assert made.rows[0]["token"].startswith("dh_")
    assert cli("tokens", "list", "--json", **password).rows == [{"name": "script"}]
    assert cli("tokens", "remove", "script", **password).status == 0
    assert cli("tokens", "remove", "script", **password).status == 2
    assert "set one first" in cli("tokens", "add", "script").err


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
def test_bash_completes_commands_of_the_launcher(tmp_path: Path) -> None:
    launcher = tmp_path / "dealhound"
    launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT}/cli.py" "$@"\n')
    launcher.chmod(0o755)
    script = f"""
        PATH="{tmp_path}:$PATH"
        source <(_DEALHOUND_COMPLETE=source_bash dealhound)
        complete -p dealhound >&2
        COMP_WORDS=(dealhound feeds e) COMP_CWORD=2
        _dealhound_completion dealhound e feeds
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout.split() == ["export"], done.stderr
