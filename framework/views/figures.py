"""Small drawings inside pages: the range of a worth with the price on it, and the history of a price."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from zoneinfo import ZoneInfo

from framework.deals import Valuation
from framework.memory.records import PricePoint
from framework.money import Money
from framework.views.markup import NOTHING, Html, tag

_WIDTH, _HEIGHT, _EDGE = 320, 96, 10  # of the price history, in its own units


def range_bar(price: Money, valuation: Valuation) -> Html:
    """The 80% range of the worth as a band with the best guess in it, and the price as a mark."""
    amounts = [float(amount) for amount in (price.amount, valuation.low, valuation.value, valuation.high)]
    left, right = min(amounts), max(amounts)
    room = (right - left) * 0.04 or 1.0
    left, right = left - room, right + room
    at_price, at_low, at_value, at_high = (100 * (amount - left) / (right - left) for amount in amounts)
    low, value, high = (worth(valuation, amount) for amount in (valuation.low, valuation.value, valuation.high))
    return tag(
        "div",
        tag("i", class_="dh-band", style=f"left:{at_low:.1f}%;width:{at_high - at_low:.1f}%"),
        tag("i", class_="dh-guess", style=f"left:{at_value:.1f}%"),
        tag("i", class_="dh-price-mark", style=f"left:{at_price:.1f}%"),
        class_="dh-range",
        role="img",
        aria_label=f"Price {price}; worth {value}, 80% range {low} to {high}",
    )


def worth(valuation: Valuation, amount: Decimal) -> str:
    """An amount of a valuation without false precision: cents only below ten."""
    money = str(Money.of(amount, valuation.currency))
    return money if amount < 10 else money.replace(money[money.rindex(".") : money.rindex(".") + 3], "")


def price_history(points: Sequence[PricePoint], zone: ZoneInfo) -> Html:
    """Observed prices over time as a line with its ends in words, nothing for fewer than two."""
    if len(points) < 2:
        return NOTHING
    first, last = points[0], points[-1]
    prices = [point.price for point in points]
    lowest, highest = (pick(prices, key=lambda price: price.amount) for pick in (min, max))
    said = f"Lowest {lowest}, highest {highest}, last {last.price}; {_day(first, zone)} to {_day(last, zone)}"
    return tag("figure", _line(points, said), tag("figcaption", said), class_="dh-prices")


def _line(points: Sequence[PricePoint], said: str) -> Html:
    xs = [_EDGE + (_WIDTH - 2 * _EDGE) * share for share in _shares([point.seen.timestamp() for point in points])]
    amounts = [float(point.price.amount) for point in points]
    ys = [_HEIGHT - _EDGE - (_HEIGHT - 2 * _EDGE) * share for share in _shares(amounts)]
    return tag(
        "svg",
        tag("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))),
        [
            tag("circle", tag("title", str(p.price)), cx=f"{x:.1f}", cy=f"{y:.1f}", r=3)
            for p, x, y in zip(points, xs, ys, strict=True)
        ],
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        class_="dh-history",
        role="img",
        aria_label=f"{len(points)} observed prices. {said}",
    )


def _day(point: PricePoint, zone: ZoneInfo) -> str:
    return point.seen.astimezone(zone).strftime("%d %b %Y")


def _shares(values: Sequence[float]) -> list[float]:
    """Each value's place between the least (0) and the greatest (1); the middle where all are equal."""
    least, greatest = min(values), max(values)
    if least == greatest:
        return [0.5] * len(values)
    return [(value - least) / (greatest - least) for value in values]
