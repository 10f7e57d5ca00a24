"""Looks after the daemon itself: what its owner must act on is told once when it begins, and once when it is over."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from agents.messaging.base import Message
from agents.messaging.notices import Notices
from framework.memory.records import NotificationState
from framework.memory.snapshot import SET_ASIDE
from framework.memory.store import Store

if TYPE_CHECKING:
    from agents.assemble import Hound

FREE_BYTES = 500_000_000
_FAILED_HUNTS = 3  # in a row

Look = Callable[[], str | None]


class Watch:
    """Looks at everything in turn. A look answers with the trouble in a sentence, ``None`` while all is well."""

    def __init__(self, store: Store, notices: Notices, looks: Mapping[str, Look]) -> None:
        self._store, self._notices, self._looks = store, notices, looks

    def look(self) -> None:
        """One round."""
        for name, look in self._looks.items():
            trouble = look()
            if trouble is not None:
                self._notices.begin(name, Message(title=f"Dealhound: {name}", text=trouble))
            else:
                self._notices.end(name, Message(title=f"Dealhound: {name}", text="It works again.", priority=-1))
        self._tell_of_set_aside_memory()

    def _tell_of_set_aside_memory(self) -> None:
        aside = self._store.get_state(SET_ASIDE)
        if aside is not None:
            text = f"{aside['reason']} It is kept as {aside['kept_as']}; the database is whole, a new one was written."
            self._notices.tell(f"memory.json:{aside['at']}", Message(title="Dealhound: memory.json", text=text))
            self._store.clear_state(SET_ASIDE)


def looks(hound: Hound) -> dict[str, Look]:
    """What is looked at in a running daemon."""
    store, chat = hound.store, hound.chat
    found: dict[str, Look] = {"disk": lambda: _disk(hound), "hunts": lambda: _hunts(store)}
    if chat is not None:
        found["language model"] = chat.budget.exhausted
    for notifier in hound.notifiers:
        found[notifier.channel] = lambda channel=notifier.channel: _channel(store, channel)  # type: ignore[misc]
    return found


def _disk(hound: Hound) -> str | None:
    free = shutil.disk_usage(hound.settings.state).free
    return f"Only {free / 1e6:,.0f} MB are free: make room, or nothing can be stored." if free < FREE_BYTES else None


def _hunts(store: Store) -> str | None:
    last = [hunt for hunt in store.hunts(_FAILED_HUNTS + 1) if hunt.finished is not None][:_FAILED_HUNTS]
    if len(last) < _FAILED_HUNTS or not all(hunt.error for hunt in last):
        return None
    return f"The last {_FAILED_HUNTS} hunts failed: {last[0].error}. ./dealhound doctor says more."


def _channel(store: Store, channel: str) -> str | None:
    last = store.last_finished(channel)
    if last is None or last.state is not NotificationState.REJECTED:
        return None
    return f"{channel} takes no messages: {last.last_error}. ./dealhound notify test tries it."
