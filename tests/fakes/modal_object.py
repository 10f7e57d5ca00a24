"""A stand-in for the object that Modal's SDK gives for a deployed class, with switches for what can go wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any


class FakeModal:
    """Prices everything at ``value``; ``error`` is raised by every call, ``hang`` makes prices wait for ``released``.

    ``reply`` replaces the prices; ``errors_of`` are raised for chunks by their number, in bulk pricing.
    """

    def __init__(
        self,
        *,
        value: float = 120.0,
        error: Exception | None = None,
        hang: bool = False,
        reply: Any = None,
        errors_of: dict[int, Exception] | None = None,
    ) -> None:
        self.value, self.error, self.hang, self.reply = value, error, hang, reply
        self.errors_of = errors_of or {}
        self.released = threading.Event()
        self.warmed = threading.Event()
        self.asked: list[list[str]] = []
        self.containers: list[int] = []

    @property
    def price(self) -> FakeModal:
        return self

    @property
    def warm(self) -> FakeModal:
        return self

    def remote(self, texts: list[str]) -> Any:
        """One call of ``price``."""
        if self.error:
            raise self.error
        if self.hang:
            self.released.wait(30)
        self.asked.append(texts)
        if self.reply is not None:
            return self.reply
        return [{"value": self.value, "low": self.value / 2, "high": self.value * 2} for _ in texts]

    def map(self, chunks: Sequence[list[str]], *, return_exceptions: bool) -> Iterator[Any]:
        """Many calls of ``price``."""
        assert return_exceptions
        for number, chunk in enumerate(chunks):
            yield self.errors_of.get(number) or self.error or self.remote(chunk)

    def spawn(self) -> None:
        """A call of ``warm`` that nobody waits for."""
        self.warmed.set()
        if self.error:
            raise self.error

    def update_autoscaler(self, *, min_containers: int) -> None:
        """How many containers are kept."""
        if self.error:
            raise self.error
        self.containers.append(min_containers)
