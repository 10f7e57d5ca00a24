"""``price`` and ``judge``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from agents.assemble import Hound
from agents.commands.rows import estimate_row, verdict_fields
from framework.deals import Condition, Deal, Estimate
from framework.errors import SettingsError
from framework.hunt import JudgedOffer
from framework.money import Money

BATCH = 256  # items priced together: bounds memory for files of any length
_Line = TypeVar("_Line", bound=BaseModel)


class PricedText(BaseModel):
    """A line of ``price --file``."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    id: str
    description: str


class Offer(PricedText):
    """A line of ``judge --file``."""

    price: float = Field(gt=0, allow_inf_nan=False)
    currency: str = "USD"
    list_price: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    market_price: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    condition: Condition | None = None
    quantity: int | None = Field(default=None, ge=1)

    @field_validator("currency")
    @classmethod
    def _code(cls, currency: str) -> str:
        return currency.upper()

    def deal(self) -> Deal:
        """The offer as a deal. Raises ``ValidationError`` for amounts that are no money."""

        def money(amount: float | None) -> Money | None:
            return Money.of(amount, self.currency) if amount is not None else None

        return Deal(
            entry_id=f"offer:{self.id}",
            title=self.description.split("\n", 1)[0][:200],
            description=self.description,
            price=Money.of(self.price, self.currency),
            list_price=money(self.list_price),
            market_price=money(self.market_price),
            condition=self.condition,
            quantity=self.quantity or 1,
        )


def price(hound: Hound, texts: Sequence[str], file: Path | None) -> Iterator[dict[str, Any]]:
    """Estimate the given texts, then those of the file."""
    given = [PricedText(id=str(number), description=text) for number, text in enumerate(texts, 1)]
    lines: Iterable[PricedText] = read_lines(file, PricedText) if file else ()
    if not given and file is None:
        raise SettingsError("price needs a TEXT or --file with one item per line: id, description")
    for batch in batches(chain(given, lines)):
        for item, said in zip(batch, estimates(hound, [item.description for item in batch]), strict=True):
            yield estimate_row(item.id, said)


def estimates(hound: Hound, texts: Sequence[str]) -> list[Estimate | str]:
    """One estimate per text, or the reason why there is none."""
    return [said if isinstance(said, Estimate) else said.reason for said in hound.ensemble.estimate(texts)]


def judge_offers(hound: Hound, file: Path) -> Iterator[dict[str, Any]]:
    """Value and judge every offer of the file."""
    for batch in batches(read_lines(file, Offer)):
        verdicts = hound.offer_appraiser.appraise([offer.deal() for offer in batch])
        for item, judged in zip(batch, verdicts, strict=True):
            yield {"id": item.id, **_verdict(judged)}


def _verdict(judged: JudgedOffer | str) -> dict[str, Any]:
    if isinstance(judged, JudgedOffer):
        return verdict_fields(judged.valuation, judged.judgement)
    names = ("value", "low", "high", "discount", "discount_pct", "probability")
    return {**dict.fromkeys(names), "verdict": "pass", "reason": judged}


def read_lines(file: Path, kind: type[_Line]) -> Iterator[_Line]:
    """The lines of a JSONL file as ``kind``. Raises ``SettingsError`` naming the first line that does not fit."""
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                yield kind.model_validate(json.loads(line))
            except (ValidationError, ValueError) as error:
                raise SettingsError(f"{file}, line {number}: {_first_fault(error)}") from error


def _first_fault(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        fault = error.errors(include_input=False, include_url=False)[0]
        return f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
    return f"is no JSON: {error}"


def batches(items: Iterable[_Line]) -> Iterator[list[_Line]]:
    """The items in lists of at most ``BATCH``."""
    stream = iter(items)
    while batch := list(islice(stream, BATCH)):
        yield batch
