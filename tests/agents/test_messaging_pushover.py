"""Pushover: what goes out fits the published limits, and every kind of answer is understood for what it is."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

import pytest

from agents.messaging.base import Message
from agents.messaging.pushover import PushoverNotifier, fitted
from framework.errors import (
    ConnectionFailed,
    DeliveryDelayed,
    DeliveryError,
    DeliveryRejected,
    DeliveryUncertain,
    SettingsError,
)
from tests.fakes.pushover import TOKEN, USER, FakePushover, Fault

MESSAGE = Message(title="Steel kettle", text="$20, worth $60", url="https://deals.example/1", url_title="Open at Shop")
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100


@pytest.fixture
def service() -> Iterator[FakePushover]:
    with FakePushover(hang=1.5) as running:
        yield running


def notifier(service: FakePushover, **more) -> PushoverNotifier:
    return PushoverNotifier(USER, TOKEN, base_url=service.url, **{"deadline": 5.0, **more})


def test_a_message_arrives_with_all_its_fields(service: FakePushover) -> None:
    loud = MESSAGE.model_copy(update={"priority": 1, "sound": "cashregister", "device": "phone", "ttl": 3600})
    receipt = notifier(service).send(loud)
    (got,) = service.accepted
    assert receipt.detail == f"request {got['request']}"
    assert receipt.allowance is not None
    assert receipt.allowance.remaining == 9_999
    assert (got["title"], got["message"], got["url"], got["url_title"]) == (
        "Steel kettle",
        "$20, worth $60",
        "https://deals.example/1",
        "Open at Shop",
    )
    assert (got["priority"], got["sound"], got["device"], got["ttl"]) == ("1", "cashregister", "phone", "3600")


def test_an_emergency_carries_retry_and_expire(service: FakePushover) -> None:
    receipt = notifier(service).send(MESSAGE.model_copy(update={"priority": 2}))
    assert re.fullmatch(r"request \S+, receipt \S+", receipt.detail)
    assert (service.accepted[0]["retry"], service.accepted[0]["expire"]) == ("60", "3600")


def test_a_link_for_the_owners_word_stays_whole_in_the_longest_text(service: FakePushover) -> None:
    vote = "https://deals.example/vote/0123456789abcdef/AAAAAAAAAAAAAAAAAAAAAA"
    notifier(service).send(MESSAGE.model_copy(update={"text": "word " * 500, "vote_url": vote}))
    text = service.accepted[0]["message"]
    assert text.endswith(f"\nYour word on it: {vote}")
    assert len(text) <= 1024


@pytest.mark.parametrize(
    "text", ["word " * 2_000, "é" * 5_000, "👍" * 3_000, "", "\n\n", "see https://a.example/" + "x" * 3_000]
)
def test_any_message_is_within_the_limits(service: FakePushover, text: str) -> None:
    notifier(service).send(Message(title=text or "t", text=text, url="https://a.example/" + "p" * 600, url_title=text))
    assert service.refused == []
    assert len(service.accepted) == 1


def test_a_link_too_long_for_its_field_moves_whole_into_the_text_or_goes() -> None:
    long = "https://a.example/" + "p" * 600
    fields = fitted(Message(title="t", text="word " * 400, url=long))
    assert fields["message"].endswith(f"\n{long}")
    assert len(fields["message"]) <= 1024
    assert "url" not in fields
    longer = "https://a.example/" + "p" * 2_000
    assert "example" not in fitted(Message(title="t", text="text", url=longer))["message"]


def test_a_link_in_the_text_is_never_cut() -> None:
    text = "word " * 200 + "https://a.example/a-rather-long-path-to-a-product-page"
    assert "http" not in fitted(Message(title="t", text=text))["message"]


def test_a_picture_is_attached_when_it_is_one(service: FakePushover) -> None:
    pictured = MESSAGE.model_copy(update={"image_url": "https://a.example/kettle.png"})
    notifier(service, fetch_image=lambda url: PNG).send(pictured)
    notifier(service, fetch_image=lambda url: b"<html>no picture</html>").send(pictured)
    notifier(service, fetch_image=lambda url: PNG + b"0" * 6_000_000).send(pictured)
    assert [message["image"] for message in service.accepted] == [PNG, None, None]


def test_a_picture_that_cannot_be_fetched_does_not_stop_the_message(service: FakePushover) -> None:
    def broken(url: str) -> bytes:
        raise ConnectionFailed(url, "No route")

    notifier(service, fetch_image=broken).send(MESSAGE.model_copy(update={"image_url": "https://a.example/x.png"}))
    assert len(service.accepted) == 1


@pytest.mark.parametrize(
    ("fault", "error", "accepted"),
    [
        (Fault.ERROR_500, DeliveryDelayed, 0),
        (Fault.BUSY_429, DeliveryDelayed, 0),
        (Fault.DROP_BEFORE_ACCEPTING, DeliveryUncertain, 0),
        (Fault.DROP_AFTER_ACCEPTING, DeliveryUncertain, 1),
        (Fault.HANG_AFTER_ACCEPTING, DeliveryUncertain, 1),
        (Fault.GARBAGE, DeliveryUncertain, 1),
    ],
)
def test_each_failure_is_told_apart(
    service: FakePushover, fault: Fault, error: type[DeliveryError], accepted: int
) -> None:
    service.next_faults.append(fault)
    with pytest.raises(error):
        notifier(service, deadline=0.7).send(MESSAGE)
    assert len(service.accepted) == accepted


def test_the_wait_that_the_service_asks_for_is_passed_on(service: FakePushover) -> None:
    service.next_faults.extend([Fault.BUSY_429, Fault.ERROR_500])
    waits = []
    for _ in range(2):
        with pytest.raises(DeliveryDelayed) as caught:
            notifier(service).send(MESSAGE)
        waits.append(caught.value.retry_after)
    assert waits == [7.0, 5.0]


def test_a_refusal_carries_the_services_words_and_no_secret(service: FakePushover) -> None:
    with pytest.raises(DeliveryRejected, match="user identifier") as caught:
        PushoverNotifier("wrongUser", TOKEN, base_url=service.url).send(MESSAGE)
    assert TOKEN not in str(caught.value)


def test_a_used_up_allowance_waits_for_its_renewal(service: FakePushover) -> None:
    service.remaining = 0
    with pytest.raises(DeliveryDelayed) as caught:
        notifier(service).send(MESSAGE)
    assert caught.value.retry_after is not None
    assert 80_000 < caught.value.retry_after <= 86_400


def test_nobody_listening_is_a_delay_and_not_a_doubt() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(DeliveryDelayed) as caught:
        PushoverNotifier(USER, TOKEN, base_url=f"http://127.0.0.1:{port}").send(MESSAGE)
    assert TOKEN not in str(caught.value)


def test_the_allowance_is_asked_for_once_and_then_read_from_answers(service: FakePushover) -> None:
    phone = notifier(service)
    assert phone.remaining() == 10_000
    phone.send(MESSAGE)
    service.limits_known = False
    assert phone.remaining() == 9_999
    assert phone.remaining(fresh=True) is None


@pytest.mark.parametrize("keys", [("", TOKEN), (USER, "your-token-here"), (USER, "two words")])
def test_placeholders_are_refused_before_anything_is_sent(keys: tuple[str, str]) -> None:
    with pytest.raises(SettingsError, match="PUSHOVER_"):
        PushoverNotifier(*keys)


def test_a_stand_in_may_be_named_by_host_or_by_folder(service: FakePushover) -> None:
    for base in (service.url, service.url.rstrip("/"), service.url.removesuffix("/1/"), f"{service.url}messages.json"):
        PushoverNotifier(USER, TOKEN, base_url=base).send(MESSAGE)
    assert len(service.accepted) == 4
    with pytest.raises(SettingsError, match="DEALHOUND_PUSHOVER_URL"):
        PushoverNotifier(USER, TOKEN, base_url="ftp://example.com")
