"""The operator hears of trouble once, and of its end."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from agents import watch
from agents.messaging.notices import Notices
from agents.watch import Watch, looks
from framework.memory.records import NotificationState
from framework.memory.snapshot import Snapshot
from framework.memory.store import Store
from tests.framework.memory_examples import FixedClock, entry, surface


def said(store: Store) -> list[tuple[str, str]]:
    """Titles and texts of the notices, oldest first."""
    messages = [notification.message for notification in store.notifications() if notification.kind == "notice"]
    return [(message["title"], message["text"]) for message in reversed(messages) if message]


def test_trouble_is_told_once_and_its_end_once(store: Store) -> None:
    trouble: list[str | None] = [None]
    look = Watch(store, Notices(store, ["console"]), {"disk": lambda: trouble[0]}).look
    look()
    assert said(store) == []
    trouble[0] = "It is full."
    look()
    look()
    assert said(store) == [("Dealhound: disk", "It is full.")]
    trouble[0] = None
    look()
    look()
    assert [text for _, text in said(store)] == ["It is full.", "It works again."]


def test_what_is_looked_at_in_a_daemon(
    store: Store, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = SimpleNamespace(exhausted=lambda: "Today's budget is spent")
    hound = SimpleNamespace(
        store=store,
        chat=SimpleNamespace(budget=budget),
        notifiers=[SimpleNamespace(channel="pushover")],
        settings=SimpleNamespace(state=tmp_path),
    )
    found = looks(hound)  # type: ignore[arg-type]
    assert set(found) == {"disk", "hunts", "language model", "pushover"}
    assert found["language model"]() == "Today's budget is spent"
    assert found["disk"]() is None
    monkeypatch.setattr(watch, "FREE_BYTES", 1 << 60)
    assert "MB are free" in str(found["disk"]())

    for number in range(3):
        assert found["hunts"]() is None
        store.finish_hunt(store.start_hunt(f"h{number}"), error="no such table")
        clock.forward(minutes=1)
    assert "The last 3 hunts failed: no such table" in str(found["hunts"]())
    store.finish_hunt(store.start_hunt("h9"))
    assert found["hunts"]() is None

    surface(store, entry(1), channels=("pushover",))
    assert found["pushover"]() is None
    (waiting,) = store.due_notifications(clock.now)
    store.mark(waiting.id, NotificationState.REJECTED, detail="user key is invalid")
    assert "user key is invalid" in str(found["pushover"]())


def test_a_damaged_memory_json_is_set_aside_told_of_and_never_overwritten(store: Store, tmp_path: Path) -> None:
    surface(store, entry(1))
    file = tmp_path / "memory.json"
    file.write_text('[{"deal": {"product_descr')  # a program was killed while it wrote
    Snapshot(file, store).load()
    assert not file.exists()
    (kept,) = tmp_path.glob("memory.unreadable-*.json")
    assert kept.read_text() == '[{"deal": {"product_descr'
    assert Snapshot(file, store).write()
    look = Watch(store, Notices(store, ["console"]), {}).look
    look()
    look()
    (notice,) = said(store)
    assert kept.name in notice[1]
    assert "half-written" in notice[1]
