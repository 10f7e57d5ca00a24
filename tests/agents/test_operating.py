"""Sending an alert again goes through the outbox, like the first time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.assemble import Hound
from agents.commands import operating
from agents.commands.text import delivery_line
from agents.doctor import _messages
from framework.health import CheckStatus
from framework.memory.records import NotificationState
from framework.settings import load_settings
from tests.fakes.pushover import TOKEN, USER, FakePushover, Fault
from tests.fakes.web import LoopbackWeb
from tests.framework.memory_examples import deal, entry, fresh_url, judgement, poll, reading, surface, valuation


@pytest.fixture
def service() -> Iterator[FakePushover]:
    with FakePushover() as running:
        yield running


@pytest.fixture
def web() -> Iterator[LoopbackWeb]:
    with LoopbackWeb() as running:
        yield running


@pytest.fixture
def hound(tmp_path: Path, service: FakePushover, web: LoopbackWeb) -> Iterator[Hound]:
    environ = {
        "DEALHOUND_DATABASE_URL": fresh_url(tmp_path),
        "DEALHOUND_PUSHOVER_URL": service.url,
        "PUSHOVER_USER": USER,
        "PUSHOVER_TOKEN": TOKEN,
        "DEALHOUND_ALLOW_HOSTS": ",".join(web.hosts),
        "DEALHOUND_PUBLIC_URL": "https://deals.example/",
    }
    with Hound(load_settings(home=tmp_path, environ=environ)) as assembled:
        yield assembled


def test_an_alert_is_sent_again_through_every_channel(hound: Hound, service: FakePushover) -> None:
    surface(hound.store, entry(1), channels=("pushover",))
    hound.deliver()
    (record,) = hound.store.opportunities(1)
    assert operating.resend(hound, record.opportunity.id) == "It is sent again by console, pushover."
    assert {row.channel for row in hound.store.notifications(9, state=NotificationState.WAITING)} == {
        "console",
        "pushover",
    }
    hound.deliver()
    first, again = service.accepted
    assert (again["title"], again["message"], again["url"]) == (first["title"], first["message"], first["url"])


def test_what_is_no_longer_remembered_is_not_sent(hound: Hound, service: FakePushover) -> None:
    assert operating.resend(hound, "gone") == "This opportunity is no longer remembered."
    assert hound.deliver() == 0
    assert service.accepted == []


def test_an_alert_carries_the_deals_picture_and_a_link_for_the_owners_word(
    hound: Hound, service: FakePushover, web: LoopbackWeb
) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + b"x" * 100
    web.add("/kettle.png", picture, content_type="image/png")
    for number, image in ((1, web.url("/kettle.png")), (2, "http://169.254.169.254/secret.png")):
        hound.store.record_poll(poll(entry(number)))
        hound.store.record_reading(reading(entry(number), image=image), product_key=str(number))
        offer = deal(entry(number), image=image)
        hound.store.record_judgement(offer, valuation(), judgement(), channels=("pushover",))
    hound.deliver()
    with_picture, without = service.accepted
    assert with_picture["image"] == picture
    assert without["image"] is None  # no address of the inside is asked for one
    (identity,) = {r.opportunity.id for r in hound.store.opportunities() if r.opportunity.deal.entry_id == "entry-1"}
    assert f"https://deals.example/vote/{identity}/" in with_picture["message"]


def test_the_allowance_is_remembered_and_spent_slowly_near_its_end(hound: Hound, service: FakePushover) -> None:
    service.remaining = 205  # of 10,000, until tomorrow: five above the reserve
    for number in range(8):
        surface(hound.store, entry(number), channels=("pushover",), product_key=str(number))
    hound.deliver()
    assert len(service.accepted) == 5
    check = _messages(hound)
    assert check.status is CheckStatus.DEGRADED
    assert "200 of 10,000 messages left" in check.detail
    waiting = hound.store.notifications(9, state=NotificationState.WAITING)
    assert {"of the service's allowance" in str(row.last_error) for row in waiting} == {True}


def test_each_attempt_stands_in_the_delivery_log(hound: Hound, service: FakePushover) -> None:
    service.next_faults.append(Fault.ERROR_500)
    surface(hound.store, entry(1), channels=("pushover",))
    hound.deliver()
    (row,) = operating.delivery_log(hound, 10)
    assert (row["channel"], row["outcome"]) == ("pushover", "delayed")
    assert "HTTP 500" in delivery_line(row)
