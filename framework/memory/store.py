"""The memory: one object over one database, safe to use from the hunt's and the dashboard's threads at once."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from framework.memory.base import Clock, utc_now
from framework.memory.database import Database
from framework.memory.entries import Entries
from framework.memory.feedback import Feedback
from framework.memory.feeds import Feeds
from framework.memory.hunts import Hunts
from framework.memory.judgements import Judgements
from framework.memory.migrate import migrate
from framework.memory.notifications import Notifications
from framework.memory.opportunities import Opportunities
from framework.memory.pushes import Pushes
from framework.memory.retention import Retention
from framework.memory.sharing import Sharing
from framework.memory.state import KeyValues


class Store(
    Feeds,
    Entries,
    Judgements,
    Opportunities,
    Feedback,
    Notifications,
    Pushes,
    Hunts,
    Sharing,
    KeyValues,
    Retention,
):
    """All aspects of the memory together (each base class is one of them). Every method is one transaction.

    All methods raise ``DatabaseUnavailable`` when the database cannot do its work; nothing is half stored then.
    """

    @classmethod
    def open(cls, url: str, *, clock: Clock = utc_now) -> Store:
        """Open the database that a SQLAlchemy URL names, bringing it to the newest schema.

        ``sqlite:////folder/dealhound.db`` or ``postgresql+psycopg://...``. Raises ``DatabaseUnavailable``.
        """
        database = Database.open(url)
        try:
            migrate(database)
        except BaseException:
            database.close()
            raise
        return cls(database, clock)

    def copy_to(self, path: Path) -> bool:
        """Write a consistent copy of the database to a new file; False where it is no SQLite file."""
        return self._database.copy_to(path)

    def close(self) -> None:
        """Give the database back."""
        self._database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
