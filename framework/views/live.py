"""The agents at work: the running hunt, the hunts before it, what became of each entry, and the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from framework.memory.records import EntryRecord, HuntRecord
from framework.progress import STAGES, HuntProgress
from framework.views.markup import NOTHING, Html, empty, join, link, moment, table, tag

AGENTS = ("planner", "scanner", "ensemble", "specialist", "frontier", "random_forest", "messaging")
LEVELS = ("debug", "info", "warning", "error", "critical")
_STAGE_WORDS = {
    "poll": "Poll feeds",
    "scan": "Read entries",
    "estimate": "Estimate",
    "judge": "Judge",
    "notify": "Notify",
}
_HIDDEN = {"timestamp", "level", "event", "agent", "logger", "hunt", "exception"}


def progress_line(progress: HuntProgress | None, zone: ZoneInfo, *, paused: bool) -> Html:
    """The stages of the pipeline with the running one marked, or that nothing runs."""
    if progress is None:
        word = "Paused: no hunt starts until you press Resume." if paused else "No hunt is running."
        return tag("p", word, class_="dh-muted", role="status")
    reached = STAGES.index(progress.stage) if progress.stage in STAGES else 0
    steps = [
        tag("li", _STAGE_WORDS[stage], class_=_step(index, reached), aria_current="step" if index == reached else None)
        for index, stage in enumerate(STAGES)
    ]
    return tag(
        "div",
        tag("ol", steps, class_="dh-stages"),
        _bar(progress, reached),
        tag("p", f"Hunt {progress.hunt_id}{_share(progress)}, started ", moment(progress.started, zone)),
        class_="dh-hunt",
        role="status",
    )


def _step(index: int, reached: int) -> str:
    return "dh-done" if index < reached else "dh-now" if index == reached else "dh-ahead"


def _bar(progress: HuntProgress, reached: int) -> Html:
    """How far the hunt is: the stages behind it, and the share of the running one."""
    inside = min(progress.done / progress.total, 1.0) if progress.total else 0.0
    done = round(100 * (reached + inside) / len(STAGES))
    return tag("progress", f"{done}%", value=done, max=100, aria_label="Progress of the hunt")


def _share(progress: HuntProgress) -> str:
    return f": {progress.done} of {progress.total}" if progress.total else ""


def agents_list(lines: Sequence[Mapping[str, Any]]) -> Html:
    """What each agent said last, and when."""
    last = {_speaker(line): line for line in lines}
    return tag("ul", [_agent(name, last.get(name)) for name in AGENTS], class_="dh-agents", aria_label="The agents")


def _agent(name: str, line: Mapping[str, Any] | None) -> Html:
    words = "nothing yet" if line is None else f"{_clock(line)} {line.get('event', '')}"
    trouble = line is not None and _rank(line) >= LEVELS.index("warning")
    label = tag("b", name.replace("_", " "), class_="dh-speaker")
    return tag("li", label, tag("span", words, class_="dh-warned" if trouble else "dh-muted"))


def hunts_table(hunts: Sequence[HuntRecord], zone: ZoneInfo) -> Html:
    """The last hunts with their figures."""
    if not hunts:
        return empty("No hunt yet", "The first one starts by itself; or press Hunt now.")
    rows = [
        (
            moment(hunt.started, zone),
            _lasted(hunt),
            f"{hunt.counts.get('entries_new', 0)} new",
            f"{hunt.counts.get('deals', 0)}",
            f"{hunt.counts.get('opportunities', 0)}",
            hunt.error or "",
        )
        for hunt in hunts
    ]
    return table("Last hunts", ("Started", "Took", "Entries", "Deals", "Opportunities", "Trouble"), rows)


def _lasted(hunt: HuntRecord) -> str:
    return f"{(hunt.finished - hunt.started).total_seconds():.0f} s" if hunt.finished else "not finished"


def entries_table(entries: Sequence[EntryRecord], zone: ZoneInfo) -> Html:
    """What became of the newest entries, and why."""
    if not entries:
        return empty("Nothing read yet", "Entries of your feeds appear here with what became of them.")
    rows = [
        (
            link(record.entry.url, record.entry.title),
            record.verdict.value if record.verdict else "waiting",
            record.reason,
            moment(record.first_seen, zone),
        )
        for record in entries
    ]
    return table("Newest entries", ("Entry", "Became", "Reason", "Seen"), rows)


def log_lines(lines: Sequence[Mapping[str, Any]], *, level: str = "info", agent: str | None = None) -> Html:
    """The log, newest first, from a level up and of one agent where given."""
    least = LEVELS.index(level) if level in LEVELS else 0
    shown = [line for line in lines if _rank(line) >= least and (agent is None or _speaker(line) == agent)]
    if not shown:
        return empty("No log lines here", "Choose a lower level or another agent, or wait for the next hunt.")
    return tag(
        "ol", [_line(line) for line in reversed(shown)], class_="dh-log", aria_label="Log, newest first", tabindex=0
    )


def _rank(line: Mapping[str, Any]) -> int:
    level = str(line.get("level", "info"))
    return LEVELS.index(level) if level in LEVELS else LEVELS.index("error")


def _clock(line: Mapping[str, Any]) -> str:
    """The time of day of a line, in UTC as in the log file."""
    return str(line.get("timestamp", ""))[11:19]


def _speaker(line: Mapping[str, Any]) -> str:
    return str(line.get("agent") or line.get("logger") or "")


def _line(line: Mapping[str, Any]) -> Html:
    pairs = "  ".join(f"{key}={value}" for key, value in line.items() if key not in _HIDDEN)
    trace = line.get("exception")
    level = str(line.get("level", "info"))
    return tag(
        "li",
        tag("span", _clock(line), class_="dh-muted"),
        tag("span", _speaker(line), class_="dh-speaker"),
        tag("span", level, class_="dh-level") if level not in ("info", "debug") else NOTHING,
        tag("b", str(line.get("event", ""))),
        tag("span", pairs),
        tag("pre", str(trace)) if trace else NOTHING,
        class_=f"dh-line dh-line-{level if level in LEVELS else 'error'}",
    )


def live_page(progress: Html, agents: Html, hunts: Html, entries: Html) -> Html:
    """The parts of the Live tab above the log."""
    return join(
        progress,
        tag("h2", "Agents"),
        agents,
        tag("h2", "Last hunts"),
        hunts,
        tag("h2", "Newest entries"),
        entries,
    )
