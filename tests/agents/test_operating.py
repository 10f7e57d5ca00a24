"""Sending an alert again goes through the outbox, like the first time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.assemble import Hound
from agents.commands import operating
from framework.memory.records import NotificationState
from framework.settings import load_settings
from tests.fakes.pushover import TOKEN, USER, FakePushover
from tests.framework.memory_examples import entry, fresh_url, surface


@pytest.fixture
def service() -> Iterator[FakePushover]:
    with FakePushover() as running:
        yield running


@pytest.fixture
def hound(tmp_path: Path, service: FakePushover) -> Iterator[Hound]:
    environ = {
        "DEALHOUND_DATABASE_URL": fresh_url(tmp_path),
        "DEALHOUND_PUSHOVER_URL": service.url,
        "PUSHOVER_USER": USER,
        "PUSHOVER_TOKEN": TOKEN,
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
