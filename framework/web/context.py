"""All that the dashboard and the API may see and do, handed in by whoever starts them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from framework.atlas import Atlas
from framework.deals import Estimate
from framework.health import Check
from framework.memory.base import Clock, utc_now
from framework.memory.store import Store
from framework.progress import HuntProgress
from framework.settings import Settings
from framework.votelinks import VoteLinks

# A question and the (question, answer) turns before it, to the answer as it grows: each text is all of it so far.
AskModel = Callable[[str, Sequence[tuple[str, str]]], Iterator[str]]


class Lines(Protocol):
    """The newest log lines, as ``framework.log.LogBuffer`` keeps them."""

    def lines(self, last: int = 200) -> list[dict[str, Any]]:
        """The newest ``last`` lines, oldest first."""
        ...


class Controls(Protocol):
    """What the owner can do to the running daemon. Every call returns at once; work goes on elsewhere."""

    def hunt_now(self) -> bool:
        """Start a hunt as soon as possible; False when one is running or waiting already."""
        ...

    def pause(self) -> None:
        """Start no further hunts until ``resume``; the running one ends."""
        ...

    def resume(self) -> None:
        """Hunt by the schedule again."""
        ...

    def paused(self) -> bool:
        """Whether hunts are paused."""
        ...


class Preferences(Protocol):
    """The settings that the owner can change while the daemon runs."""

    def settings(self) -> Settings:
        """The settings in force."""
        ...

    def fixed(self) -> Mapping[str, str]:
        """Those that cannot be changed here, by name, with what sets them (such as an environment variable)."""
        ...

    def change(self, wishes: Mapping[str, str | None]) -> str:
        """Put wishes in force and keep them, ``None`` for the default; returns where. Raises ``SettingsError``."""
        ...


@dataclass(frozen=True)
class DashboardContext:
    """The daemon as the dashboard sees it. What is ``None`` is not offered (there is no button for it).

    ``checks`` are doctor's (they may be slow: the answer is kept for a minute); ``atlas`` answers at once, ``None``
    while the map is being laid out; ``price`` gives one estimate per description, or the sentence why there is none,
    and may take seconds; ``resend`` puts an opportunity's notification into the outbox once more and says so;
    ``test_notification`` sends one message through every channel and says what each answered; ``evaluation`` is the
    last evaluation's report; ``ask`` answers from a language model and raises ``ChatError`` where it cannot;
    ``vote_links`` opens the page behind an alert's link; ``usage`` says what that model has used today;
    ``fetch_picture`` brings a file of the web and raises ``DealhoundError``; ``preferences`` are the settings that can
    be changed from here.
    """

    store: Store
    settings: Settings
    log: Lines
    controls: Controls | None = None
    checks: Callable[[], Sequence[Check]] = tuple
    progress: Callable[[], HuntProgress | None] = lambda: None
    atlas: Callable[[], Atlas | None] = lambda: None
    price: Callable[[Sequence[str]], Sequence[Estimate | str]] | None = None
    resend: Callable[[str], str] | None = None
    test_notification: Callable[[], Sequence[Check]] | None = None
    evaluation: Callable[[], dict[str, Any] | None] = lambda: None
    ask: AskModel | None = None
    vote_links: VoteLinks | None = None
    usage: Callable[[], str | None] = lambda: None
    fetch_picture: Callable[[str], bytes] | None = None
    preferences: Preferences | None = None
    clock: Clock = utc_now
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
