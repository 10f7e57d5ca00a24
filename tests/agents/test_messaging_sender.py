"""The sender: nothing is lost, and nothing is sent twice that the service acknowledged."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import time, timedelta

import pytest

from agents.messaging.base import Message, Receipt
from agents.messaging.console import ConsoleNotifier
from agents.messaging.pushover import PushoverNotifier
from agents.messaging.sender import Sender
from framework.errors import DeliveryUncertain
from framework.memory.records import NotificationState
from framework.memory.store import Store
from framework.outbox import Backoff, Plan
from tests.fakes.pushover import TOKEN, USER, FakePushover, Fault
from tests.framework.memory_examples import FixedClock, entry, surface

PHONE = ("pushover",)


@pytest.fixture
def service() -> Iterator[FakePushover]:
    with FakePushover(hang=1.0) as running:
        yield running


@pytest.fixture
def sender(store: Store, clock: FixedClock, service: FakePushover) -> Sender:
    return Sender(store, [PushoverNotifier(USER, TOKEN, base_url=service.url, deadline=0.5)], clock=clock)


def titles(service: FakePushover) -> list[str]:
    return [message["title"] for message in service.accepted]


def test_an_opportunity_reaches_phone_and_console_once(store: Store, clock: FixedClock, service: FakePushover) -> None:
    screen = io.StringIO()
    phone = PushoverNotifier(USER, TOKEN, base_url=service.url)
    sender = Sender(store, [phone, ConsoleNotifier(screen)], clock=clock)
    surface(store, entry(1), channels=sender.channels)
    assert sender.drain() == {"sent": 2}
    assert sender.drain() == {}
    (message,) = service.accepted
    assert message["title"] == "Kettle 1 for $20"
    assert "$20.00, worth about $60.00 ($48.00 to $72.00)" in message["message"]
    assert "Saves $40.00 (67%) · 93% likely" in message["message"]
    assert message["url"] == "https://deals.example/1"
    assert "https://deals.example/1" in screen.getvalue()


def test_a_busy_service_is_tried_again_after_the_pause_it_asked_for(
    store: Store, clock: FixedClock, service: FakePushover, sender: Sender
) -> None:
    service.next_faults.append(Fault.BUSY_429)
    surface(store, entry(1), channels=PHONE)
    assert sender.drain() == {"delayed": 1}
    clock.forward(seconds=9)
    assert sender.drain() == {}  # our own first pause is 10 seconds
    clock.forward(seconds=1)
    assert sender.drain() == {"sent": 1}
    assert [line.outcome for line in store.deliveries()] == ["sent", "delayed"]


def test_a_service_that_stays_down_is_given_up_in_the_end(
    store: Store, clock: FixedClock, service: FakePushover
) -> None:
    phone = PushoverNotifier(USER, TOKEN, base_url=service.url)
    sender = Sender(store, [phone], clock=clock, backoff=Backoff(max_attempts=3))
    service.next_faults.extend([Fault.ERROR_500] * 5)
    surface(store, entry(1), channels=PHONE)
    outcomes = []
    for _ in range(4):
        outcomes.append(sender.drain())
        clock.forward(hours=2)
    assert outcomes == [{"delayed": 1}, {"delayed": 1}, {"rejected": 1}, {}]


def test_a_refused_message_is_not_tried_again_and_shows_the_services_words(
    store: Store, clock: FixedClock, service: FakePushover
) -> None:
    sender = Sender(store, [PushoverNotifier("nobody", TOKEN, base_url=service.url)], clock=clock)
    surface(store, entry(1), channels=PHONE)
    assert sender.drain() == {"rejected": 1}
    clock.forward(days=1)
    assert sender.drain() == {}
    (row,) = store.notifications()
    assert "user identifier" in (row.last_error or "")


@pytest.mark.parametrize("fault", [Fault.DROP_AFTER_ACCEPTING, Fault.HANG_AFTER_ACCEPTING, Fault.GARBAGE])
def test_a_lost_answer_is_looked_up_and_the_message_not_repeated(
    store: Store, clock: FixedClock, service: FakePushover, sender: Sender, fault: Fault
) -> None:
    service.next_faults.append(fault)
    surface(store, entry(1), channels=PHONE)
    assert sender.drain() == {"uncertain": 1}
    assert sender.drain() == {}
    clock.forward(minutes=2)
    assert sender.drain() == {"sent": 1}
    assert titles(service) == ["Kettle 1 for $20"]
    assert "counter has moved" in store.deliveries()[0].detail


@pytest.mark.parametrize("fault", [Fault.DROP_BEFORE_ACCEPTING, Fault.HANG_BEFORE_ACCEPTING])
def test_a_message_that_got_lost_is_looked_up_and_sent_again(
    store: Store, clock: FixedClock, service: FakePushover, sender: Sender, fault: Fault
) -> None:
    service.next_faults.append(fault)
    surface(store, entry(1), channels=PHONE)
    assert sender.drain() == {"uncertain": 1}
    clock.forward(minutes=2)
    assert sender.drain() == {"delayed": 1, "sent": 1}
    assert len(service.accepted) == 1


def test_a_lost_answer_does_not_make_the_next_message_look_accepted(
    store: Store, clock: FixedClock, service: FakePushover, sender: Sender
) -> None:
    service.next_faults.extend([None, Fault.DROP_AFTER_ACCEPTING, Fault.DROP_BEFORE_ACCEPTING])
    for number in range(3):
        surface(store, entry(number), channels=PHONE, product_key=str(number))
        sender.drain()
        clock.forward(minutes=2)
        sender.drain()
    clock.forward(minutes=2)
    sender.drain()
    assert sorted(titles(service)) == [f"Kettle {number} for $20" for number in range(3)]


def test_while_one_is_in_doubt_the_channel_sends_nothing_that_would_move_the_counter(
    store: Store, clock: FixedClock, service: FakePushover, sender: Sender
) -> None:
    service.next_faults.append(Fault.DROP_BEFORE_ACCEPTING)
    surface(store, entry(1), channels=PHONE, product_key="a")
    surface(store, entry(2), channels=PHONE, product_key="b")
    assert sender.drain() == {"uncertain": 1, "busy": 1}
    clock.forward(minutes=2)
    sender.drain()
    assert sorted(titles(service)) == ["Kettle 1 for $20", "Kettle 2 for $20"]


def test_without_a_counter_a_doubtful_message_is_repeated_once_and_says_so(
    store: Store, clock: FixedClock, service: FakePushover, sender: Sender
) -> None:
    service.limits_known = False
    service.next_faults.extend([Fault.DROP_AFTER_ACCEPTING, Fault.DROP_AFTER_ACCEPTING])
    surface(store, entry(1), channels=PHONE)
    for _ in range(6):
        sender.drain()
        clock.forward(minutes=15)
    first, second = service.accepted
    assert not first["message"].startswith("(You may")
    assert second["message"].startswith("(You may have had this already.)")
    (row,) = store.notifications()
    assert row.state is NotificationState.UNCERTAIN


def test_a_sender_killed_before_it_sent_sends_after_the_restart(
    store: Store, clock: FixedClock, service: FakePushover, sender: Sender
) -> None:
    surface(store, entry(1), channels=PHONE)
    (waiting,) = store.due_notifications(clock.now)
    store.claim(waiting.id)
    assert sender.drain() == {}
    clock.forward(minutes=2)
    assert sender.drain() == {"delayed": 1, "sent": 1}
    assert len(service.accepted) == 1


def test_a_sender_killed_after_it_sent_does_not_send_again(
    store: Store, clock: FixedClock, service: FakePushover, sender: Sender
) -> None:
    surface(store, entry(1), channels=PHONE)
    (waiting,) = store.due_notifications(clock.now)
    store.claim(waiting.id)
    store.note_baseline(waiting.id, service.remaining)
    PushoverNotifier(USER, TOKEN, base_url=service.url).send(Message(title="t", text="t"))
    clock.forward(minutes=2)
    assert sender.drain() == {"sent": 1}
    assert len(service.accepted) == 1


def test_a_clock_set_back_an_hour_holds_up_nothing(
    store: Store, clock: FixedClock, service: FakePushover, sender: Sender
) -> None:
    surface(store, entry(1), channels=PHONE, product_key="a")
    surface(store, entry(2), channels=PHONE, product_key="b")
    (first, _) = store.due_notifications(clock.now)
    store.claim(first.id)
    clock.forward(hours=-1)
    sender.drain()
    assert len(service.accepted) == 2


class Wordless:
    """A channel without a counter whose answers get lost."""

    channel = "wordless"

    def __init__(self) -> None:
        self.sent: list[Message] = []

    def send(self, message: Message) -> Receipt:
        self.sent.append(message)
        raise DeliveryUncertain(self.channel, "no answer")


def test_a_channel_without_a_counter_repeats_once(store: Store, clock: FixedClock) -> None:
    wordless = Wordless()
    sender = Sender(store, [wordless], clock=clock)
    surface(store, entry(1), channels=sender.channels)
    for _ in range(5):
        sender.drain()
        clock.forward(hours=1)
    assert len(wordless.sent) == 2
    assert store.count_notifications() == {"uncertain": 1}


class Buggy(Wordless):
    """A channel whose code has a fault."""

    def send(self, message: Message) -> Receipt:
        self.sent.append(message)
        raise KeyError("no such field")


def test_a_fault_in_a_channels_code_or_in_one_message_holds_up_no_other(store: Store, clock: FixedClock) -> None:
    buggy, screen = Buggy(), io.StringIO()
    sender = Sender(store, [buggy, ConsoleNotifier(screen)], clock=clock)
    store.enqueue("console", "odd", {"no": "message"})
    surface(store, entry(1), channels=sender.channels)
    outcomes = []
    for _ in range(4):
        outcomes.append(sender.drain())
        clock.forward(hours=1)
    assert outcomes[0] == {"delayed": 2, "sent": 1}
    assert len(buggy.sent) == 2
    assert store.count_notifications()["uncertain"] == 1
    assert "Kettle 1" in screen.getvalue()


def test_quiet_hours_hold_and_do_not_drop(store: Store, clock: FixedClock, service: FakePushover) -> None:
    phone = PushoverNotifier(USER, TOKEN, base_url=service.url)
    sender = Sender(store, [phone], clock=clock, plan=Plan(quiet=(time(11), time(14))))
    surface(store, entry(1), channels=PHONE)
    assert sender.drain() == {"held": 1}
    assert store.notifications()[0].last_error == "quiet hours"
    clock.forward(hours=2)
    assert sender.drain() == {"sent": 1}


def test_the_daily_cap_counts_one_channels_opportunities(
    store: Store, clock: FixedClock, service: FakePushover
) -> None:
    phone = PushoverNotifier(USER, TOKEN, base_url=service.url)
    sender = Sender(store, [phone], clock=clock, plan=Plan(daily_cap=1))
    surface(store, entry(1), channels=PHONE, product_key="a")
    surface(store, entry(2), channels=PHONE, product_key="b")
    store.enqueue("pushover", "disk-full", Message(title="Disk", text="full").model_dump())
    assert sender.drain() == {"sent": 2, "held": 1}
    clock.forward(hours=12)
    assert sender.drain() == {"sent": 1}


def test_stopping_finishes_the_message_in_hand(store: Store, clock: FixedClock, sender: Sender) -> None:
    for number in range(3):
        surface(store, entry(number), channels=PHONE, product_key=str(number))
    asked = iter([False, True])
    assert sender.drain(should_stop=lambda: next(asked)) == {"sent": 1}
    assert sender.drain(limit=100) == {"sent": 2}


def test_waiting_notifications_of_a_channel_no_longer_set_up_stay_where_they_are(store: Store, sender: Sender) -> None:
    surface(store, entry(1), channels=("apprise:ntfy:abcdef",))
    assert sender.drain() == {}
    assert store.count_notifications() == {"waiting": 1}


def test_an_abandoned_claim_waits_for_its_grace(store: Store, clock: FixedClock) -> None:
    surface(store, entry(1), channels=PHONE)
    (waiting,) = store.due_notifications(clock.now)
    store.claim(waiting.id)
    grace = timedelta(seconds=60)
    assert store.abandoned_notifications(clock.forward(seconds=59), grace) == []
    assert [n.id for n in store.abandoned_notifications(clock.forward(seconds=1), grace)] == [waiting.id]
