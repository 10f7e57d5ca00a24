"""The specialist on Modal: replies become prices, and what its SDK raises a sentence that says what to do."""

from __future__ import annotations

from typing import Any

import pytest
from modal import exception

from framework.errors import EstimatorUnavailable
from models.specialist.remote import CHUNK, ModalSpecialist, modal_connection
from tests.fakes.modal_object import FakeModal


def test_prices_come_with_their_range_and_an_empty_text_fails_alone() -> None:
    modal = FakeModal(value=100.0)
    kettle, empty, laptop = ModalSpecialist(lambda: modal).estimate(["kettle", " ", "laptop"])
    assert (kettle.value, kettle.low, kettle.high) == (100.0, 50.0, 200.0)
    assert (empty.value, empty.failure) == (None, "no text")
    assert laptop.value == 100.0
    assert modal.asked == [["kettle", "laptop"]]


def test_nothing_to_price_connects_to_nothing() -> None:
    def connect() -> Any:
        raise AssertionError("connected")

    assert [said.failure for said in ModalSpecialist(connect).estimate(["", " "])] == ["no text", "no text"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (exception.AuthError("token ak-123 is invalid"), "MODAL_TOKEN_ID"),
        (exception.ConnectionError("deadline"), "cannot be reached"),
        (exception.NotFoundError("no app"), "specialist deploy"),
        (exception.ResourceExhaustedError("spend limit"), "out of credit"),
        (exception.PermissionDeniedError("forbidden"), "may not call"),
        (exception.FunctionTimeoutError("600 s"), "in time"),
        (exception.ServiceError("502"), "in trouble"),
        (RuntimeError("CUDA out of memory"), "the app on Modal failed (RuntimeError)"),
    ],
)
def test_what_modal_raises_becomes_a_sentence(error: Exception, said: str) -> None:
    with pytest.raises(EstimatorUnavailable) as raised:
        ModalSpecialist(lambda: FakeModal(error=error)).estimate(["kettle"])
    assert said in str(raised.value)
    assert str(error) not in str(raised.value)


@pytest.mark.parametrize(
    "reply",
    [
        "120",
        {"value": 120},
        [],
        [{"value": 120, "low": 100}],
        [{"value": float("nan"), "low": 1, "high": 2}],
        [{"value": 0, "low": 1, "high": 2}],
        [{"value": 1, "low": 1, "high": 2}] * 2,
    ],
)
def test_a_wrong_reply_is_no_price(reply: Any) -> None:
    with pytest.raises(EstimatorUnavailable, match=r"not what models/modal_app\.py gives"):
        ModalSpecialist(lambda: FakeModal(reply=reply)).estimate(["kettle"])


def test_bulk_pricing_goes_in_chunks_of_which_some_may_fail() -> None:
    modal = FakeModal(errors_of={1: exception.ServiceError("502")})
    said = ModalSpecialist(lambda: modal).estimate([f"item {number}" for number in range(2 * CHUNK + 5)])
    assert [len(chunk) for chunk in modal.asked] == [CHUNK, 5]
    assert {estimate.value for estimate in said[:CHUNK] + said[2 * CHUNK :]} == {120.0}
    assert {estimate.failure for estimate in said[CHUNK : 2 * CHUNK]} == {"Modal is in trouble; see status.modal.com"}


def test_bulk_pricing_that_fails_whole_is_a_failure() -> None:
    with pytest.raises(EstimatorUnavailable, match="out of credit"):
        ModalSpecialist(lambda: FakeModal(error=exception.ResourceExhaustedError("x"))).estimate(["item"] * 100)


def test_the_real_sdk_without_a_token_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    import modal.config

    monkeypatch.setattr(modal.config, "_user_config", {})  # the developer's own token is not used
    with pytest.raises(EstimatorUnavailable, match="MODAL_TOKEN_ID"):
        ModalSpecialist(modal_connection("dealhound-specialist", None)).estimate(["kettle"])
