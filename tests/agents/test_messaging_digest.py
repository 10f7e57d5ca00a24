"""The daily digest and the operator's notices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time

import pytest

from agents.messaging.base import Message
from agents.messaging.digest import digest_message
from agents.messaging.notices import Notices
from agents.messaging.pushover import PushoverNotifier
from agents.messaging.sender import Sender
from framework.deals import Opportunity
from framework.memory.store import Store
from framework.outbox import Plan
from tests.fakes.pushover import TOKEN, USER, FakePushover
from tests.framework.memory_examples import START, FixedClock, deal, entry, judgement, surface, valuation


@pytest.fixture
def service() -> Iterator[FakePushover]:
    with FakePushover() as running:
        yield running


@pytest.fixture
def sender(store: Store, clock: FixedClock, service: FakePushover) -> Sender:
    phone = PushoverNotifier(USER, TOKEN, base_url=service.url)
    return Sender(store, [phone], clock=clock, plan=Plan(digest_at=time(18)))


def test_what_is_not_urgent_comes_together_at_the_set_hour(
    store: Store, clock: FixedClock, service: FakePushover, sender: Sender
) -> None:
    for number in (1, 2):
        surface(store, entry(number), channels=sender.channels, product_key=str(number))
    assert sender.drain() == {"held": 2}
    clock.forward(hours=5, minutes=59)
    assert sender.drain() == {}
    clock.forward(minutes=1)
    assert sender.drain() == {"sent": 1}
    (message,) = service.accepted
    assert message["title"] == "2 bargains today"
    assert message["message"] == "$20.00 (-67%) Kettle 1 for $20\n$20.00 (-67%) Kettle 2 for $20"
    assert store.count_notifications() == {"dropped": 2, "sent": 1}
    assert sender.drain() == {}


def test_a_day_without_bargains_says_so_quietly(clock: FixedClock, service: FakePushover, sender: Sender) -> None:
    assert sender.drain() == {}  # set up now: no digest for the time before
    clock.forward(days=1)
    assert sender.drain() == {"sent": 1}
    assert (service.accepted[0]["title"], service.accepted[0]["priority"]) == ("No bargains today", "-1")


def test_a_long_digest_ends_with_how_many_more() -> None:
    offers = [
        Opportunity(
            id=str(number), deal=deal(entry(number)), valuation=valuation(), judgement=judgement(), created=START
        )
        for number in range(100)
    ]
    message = digest_message(offers)
    assert len(message.text) <= 1_000
    lines = message.text.splitlines()
    assert lines[-1] == f"and {100 - len(lines) + 1} more on the dashboard"


def test_trouble_is_told_once_and_its_end_once(store: Store) -> None:
    notices = Notices(store, ["console"])
    trouble, well = Message(title="Feed down", text="since noon"), Message(title="Feed is back", text="")
    assert [notices.begin("feed", trouble) for _ in range(3)] == [True, False, False]
    assert [notices.end("feed", well) for _ in range(2)] == [True, False]
    assert notices.begin("feed", trouble)
    titles = [notification.message["title"] for notification in store.notifications() if notification.message]
    assert titles == ["Feed down", "Feed is back", "Feed down"]


def test_an_episode_is_remembered_over_a_restart(store: Store) -> None:
    message = Message(title="Budget spent", text="")
    assert Notices(store, ["console"]).begin("budget", message)
    assert not Notices(store, ["console"]).begin("budget", message)
    assert not Notices(store, ["console"]).end("disk", message)
