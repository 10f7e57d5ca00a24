"""What the doctor looks at beside the pipeline: the installation, the daemon, its dashboard, budget and memory file."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import metadata
from typing import TYPE_CHECKING

from agents.setup import probes
from framework.errors import SnapshotError
from framework.health import Check, degraded, failed, ok
from framework.settings import PROJECT, Settings

if TYPE_CHECKING:
    from agents.assemble import Hound

_SHORT_PASSWORD = 10
_SLACK = timedelta(minutes=15)


def installation(hound: Hound) -> Check:
    """Whether the libraries are those that this release was tested with."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = dict(line.split("==") for line in project["dependencies"] if "==" in line)
    other = [f"{name} {_version(name)} (tested: {pin})" for name, pin in pins.items() if _version(name) != pin]
    if other:
        return degraded("installation", ", ".join(other), "Start through ./dealhound, which installs what was tested")
    return ok("installation", f"{len(pins)} libraries as tested")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "missing"


def daemon(hound: Hound) -> Check:
    """Whether hunts run, by what the memory says of the last one."""
    last = hound.store.hunts(1)
    start = "Start it: ./dealhound run; docs/operate.md says how it runs as a service"
    if not last:
        return degraded("daemon", "no hunt so far", start)
    ended = last[0].finished or last[0].started
    age = datetime.now(UTC) - ended
    said = f"last hunt {ended:%Y-%m-%d %H:%M} UTC"
    if last[0].error:
        return degraded("daemon", f"{said} ended early: {last[0].error}", "See state/logs/dealhound.log at that time")
    if age > timedelta(seconds=2 * hound.settings.interval) + _SLACK:
        return degraded("daemon", f"{said}: no daemon seems to run", start)
    return ok("daemon", said)


def dashboard(hound: Hound) -> Check:
    """Who can reach the dashboard."""
    check = probes.dashboard(hound.settings)
    password = hound.settings.password
    if password is not None and len(password.get_secret_value()) < _SHORT_PASSWORD:
        return degraded("dashboard", "the password is short", f"Set one of {_SHORT_PASSWORD} characters or more")
    return check


def budget(hound: Hound) -> Check:
    """What the language model may still use today."""
    if hound.chat is None:
        return ok("budget", "no language model, nothing to pay")
    if reason := hound.chat.budget.exhausted():
        return degraded("budget", reason, "Wait for tomorrow, or raise llm_daily_tokens or llm_daily_money")
    spent = hound.chat.budget.today()
    return ok("budget", f"{spent.calls} calls, {spent.tokens_in + spent.tokens_out:,} tokens, ${spent.usd:.4f} today")


def memory_file(hound: Hound) -> Check:
    """Whether memory.json reads back."""
    from framework.memory.snapshot import read

    path = hound.settings.home / "memory.json"
    try:
        opportunities, foreign = read(path, datetime.now(UTC))
    except FileNotFoundError:
        return ok("memory.json", "not written yet")
    except SnapshotError as error:
        fix = f"Move {path} away; it is written anew after the next find"
        return failed("memory.json", str(error), fix)
    if foreign:
        fix = "They are left out; delete them from the file, or leave them"
        return degraded("memory.json", f"{foreign} items are no opportunities", fix)
    return ok("memory.json", f"{len(opportunities):,} opportunities")


def services(settings: Settings) -> Iterator[Check]:
    """The services that are set up, each asked now: takes seconds, and one word of the language model."""
    if settings.pushover_user or settings.pushover_token or settings.apprise_urls:
        yield probes.phone(settings)
    check = probes.language_model(settings)
    if not check.detail.startswith("none"):
        yield check
    if settings.modal_token_id or settings.modal_token_secret:
        yield probes.modal_token(settings)
    if settings.chroma_url:
        yield probes.chroma(settings).model_copy(update={"name": "chroma server"})
