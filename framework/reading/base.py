"""The contract of whatever reads entries into deals: the grammar here, a language model elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from framework.deals import Entry, Reading
from framework.reading.pages import Page


class Reader(Protocol):
    """Reads feed entries into deals.

    ``read`` is batch-first and returns exactly one ``Reading`` per entry, in order. ``pages`` holds the pages that
    were fetched, by entry id; most entries have none. What goes wrong with one entry is that entry's ``FAILED``
    reading; an implementation that cannot work at all (a language model that is down) raises ``ChatError``.
    """

    name: str

    def read(self, entries: Sequence[Entry], pages: Mapping[str, Page]) -> list[Reading]:
        """Read each entry on its own."""
        ...
