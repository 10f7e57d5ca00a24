"""Budgets hold across calls, threads, hunts and restarts; replies are bought once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from framework.chat.base import Message, Usage
from framework.chat.budget import Budget, Limits, Replies
from framework.chat.client import Chat
from framework.errors import BudgetExceeded
from tests.fakes.ledger import Ledger
from tests.fakes.openai_server import says, scripted

HELLO = [Message("user", "hello")]
PRICES = {"price_input": Decimal("0.15"), "price_output": Decimal("0.60")}


def test_a_spent_daily_budget_stops_calls_before_they_are_made(connect: Callable[..., Chat], ledger: Ledger) -> None:
    with scripted(says("one")) as server:
        chat = connect(server, limits=Limits(daily_tokens=250))
        chat.complete(HELLO, purpose="test", max_tokens=100)
        with pytest.raises(BudgetExceeded, match=r"250 tokens .*llm_daily_tokens"):
            chat.complete(HELLO, purpose="test", max_tokens=200)
    assert len(ledger.rows) == 1


def test_money_is_counted_by_the_owners_prices() -> None:
    ledger = Ledger()
    budget = Budget(ledger, Limits(daily_money=Decimal("0.001"), **PRICES))
    budget.record("m", "test", Usage(1_000, 1_000))
    assert ledger.rows[0][4] == Decimal("0.00075")
    with pytest.raises(BudgetExceeded, match="llm_daily_money"), budget.reserve("m", Usage(1_000, 1_000)):
        pass


def test_without_prices_money_is_unknown_and_tokens_still_count() -> None:
    budget = Budget(Ledger(), Limits(daily_tokens=10))
    assert budget.cost(Usage(1, 1)) is None
    budget.record("m", "test", Usage(6, 5))
    assert budget.exhausted() is not None


def test_a_hunts_budget_counts_its_own_calls_only() -> None:
    ledger = Ledger()
    budget = Budget(ledger, Limits(hunt_tokens=100))
    budget.record("m", "ask", Usage(500, 500))
    with budget.hunt("h1"):
        with budget.reserve("m", Usage(50, 40)):
            budget.record("m", "read", Usage(50, 30))
        with pytest.raises(BudgetExceeded, match="llm_hunt_tokens"), budget.reserve("m", Usage(10, 11)):
            pass
    with budget.hunt("h2"), budget.reserve("m", Usage(50, 40)):
        budget.record("m", "read", Usage(1, 1))
    assert [row[6] for row in ledger.rows] == [None, "h1", "h2"]


def test_calls_in_flight_cannot_pass_the_limit_together() -> None:
    budget = Budget(Ledger(), Limits(daily_tokens=100))
    with budget.reserve("m", Usage(60, 0)), pytest.raises(BudgetExceeded), budget.reserve("m", Usage(60, 0)):
        pass
    with budget.reserve("m", Usage(60, 0)):
        assert budget.today().calls == 0


def test_the_day_begins_at_the_owners_midnight() -> None:
    times = [datetime(2026, 11, 22, 22, 30, tzinfo=UTC)]
    ledger = Ledger(now=lambda: times[-1])
    budget = Budget(ledger, Limits(daily_tokens=100), zone=ZoneInfo("Europe/Berlin"), now=lambda: times[-1])
    budget.record("m", "test", Usage(100, 0))
    assert budget.exhausted() is not None
    times.append(times[0] + timedelta(hours=1))
    assert budget.exhausted() is None


def test_a_server_that_counts_no_tokens_is_estimated(connect: Callable[..., Chat], ledger: Ledger) -> None:
    with scripted(says("x" * 400, usage=False)) as server:
        connect(server).complete([Message("user", "y" * 4_000)], purpose="test")
    _, _, tokens_in, tokens_out, *_ = ledger.rows[0]
    assert tokens_in == 1_000
    assert tokens_out == 101


def test_a_reply_is_kept_by_model_prompt_version_and_content() -> None:
    ledger = Ledger()
    Replies(ledger, "m", "v1").put("text \ud800", "reply")
    assert Replies(ledger, "m", "v1").get("text \ud800") == "reply"
    assert Replies(ledger, "m", "v2").get("text \ud800") is None
    assert Replies(ledger, "n", "v1").get("text \ud800") is None
    assert Replies(ledger, "m", "v1").get("text") is None
