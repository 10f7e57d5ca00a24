"""Drains the outbox: claim, send, mark; and finds out what became of what a lost answer or a crash left open.

A row is claimed (and the claim committed) before the service is called, and one row per channel at a time. If the
process dies in between, or the answer is lost, the row stays claimed. Later, where the service counts its messages,
the counter noted before the send tells whether that message was accepted: unchanged means no, and it is sent again;
moved means yes. Where nothing tells, the message is repeated once, marked as a possible repeat, and never again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from agents.messaging.base import CountsMessages, Message, Notifier
from agents.messaging.digest import DigestWriter
from agents.messaging.template import opportunity_message
from framework.agent import Agent
from framework.allowance import Allowance, pace
from framework.deals import Opportunity
from framework.errors import DeliveryDelayed, DeliveryRejected, DeliveryUncertain
from framework.memory.base import Clock, utc_now
from framework.memory.records import Notification, NotificationState
from framework.memory.store import Store
from framework.outbox import LOCAL_CHANNELS, Backoff, Plan, day_start, hold, priority_of

_UNKNOWN = -1  # baseline of a channel that could not say its counter
_REPEAT_AFTER = timedelta(minutes=10)
_LOOK_UP_FOR = timedelta(hours=1)  # how long a counter that does not answer is asked again


def allowance_key(channel: str) -> str:
    """Under which key the memory keeps what a channel's service said of its allowance."""
    return f"allowance.{channel}"


def known_allowance(store: Store, channel: str) -> Allowance | None:
    """What the service of a channel last said of its allowance."""
    kept = store.get_state(allowance_key(channel))
    return None if kept is None else Allowance.model_validate(kept)


def is_urgent(notification: Notification) -> bool:
    """Whether a message passes quiet hours and the like."""
    if notification.message is not None:
        return int(notification.message.get("priority", 0)) > 0
    return notification.opportunity is not None and priority_of(notification.opportunity) > 0


