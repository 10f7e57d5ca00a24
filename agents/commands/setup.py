"""``init``: asks for what could be set up, tries each answer out, and writes what works."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from agents.setup.parts import PARTS, Part, is_private, split
from framework.errors import SettingsError
from framework.health import Check, CheckStatus
from framework.own_files import with_settings, with_variables, write_private
from framework.settings import Settings, environment_name, load_settings

Row = dict[str, Any]


class Talk(Protocol):
    """The owner at a terminal."""

    def say(self, text: str) -> None:
        """Show a line."""
        ...

    def ask(self, question: str, *, private: bool) -> str:
        """An answer, empty where there is none; a private one is not shown while it is typed."""
        ...

    def agrees(self, question: str) -> bool:
        """A yes or a no."""
        ...


def set_up(
    home: Path,
    environ: Mapping[str, str],
    given: Mapping[str, str],
    talk: Talk | None,
    tried: Callable[[Part, Settings], Check] = lambda part, settings: part.probe(settings),
) -> list[Row]:
    """Go through all parts; one row per part. Without ``talk`` nobody is asked.

    ``given`` are answers that are known beforehand, by setting; without ``talk``, private ones are taken from
    ``environ`` too. Each part is written as soon as it is settled: what was answered is not lost when the rest is
    broken off. What a service refuses is not written, unless its owner insists.
    """
    answers = dict(given)
    if talk is None:
        names = [name for part in PARTS for name in part.settings if is_private(name)]
        answers |= {name: environ[environment_name(name)] for name in names if environ.get(environment_name(name))}
    _require_known(answers)
    rows = []
    for part in PARTS:
        check = _settle(home, part, {n: answers[n] for n in part.settings if n in answers}, talk, tried)
        rows.append(check.model_dump(mode="json"))
    return rows


def not_tried(part: Part, settings: Settings) -> Check:
    """Stands in for a probe where the owner wants nothing tried out."""
    return Check(name=part.name, status=CheckStatus.OK, detail="not tried out")


def pairs(known: Sequence[str]) -> dict[str, str]:
    """``NAME=VALUE`` arguments by setting. A key is refused: every user of the machine sees a command's arguments."""
    answers = {}
    for pair in known:
        name, sign, value = pair.partition("=")
        if not sign:
            raise SettingsError(f"Give --set NAME=VALUE, not {name!r}")
        if is_private(name):
            raise SettingsError(f"Put {environment_name(name)} into the environment instead of --set: it is a secret")
        answers[name] = value
    return answers


def _require_known(answers: Mapping[str, str]) -> None:
    known = {name for part in PARTS for name in part.settings}
    for name in answers:
        if name not in known:
            raise SettingsError(f"The set-up asks for no {name!r}; it knows {', '.join(sorted(known))}")


def _settle(
    home: Path, part: Part, given: dict[str, str], talk: Talk | None, tried: Callable[[Part, Settings], Check]
) -> Check:
    """One part: asked, tried, written."""
    if talk is not None:
        talk.say(f"\n{part.name.capitalize()}. {part.why}")
    while True:
        answers = given | (_ask(home, part, given, talk) if talk else {})
        check = _try(home, part, answers, tried)
        refused = check.status is CheckStatus.FAILED
        if talk is None:
            if answers and not refused:
                _write(home, answers)
            return check
        talk.say(f"  {check.detail}" + (f"\n  {check.fix}" if check.fix else ""))
        if refused and answers and talk.agrees("  Try again?"):
            given = {}
            continue
        if answers and (not refused or talk.agrees("  Keep it anyway?")):
            _write(home, answers)
        return check


def _ask(home: Path, part: Part, given: Mapping[str, str], talk: Talk) -> dict[str, str]:
    current = load_settings(home, {})
    answers = {}
    for name, question in part.asks:
        if name in given:
            continue
        is_set = getattr(current, name) != Settings.model_fields[name].default
        kept = "Enter keeps the one that is set" if is_set else "Enter leaves it out"
        if answer := talk.ask(f"  {question} ({kept})", private=is_private(name)).strip():
            answers[name] = answer
    return answers


def _try(home: Path, part: Part, answers: Mapping[str, str], tried: Callable[[Part, Settings], Check]) -> Check:
    try:
        return tried(part, load_settings(home, {}, **answers))
    except SettingsError as error:
        return Check(name=part.name, status=CheckStatus.FAILED, detail=str(error), fix="Write it as in the example")


def _write(home: Path, answers: Mapping[str, str]) -> None:
    private, plain = split(answers.items())
    if private:
        _change(home / ".env", lambda text: with_variables(text, private))
    if plain:
        _change(home / "dealhound.toml", lambda text: with_settings(text, plain))


def _change(path: Path, change: Callable[[str], str]) -> None:
    write_private(path, change(path.read_text(encoding="utf-8") if path.exists() else ""))
