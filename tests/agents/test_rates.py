"""Exchange rates: fetched once a day, kept over restarts, never older than a week."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from agents.rates import RateBook
from framework.errors import FetchError
from framework.memory.store import Store
from framework.money import Money

ECB = b"""<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
<Cube><Cube time="2026-11-20"><Cube currency="USD" rate="1.1000"/><Cube currency="GBP" rate="0.8800"/></Cube></Cube>
</gesmes:Envelope>"""


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    with Store.open(database_url) as opened:
        yield opened


class Bank:
    """Answers with the daily file, or not at all; counts its calls."""

    def __init__(self, *, down: bool = False) -> None:
        self.calls, self.down = 0, down

    def __call__(self, url: str) -> bytes:
        self.calls += 1
        if self.down:
            raise FetchError(url, "no route")
        return ECB


def age(store: Store, **times: timedelta) -> None:
    """Make the kept rates older."""
    kept = store.get_state("rates")
    store.set_state("rates", kept | {name: (datetime.now(UTC) - old).isoformat() for name, old in times.items()})


def test_rates_are_fetched_once_and_kept_over_restarts(store: Store) -> None:
    bank = Bank()
    rates = RateBook(store, bank).today()
    assert rates is not None
    assert float(rates.rate("EUR", "USD")) == pytest.approx(1.1)
    assert RateBook(store, bank).today() == rates
    assert bank.calls == 1


def test_rates_of_yesterday_are_fetched_anew(store: Store) -> None:
    bank = Bank()
    RateBook(store, bank).today()
    age(store, fetched=timedelta(hours=25), tried=timedelta(hours=25))
    RateBook(store, bank).today()
    assert bank.calls == 2


def test_a_bank_that_does_not_answer_is_asked_again_after_an_hour(store: Store) -> None:
    bank = Bank(down=True)
    book = RateBook(store, bank)
    assert book.today() is None
    assert book.today() is None
    assert bank.calls == 1
    age(store, tried=timedelta(minutes=61))
    bank.down = False
    assert book.today() is not None


def test_old_rates_stand_in_for_a_week_and_no_longer(store: Store) -> None:
    RateBook(store, Bank()).today()
    age(store, fetched=timedelta(days=3), tried=timedelta(days=3))
    assert RateBook(store, Bank(down=True)).today() is not None
    age(store, fetched=timedelta(days=8), tried=timedelta(days=8))
    assert RateBook(store, Bank(down=True)).today() is None


def test_the_owners_rates_come_first_and_stand_alone_where_the_bank_is_silent(store: Store) -> None:
    own = {"USD": Decimal("1.25"), "CAD": Decimal("1.50")}
    alone = RateBook(store, Bank(down=True), own).today()
    assert alone is not None
    assert alone.convert(Money.of(15, "CAD"), "USD") == Money.of("12.50")
    age(store, tried=timedelta(hours=2))
    both = RateBook(store, Bank(), own).today()
    assert both is not None
    assert both.rate("EUR", "USD") == Decimal("1.25")
    assert both.rate("EUR", "GBP") == Decimal("0.88")