class Sender(Agent):
    """Sends what is due through its notifiers. One instance per process; ``drain`` is not re-entrant."""

    name = "messaging"

    def __init__(
        self,
        store: Store,
        notifiers: Iterable[Notifier],
        *,
        plan: Plan | None = None,
        backoff: Backoff | None = None,
        grace: timedelta = timedelta(seconds=60),
        compose: Callable[[Opportunity], Message] = opportunity_message,
        clock: Clock = utc_now,
    ) -> None:
        """``grace`` is how long a claim must stand before it counts as abandoned; longer than any send takes."""
        super().__init__()
        self._store = store
        self._notifiers = {notifier.channel: notifier for notifier in notifiers}
        self._plan = plan or Plan()
        self._backoff = backoff or Backoff()
        self._grace = grace
        self._compose = compose
        self._clock = clock
        self._digest = DigestWriter(store, self.channels, self._plan, clock=clock)

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels that are set up: an opportunity gets one outbox row for each."""
        return tuple(self._notifiers)

    def drain(self, limit: int = 100, *, should_stop: Callable[[], bool] = lambda: False) -> dict[str, int]:
        """Settle what is open, then send what is due; returns outcomes by name (sent, delayed, rejected, uncertain,
        held). ``should_stop`` is asked between two messages.
        """
        outcomes: Counter[str] = Counter()
        self._digest.write_due()
        for notification in self._store.abandoned_notifications(self._clock(), self._grace):
            if notification.channel in self._notifiers:
                outcomes[self._settle(notification)] += 1
        for notification in self._store.due_notifications(self._clock(), limit, channels=self.channels):
            if should_stop():
                break
            outcomes[self._deliver(notification)] += 1
        return dict(outcomes)

    def _deliver(self, notification: Notification) -> str:
        held = None if notification.channel in LOCAL_CHANNELS else self._held(notification)
        if held is not None:
            return held
        try:
            message = self._message(notification)
        except Exception as error:
            self.log.exception("message cannot be written", notification=notification.id)
            return self._delay(notification, f"the message cannot be written ({type(error).__name__})", None)
        if not self._store.claim(notification.id):
            return "busy"
        notifier = self._notifiers[notification.channel]
        if isinstance(notifier, CountsMessages):
            left = notifier.remaining()
            self._store.note_baseline(notification.id, _UNKNOWN if left is None else left)
        try:
            receipt = notifier.send(message)
        except DeliveryRejected as error:
            return self._mark(notification, NotificationState.REJECTED, str(error))
        except DeliveryDelayed as error:
            return self._delay(notification, str(error), error.retry_after)
        except DeliveryUncertain as error:
            self.log.warning("answer lost", notification=notification.id, channel=notification.channel)
            return self._doubt(notification, str(error))
        except Exception as error:
            self.log.exception("channel failed", notification=notification.id, channel=notification.channel)
            return self._doubt(notification, f"the channel's code failed ({type(error).__name__})")
        outcome = self._mark(notification, NotificationState.SENT, receipt.detail)
        if receipt.allowance is not None:
            self._store.set_state(allowance_key(notification.channel), receipt.allowance.model_dump(mode="json"))
        return outcome

    def _doubt(self, notification: Notification, detail: str) -> str:
        """It may have arrived. Where the service counts it stays claimed, and _settle looks it up after the grace."""
        if not isinstance(self._notifiers[notification.channel], CountsMessages):
            return self._repeat_once(notification, detail)
        self._store.log_delivery(notification.id, "unanswered", detail)
        return "uncertain"

    def _message(self, notification: Notification) -> Message:
        if notification.message is not None:
            message = Message.model_validate(notification.message)
        elif notification.opportunity is not None:
            message = self._compose(notification.opportunity)
        else:
            message = Message(title="Dealhound", text="An opportunity that is no longer remembered.")
        if notification.repeated:
            return message.model_copy(update={"text": f"(You may have had this already.)\n{message.text}"})
        return message

    def _held(self, notification: Notification) -> str | None:
        now, channel, urgent = self._clock(), notification.channel, is_urgent(notification)
        notice = notification.kind != "opportunity"
        sent_today = self._store.count_sent(channel, day_start(now, self._plan.zone), kind="opportunity")
        last_sent = self._store.last_sent(channel)
        pause = hold(self._plan, now, urgent=urgent, notice=notice, sent_today=sent_today, last_sent=last_sent)
        allowance = known_allowance(self._store, channel)
        if pause is None and allowance is not None and not (urgent or notice):
            pause = pace(allowance, now, self._plan.zone, sent_today)
        if pause is None:
            return None
        self._store.postpone(notification.id, pause.until, pause.reason)
        return "held"

    def _settle(self, notification: Notification) -> str:
        """Decide what became of a claim that nobody marked."""
        notifier = self._notifiers[notification.channel]
        if notification.channel in LOCAL_CHANNELS:
            return self._again(notification, "the process ended while it was shown")
        if not isinstance(notifier, CountsMessages) or notification.baseline == _UNKNOWN:
            return self._repeat_once(notification, "the process ended, or the answer was lost, while it was sent")
        if notification.baseline is None:
            return self._again(notification, "the process ended before it was sent")
        left = notifier.remaining(fresh=True)
        if left is None and self._clock() - (notification.claimed or notification.created) < _LOOK_UP_FOR:
            return "uncertain"
        if left == notification.baseline:
            return self._again(notification, "not accepted: the service's counter has not moved")
        if left is not None and left < notification.baseline:
            return self._mark(notification, NotificationState.SENT, "accepted: the service's counter has moved")
        return self._repeat_once(notification, "the service's counter does not tell whether it arrived")

    def _again(self, notification: Notification, detail: str) -> str:
        return self._mark(notification, NotificationState.WAITING, detail, next_try=self._clock())

    def _repeat_once(self, notification: Notification, detail: str) -> str:
        if notification.repeated:
            return self._mark(notification, NotificationState.UNCERTAIN, detail)
        self._store.note_repeat(notification.id)
        return self._mark(
            notification, NotificationState.WAITING, detail, next_try=self._clock() + max(self._grace, _REPEAT_AFTER)
        )

    def _delay(self, notification: Notification, detail: str, retry_after: float | None) -> str:
        when = self._backoff.next_try(notification.attempts + 1, self._clock(), retry_after)
        if when is None:
            return self._mark(notification, NotificationState.REJECTED, f"given up: {detail}")
        return self._mark(notification, NotificationState.WAITING, detail, next_try=when)

    def _mark(
        self, notification: Notification, state: NotificationState, detail: str, next_try: datetime | None = None
    ) -> str:
        self._store.mark(notification.id, state, detail=detail, next_try=next_try)
        outcome = "delayed" if state is NotificationState.WAITING else state.value
        log = self.log.info if state is NotificationState.SENT else self.log.warning
        log("notification", outcome=outcome, id=notification.id, channel=notification.channel, detail=detail)
        return outcome
