"""The outbox: what is to be sent, claimed by a sender, and every attempt in the delivery log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, and_, func, insert, or_, select, update

from framework.deals import Opportunity
from framework.memory.base import Repository, chunks, insert_new, serialize
from framework.memory.pushes import note_push
from framework.memory.records import Delivery, Notification, NotificationState
from framework.memory.state import set_value
from framework.memory.tables import deliveries, opportunities, outbox

_DETAIL_CHARS = 500  # of a service's words, kept in the delivery log


class Notifications(Repository):
    """Notifications by their id; each change of state is one transaction."""

    def enqueue(
        self, channel: str, key: str, message: dict[str, Any], *, kind: str = "notice", when: datetime | None = None
    ) -> bool:
        """Put a ready message into the outbox; False when one with this key and channel is there already."""
        now = self._clock()
        row = {
            "key": f"{key}:{channel}",
            "channel": channel,
            "kind": kind,
            "message": message,
            "state": NotificationState.WAITING.value,
            "attempts": 0,
            "created": now,
            "next_try": when or now,
        }
        with self._database.write() as connection:
            known = connection.execute(select(outbox.c.id).where(outbox.c.key == row["key"])).first()
            if known is None:
                insert_new(connection, outbox, [row])
            return known is None

    def due_notifications(
        self, now: datetime, limit: int = 100, *, channels: Sequence[str] | None = None
    ) -> list[Notification]:
        """What waits and may be tried now, oldest first. What is new but from the future is due: the clock was set
        back, and nobody should wait for it to come round again.
        """
        due = or_(outbox.c.next_try <= now, and_(outbox.c.created > now, outbox.c.attempts == 0))
        query = _query().where(outbox.c.state == NotificationState.WAITING.value, due)
        if channels is not None:
            query = query.where(outbox.c.channel.in_(channels))
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(outbox.c.id).limit(limit)).mappings()
            return [_record(row) for row in rows]

    def claim(self, notification_id: int) -> bool:
        """Take a waiting notification for sending, before the service is called.

        False when another sender has it, or when its channel has another one in hand: one at a time, so that a
        service's counter tells which one it took.
        """
        of_it = select(outbox.c.channel).where(outbox.c.id == notification_id)
        values = {"state": NotificationState.SENDING.value, "claimed": self._clock(), "baseline": None}
        waiting = update(outbox).where(
            outbox.c.id == notification_id, outbox.c.state == NotificationState.WAITING.value
        )
        with self._database.write() as connection:
            channel = connection.execute(of_it).scalar()
            serialize(connection, f"channel {channel}")
            in_hand = select(outbox.c.id).where(
                outbox.c.channel == channel, outbox.c.state == NotificationState.SENDING.value
            )
            if connection.execute(in_hand.limit(1)).first() is not None:
                return False
            return bool(connection.execute(waiting.values(**values)).rowcount)

    def note_baseline(self, notification_id: int, counter: int) -> None:
        """Store the service's own message counter, read after the claim and just before the send.

        The claim counts from now: looking the counter up may have taken long.
        """
        values = {"baseline": counter, "claimed": self._clock()}
        with self._database.write() as connection:
            connection.execute(update(outbox).where(outbox.c.id == notification_id).values(**values))

    def note_repeat(self, notification_id: int) -> None:
        """Note that a notification goes out a second time although the first may have arrived."""
        with self._database.write() as connection:
            connection.execute(update(outbox).where(outbox.c.id == notification_id).values(repeated=True))

    def abandoned_notifications(self, now: datetime, older_than: timedelta) -> list[Notification]:
        """What a sender claimed and never marked: it was killed in the middle, and the message may have arrived.

        A claim from the future counts too: the clock was set back.
        """
        stale = or_(outbox.c.claimed <= now - older_than, outbox.c.claimed > now)
        query = _query().where(outbox.c.state == NotificationState.SENDING.value, stale)
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(query.order_by(outbox.c.id)).mappings()]

    def mark(
        self,
        notification_id: int,
        state: NotificationState,
        *,
        detail: str = "",
        next_try: datetime | None = None,
        counted: bool = True,
    ) -> None:
        """Store what an attempt came to, together with its line in the delivery log.

        ``WAITING`` with ``next_try`` means: try again then. ``counted=False`` leaves the number of attempts.
        """
        now, detail = self._clock(), detail[:_DETAIL_CHARS]
        waiting = state is NotificationState.WAITING
        values: dict[str, Any] = {"state": state.value, "finished": None if waiting else now}
        values["last_error"] = None if state is NotificationState.SENT else detail
        if next_try is not None:
            values["next_try"] = next_try
        if counted:
            values["attempts"] = outbox.c.attempts + 1
        with self._database.write() as connection:
            channel = connection.execute(select(outbox.c.channel).where(outbox.c.id == notification_id)).scalar()
            if channel is None:
                return
            connection.execute(update(outbox).where(outbox.c.id == notification_id).values(**values))
            if state is NotificationState.SENT:
                note_push(connection, notification_id, now)
            _log(connection, notification_id, channel, now, "delayed" if waiting else state.value, detail)

    def log_delivery(self, notification_id: int, outcome: str, detail: str) -> None:
        """Add a line to the delivery log without changing the notification; its ``last_error`` shows the detail."""
        now, detail = self._clock(), detail[:_DETAIL_CHARS]
        this = outbox.c.id == notification_id
        with self._database.write() as connection:
            channel = connection.execute(select(outbox.c.channel).where(this)).scalar()
            if channel is not None:
                connection.execute(update(outbox).where(this).values(last_error=detail))
                _log(connection, notification_id, channel, now, outcome, detail)

    def postpone(self, notification_id: int, until: datetime, reason: str) -> None:
        """Hold a waiting notification (quiet hours, cap): no attempt is counted, nothing is logged as tried."""
        values = {"next_try": until, "last_error": reason}
        waiting = update(outbox).where(
            outbox.c.id == notification_id, outbox.c.state == NotificationState.WAITING.value
        )
        with self._database.write() as connection:
            connection.execute(waiting.values(**values))

    def waiting_opportunities(self, channel: str, limit: int = 1000) -> list[Notification]:
        """The opportunities that wait for their turn on a channel, oldest first."""
        query = _query().where(
            outbox.c.channel == channel,
            outbox.c.state == NotificationState.WAITING.value,
            outbox.c.kind == "opportunity",
        )
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(outbox.c.id).limit(limit)).mappings()
            return [_record(row) for row in rows]

    def fold(
        self, channel: str, key: str, ids: Sequence[int], message: dict[str, Any], *, mark: tuple[str, Any]
    ) -> None:
        """Replace waiting notifications by one digest, and set the state ``mark`` (key, value): all or nothing."""
        now = self._clock()
        dropped = {"state": NotificationState.DROPPED.value, "finished": now, "last_error": f"told in {key}"}
        digest = {
            "key": f"{key}:{channel}",
            "channel": channel,
            "kind": "digest",
            "message": message,
            "state": NotificationState.WAITING.value,
            "attempts": 0,
            "created": now,
            "next_try": now,
        }
        with self._database.write() as connection:
            insert_new(connection, outbox, [digest])
            for piece in chunks(ids):
                still = (outbox.c.id.in_(piece)) & (outbox.c.state == NotificationState.WAITING.value)
                connection.execute(update(outbox).where(still).values(**dropped))
            set_value(connection, *mark, now)

    def notifications(
        self, limit: int = 100, *, state: NotificationState | None = None, opportunity_id: str | None = None
    ) -> list[Notification]:
        """The outbox, newest first."""
        query = _query()
        if state is not None:
            query = query.where(outbox.c.state == state.value)
        if opportunity_id is not None:
            query = query.where(outbox.c.opportunity_id == opportunity_id)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(outbox.c.id.desc()).limit(limit)).mappings()
            return [_record(row) for row in rows]

    def count_notifications(self) -> dict[str, int]:
        """Notifications per state."""
        query = select(outbox.c.state, func.count()).group_by(outbox.c.state)
        with self._database.read() as connection:
            return {str(name): int(count) for name, count in connection.execute(query)}

    def count_sent(self, channel: str, since: datetime, *, kind: str | None = None) -> int:
        """How many messages a channel took since a moment."""
        query = select(func.count()).where(
            outbox.c.channel == channel,
            outbox.c.state == NotificationState.SENT.value,
            outbox.c.finished >= since,
        )
        if kind is not None:
            query = query.where(outbox.c.kind == kind)
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def last_sent(self, channel: str) -> datetime | None:
        """When a channel last took a message."""
        query = select(func.max(outbox.c.finished)).where(
            outbox.c.channel == channel, outbox.c.state == NotificationState.SENT.value
        )
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def last_finished(self, channel: str) -> Notification | None:
        """What a channel was last done with, be it sent or given up."""
        query = _query().where(outbox.c.channel == channel, outbox.c.finished.is_not(None))
        query = query.where(outbox.c.state != NotificationState.DROPPED.value)
        with self._database.read() as connection:
            row = connection.execute(query.order_by(outbox.c.finished.desc()).limit(1)).mappings().first()
            return None if row is None else _record(row)

    def deliveries(self, limit: int = 100) -> list[Delivery]:
        """The delivery log, newest first."""
        query = select(
            deliveries.c.outbox_id, deliveries.c.channel, deliveries.c.at, deliveries.c.outcome, deliveries.c.detail
        )
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(deliveries.c.id.desc()).limit(limit)).mappings()
            return [Delivery(**row) for row in rows]


def _log(connection: Connection, notification_id: int, channel: str, at: datetime, outcome: str, detail: str) -> None:
    line = {"outbox_id": notification_id, "channel": channel, "at": at, "outcome": outcome, "detail": detail}
    connection.execute(insert(deliveries).values(**line))


def _query() -> Select[Any]:
    return select(outbox, opportunities.c.data).outerjoin(opportunities, opportunities.c.id == outbox.c.opportunity_id)


def _record(row: RowMapping) -> Notification:
    return Notification(
        id=row["id"],
        key=row["key"],
        channel=row["channel"],
        kind=row["kind"],
        state=NotificationState(row["state"]),
        attempts=row["attempts"],
        created=row["created"],
        next_try=row["next_try"],
        claimed=row["claimed"],
        baseline=row["baseline"],
        last_error=row["last_error"],
        repeated=row["repeated"],
        message=row["message"],
        opportunity=Opportunity.model_validate(row["data"]) if row["data"] is not None else None,
    )
