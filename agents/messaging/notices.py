"""Notices to the operator: once when trouble begins, once when it is over, never in between."""

from __future__ import annotations

from collections.abc import Sequence

from agents.messaging.base import Message
from framework.memory.store import Store


class Notices:
    """Episodes by name ("feed https://...", "budget", "disk"). They are remembered over restarts."""

    def __init__(self, store: Store, channels: Sequence[str]) -> None:
        """``channels`` take the notices; they may be others than those of the deals."""
        self._store, self._channels = store, tuple(channels)

    def begin(self, episode: str, message: Message) -> bool:
        """Trouble has begun, or goes on; True when a notice was put into the outbox."""
        known = self._known(episode)
        if known["open"]:
            return False
        number = int(known["number"]) + 1
        self._enqueue(f"notice:{episode}:{number}:begin", message)
        self._store.set_state(f"notice.{episode}", {"open": True, "number": number})
        return True

    def end(self, episode: str, message: Message) -> bool:
        """All is well; True when that ended an episode and a notice says so."""
        known = self._known(episode)
        if not known["open"]:
            return False
        self._enqueue(f"notice:{episode}:{known['number']}:end", message)
        self._store.set_state(f"notice.{episode}", {"open": False, "number": known["number"]})
        return True

    def tell(self, key: str, message: Message) -> None:
        """Say something once; the same ``key`` is not said again."""
        self._enqueue(f"notice:{key}", message)

    def _known(self, episode: str) -> dict[str, int]:
        return dict(self._store.get_state(f"notice.{episode}") or {"open": False, "number": 0})

    def _enqueue(self, key: str, message: Message) -> None:
        """First the outbox, then the state: a crash in between enqueues the same key again, which changes nothing."""
        for channel in self._channels:
            self._store.enqueue(channel, key, message.model_dump(mode="json"), kind="notice")
