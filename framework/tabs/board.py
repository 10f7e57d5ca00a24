"""The parts of the page that are re-read by a timer; only what changed is sent, and a hidden tab waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from framework.tabs.look import HTML, QUIET

_REFRESH, _WATCHING = 3, 1  # seconds; the second while a hunt can be watched


@dataclass(frozen=True)
class _Part:
    tab: str  # its tab's label, "" above all tabs
    component: Any
    read: Callable[..., str]
    inputs: int


class Board:
    """The parts and the tabs of one page. ``watched`` is the tab that is re-read every second."""

    def __init__(self, gr: Any, blocks: Any, *, watched: str) -> None:
        self._gr, self._blocks, self._watched = gr, blocks, watched
        self._parts: list[_Part] = []
        self._inputs: list[Any] = []
        self._tabs: dict[str, Any] = {}
        self._changes: list[Any] = []

    def tab(self, label: str) -> Any:
        """A tab whose parts are read while it is in front."""
        self._tabs[label] = tab = self._gr.Tab(label)
        return tab

    def show(self, name: str, read: Callable[..., str], *inputs: Any) -> None:
        """A part at this place of the page: what ``read`` makes of the inputs' values."""
        component = self._gr.HTML(elem_id=f"dh-{name}", **HTML)
        self._parts.append(_Part(next(reversed(self._tabs), ""), component, read, len(inputs)))
        self._inputs += inputs

    def refresh_on(self, *events: Any) -> None:
        """Read again at once when these happen."""
        self._changes += events

    def wire(self) -> None:
        """Connect the timer, the tabs and the page's start."""
        gr = self._gr
        front, timer = gr.State(next(iter(self._tabs))), gr.Timer(_REFRESH)
        seen = gr.State([None] * len(self._parts))
        reading = {
            "fn": self._read,
            "inputs": [front, seen, *self._inputs],
            "outputs": [seen, *(part.component for part in self._parts)],
            "concurrency_limit": 4,
            **QUIET,
        }
        for label, tab in self._tabs.items():
            seconds = _WATCHING if label == self._watched else _REFRESH
            to_front = lambda label=label, seconds=seconds: (label, gr.Timer(seconds))  # noqa: E731
            tab.select(to_front, None, [front, timer], **QUIET).then(**reading)
        gr.on([self._blocks.load, timer.tick, *self._changes], **reading)

    def _read(self, front: str, seen: list[int | None], *values: Any) -> list[Any]:
        """What changed since this visitor saw it; ``seen`` holds a mark per part."""
        fresh, rest = list(seen), list(values)
        shown: list[Any] = []
        for index, part in enumerate(self._parts):
            arguments, rest = rest[: part.inputs], rest[part.inputs :]
            content = part.read(*arguments) if part.tab in ("", front) else None
            mark = seen[index] if content is None else hash(content)
            shown.append(self._gr.skip() if mark == seen[index] else content)
            fresh[index] = mark
        return [fresh, *shown]
