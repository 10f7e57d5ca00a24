"""Structured logs: colour on the console, JSON lines in a rotating file, a bounded buffer for the dashboard.

Events carry key=value pairs; every line of a hunt carries its ``hunt`` id (bound with ``hunt_context``). Colour is the
console formatter's business, never part of a message. Secrets that the settings know are cut out of every line, from
our own code and from libraries alike, before any handler sees it.
"""

from __future__ import annotations

import collections
import json
import logging
import logging.handlers
import sys
from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog

# ANSI colours per agent, so that one sees at a glance who speaks.
_COLOURS = {
    "planner": "\033[32m",
    "scanner": "\033[36m",
    "ensemble": "\033[33m",
    "specialist": "\033[31m",
    "frontier": "\033[34m",
    "random_forest": "\033[35m",
    "messaging": "\033[96m",
}
_RESET = "\033[0m"
_LIBRARIES_TO_HUSH = (
    *("httpx", "httpx2", "chromadb", "apscheduler", "alembic", "urllib3", "asyncio", "gradio", "procrastinate"),
    *("uvicorn", "uvicorn.error"),
)
# Text of the web in a log line: no terminal escape, no line break, no bidi override may come through.
_UNPRINTABLE = dict.fromkeys((*range(32), *range(127, 160), *range(8234, 8239), *range(8294, 8298)), "�")


class LogBuffer(logging.Handler):
    """The newest lines, as dicts, for the dashboard. Bounded, so that years of logs take no memory."""

    def __init__(self, size: int = 1_000) -> None:
        super().__init__()
        self._lines: collections.deque[dict[str, Any]] = collections.deque(maxlen=size)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line of one record, as the JSON formatter leaves it: with context, without secrets."""
        self._lines.append(json.loads(self.format(record)))

    def lines(self, last: int = 200) -> list[dict[str, Any]]:
        """The newest ``last`` lines, oldest first."""
        return list(self._lines)[-last:]


def configure_logging(
    level: str = "info", folder: Path | None = None, secrets: Iterable[str] = (), *, console: bool = True
) -> LogBuffer:
    """Set up logging for the process and return the dashboard's buffer. Called again, it replaces its handlers."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _Redactor(secrets),
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    json_line = structlog.processors.JSONRenderer(default=str)
    buffer = LogBuffer()
    handlers = [_formatted(buffer, json_line, shared)]
    if console:
        handlers.append(_formatted(logging.StreamHandler(sys.stderr), _console_line, shared))
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        rotating = logging.handlers.RotatingFileHandler(
            folder / "dealhound.log", maxBytes=5_000_000, backupCount=5, encoding="utf-8", delay=True
        )
        handlers.append(_formatted(rotating, json_line, shared))
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if getattr(handler, "_dealhound", False)]:
        root.removeHandler(old)
        old.close()
    for handler in handlers:
        handler._dealhound = True  # type: ignore[attr-defined]
        root.addHandler(handler)
    root.setLevel(level.upper())
    for name in _LIBRARIES_TO_HUSH:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    return buffer


@contextmanager
def hunt_context(hunt_id: str) -> Iterator[None]:
    """Every line logged inside carries the hunt's id."""
    with structlog.contextvars.bound_contextvars(hunt=hunt_id):
        yield


class _Redactor:
    """Replaces every known secret in any text of a line."""

    def __init__(self, secrets: Iterable[str]) -> None:
        # Longest first: a secret that contains another one must go as a whole.
        self._secrets = sorted({secret for secret in secrets if len(secret) >= 4}, key=len, reverse=True)

    def __call__(self, logger: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for key, value in line.items():
            line[key] = self._clean(value)
        return line

    def _clean(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._clean(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._clean(item) for item in value]
        if isinstance(value, int | float | bool) or value is None:
            return value
        text = str(value)
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def _formatted(handler: logging.Handler, renderer: Any, shared: list[Any]) -> logging.Handler:
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    return handler


def _console_line(logger: Any, method: str, line: MutableMapping[str, Any]) -> str:
    """``12:30:01 scanner  read  deals=3 skipped=2`` with the agent's colour on a terminal."""
    time = str(line.pop("timestamp", ""))[11:19]
    level = str(line.pop("level", "info"))
    name = str(line.pop("agent", None) or line.get("logger", ""))
    line.pop("logger", None)
    line.pop("hunt", None)  # in the file; on the console one hunt follows the other
    trace = line.pop("exception", None)
    event = printable(line.pop("event", ""))
    pairs = " ".join(f"{key}={printable(value)}" for key, value in line.items())
    mark = "" if level in ("info", "debug") else f"{level.upper()}: "
    colour = _COLOURS.get(name, "") if sys.stderr.isatty() else ""
    text = f"{time} {colour}{name:<13}{_RESET if colour else ''} {mark}{event}{'  ' + pairs if pairs else ''}"
    return f"{text}\n{trace}" if trace else text


def printable(value: Any) -> str:
    """Any text with its control and direction characters made visible, for terminals."""
    return str(value).translate(_UNPRINTABLE)
