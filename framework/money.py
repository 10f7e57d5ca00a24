"""Money: an exact amount with its currency."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from functools import total_ordering
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, StringConstraints

from framework.errors import CurrencyMismatch

Amount = Annotated[
    Decimal,
    Field(gt=0, le=Decimal("1e9"), allow_inf_nan=False),
    PlainSerializer(float, return_type=float, when_used="json"),
]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "AUD": "A$", "CAD": "C$"}


@total_ordering
class Money(BaseModel):
    """A positive amount in one currency (ISO 4217). "No price" is ``None``, never a zero amount."""

    model_config = ConfigDict(frozen=True)

    amount: Amount
    currency: Currency = "USD"

    @classmethod
    def of(cls, amount: Decimal | float | int | str, currency: str = "USD") -> Money:
        """Money rounded to cents; a float goes through its shortest text, so 0.1 stays 0.10.

        Raises ``pydantic.ValidationError`` when the amount is not positive and finite.
        """
        exact = Decimal(str(amount))
        if exact.is_finite():
            exact = exact.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
        return cls(amount=exact, currency=currency)

    def require_same_currency(self, other: Money) -> None:
        """Raise ``CurrencyMismatch`` unless both are in the same currency."""
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self} and {other} are in different currencies and cannot be compared")

    def __lt__(self, other: Money) -> bool:
        self.require_same_currency(other)
        return self.amount < other.amount

    def __str__(self) -> str:
        symbol = _SYMBOLS.get(self.currency)
        return f"{symbol}{self.amount:,.2f}" if symbol else f"{self.amount:,.2f} {self.currency}"
