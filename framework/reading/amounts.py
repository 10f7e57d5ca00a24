"""Prices in text, in any locale: "$1,299.00", "1.299,00 EUR", "49,- €", "Rs. 1,299".

``parse_price`` reads a string that is a price (a page's price field). ``read_amounts`` finds every amount of money in
running text with its place; what each amount *means* is the business of ``roles``.

``price-parser`` does the locale guessing of ``parse_price``; around it stands what it is known to miss: prices of two
("Was $120 Now $60"), counts before the price ("3 issues for 14,85 EUR"), dates, lengths, and rarer currencies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from price_parser import Price

from framework.money import Money
from framework.reading.currencies import CODES, COUNTRY_DOLLAR, has_three_decimals, iso_code

LARGEST = Decimal(1_000_000)  # above this it is no price of a product on offer
_LONGEST = 300  # a price string longer than this is no price string

_NUMBER = r"\d{1,3}(?:[,.'’ \u00a0\u202f]\d{3}){1,3}(?:[.,]\d{1,2})?(?!\d)|\d{1,9}(?:[.,]\d{1,2})?(?!\d)"
# A single letter before a dollar sign names a country only where it touches the sign or begins the text: an "Xbox
# Series S $249" is no offer in Singapore dollars.
_PREFIX = (
    r"(?:(?<![A-Za-z])(?:(?:US|AU|CA|NZ|HK|SG|NT|MX|CAD|CAN|USD|AUD) ?|[ACSR])|^[ACSR] )?\$|[€£¥₹₩₺₽₪₫฿₱₴]"
    r"|(?<![A-Za-z])(?:EUR|USD|GBP|CHF|AUD|CAD|NZD|SEK|NOK|DKK|PLN|INR|Rs\.?|RM|Rp|kr)(?![A-Za-z])"
)
_SUFFIX = (
    r"[€£₹₽₫₴]|¢|zł|Kč|(?:EUR|USD|GBP|CHF|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|RON|HUF|euros?|kr|Ft|lei|руб|cents)"
    r"(?![A-Za-z])"
)
_AMOUNT = re.compile(
    rf"(?P<prefix>{_PREFIX})[ \u00a0]?(?P<cents>\.\d\d(?!\d)|{_NUMBER})"
    rf"|(?<![\w.,$€£-])(?P<number>{_NUMBER})(?:,-)?[ \u00a0]?(?P<suffix>{_SUFFIX})(?! ?\d)"
)


@dataclass(frozen=True)
class PriceText:
    """A price string taken apart: the amount, the currency as written, and its code where it is known."""

    amount: Decimal | None
    symbol: str | None = None
    currency: str | None = None


@dataclass(frozen=True)
class Amount:
    """An amount of money in running text, from ``start`` to ``end``."""

    start: int
    end: int
    value: Decimal
    currency: str
    text: str


def read_amounts(text: str, *, dollar: str | None = None) -> list[Amount]:
    """Every amount of money in ``text``, in order. ``dollar`` says what a bare "$" means (US dollars otherwise)."""
    return list(_amounts(text, dollar))


def _amounts(text: str, dollar: str | None) -> Iterator[Amount]:
    for match in _AMOUNT.finditer(text):
        number = match["cents"] or match["number"]
        written = match["prefix"] or match["suffix"]
        in_cents = written in ("¢", "cents")
        currency = "USD" if in_cents else iso_code(written, hint=dollar)
        value = _decimal(number, currency)
        if in_cents and value is not None:
            value /= 100
        if value is not None and currency and value < LARGEST:
            yield Amount(match.start(), match.end(), value, currency, match.group())


def _decimal(number: str, currency: str | None) -> Decimal | None:
    """A number in any locale: the last separator is a decimal point unless three digits follow it."""
    compact = re.sub(r"[\s'’\u00a0\u202f]", "", number)
    last = max(compact.rfind("."), compact.rfind(","))
    decimals = len(compact) - last - 1 if last >= 0 else 0
    is_decimal = last >= 0 and (decimals != 3 or (has_three_decimals(currency) and compact[last] == "."))
    whole, fraction = (compact[:last], compact[last + 1 :]) if is_decimal else (compact, "")
    try:
        return Decimal(f"{re.sub(r'[.,]', '', whole) or '0'}.{fraction or '0'}")
    except InvalidOperation:
        return None


def parse_price(text: str | None, currency_hint: str | None = None, *, default: str = "USD") -> Money | None:
    """The price that a price string states; ``None`` when it states none, zero, or an absurd one.

    ``currency_hint`` is text near the price that may name its currency, or a code. ``default`` is the currency of a
    price that comes without any.
    """
    parsed = parse_price_text(text, currency_hint)
    if parsed.amount is None or not 0 < parsed.amount < LARGEST:
        return None
    value = parsed.amount / 100 if parsed.symbol == "¢" else parsed.amount
    amount = value.quantize(Decimal("0.01"))
    return Money(amount=amount, currency=parsed.currency or default) if amount else None


def parse_price_text(text: str | None, currency_hint: str | None = None) -> PriceText:
    """Take a price string apart. An amount of zero is returned as written ("0,00 EUR"); "Free" is zero as well."""
    hint = currency_hint[:_LONGEST] if currency_hint else None
    core = _core(text or "")
    if len(core) > _LONGEST or _DATE.match(core.strip()) or _LENGTH.search(core):
        return PriceText(None)
    found = Price.fromstring(core, currency_hint=hint)
    amount = found.amount if found.amount is None or abs(found.amount) < Decimal("1e12") else None
    symbol = _written_currency(core, found, hint)
    code = iso_code(symbol)
    if has_three_decimals(code) and (exact := _THREE.search(core)):
        amount = Decimal(exact.group().replace(",", ""))
    if amount is None and (split := _SPLIT_BY_SYMBOL.match(core.strip())):
        amount, symbol = Decimal(f"{split[1]}.{split[3]}"), split[2]
    return PriceText(amount, symbol, iso_code(symbol))


_DATE = re.compile(r"\d{1,2}[./-]\d{1,2}[./-](?:19|20)\d\d$")
_LENGTH = re.compile(r"^\D{0,3}\d[\d.,]* ?(?:ft|in|inch|cm|mm|kg|lbs?|oz|ml|mAh|GB|TB|Hz)\.?$")
_NOW = re.compile(r"\bnow:?\s+(?=\D{0,4}\d)(?!\D{0,4}0[.,]?0*(?!\d))", re.IGNORECASE)
_COUNT = re.compile(r"\b\d{1,5} (?=[^\W\d_]{4,}\b[^\d]{1,40}\d)")
_QUANTITY_BREAK = re.compile(r"\s*\d[\d,]{0,6} - ([$€£] ?\d[\d.,]*)")
_THREE = re.compile(r"\d[\d,]*\.\d{3}(?!\d)")
_SPLIT_BY_SYMBOL = re.compile(r"(\d{1,6})([€£$])(\d{1,3})$")


def _core(text: str) -> str:
    """The part of a price string that holds the price: after "now", past counts and quantity breaks."""
    if len(text) > _LONGEST:
        return text
    now = list(_NOW.finditer(text))
    if now:
        text = text[now[-1].end() :]
    if table := _QUANTITY_BREAK.match(text):
        text = table[1]
    return _COUNT.sub("", text, count=1)


def _written_currency(text: str, found: Price, hint: str | None) -> str | None:
    """The currency as written: a country's dollar first, then the library's word, then any token we know."""
    if country := COUNTRY_DOLLAR.search(text):
        return country.group()
    symbol: str | None = found.currency
    if symbol and not _is_inside_a_word(symbol, f"{text} {hint or ''}"):
        return symbol
    number = found.amount_text
    rest = text.replace(number, " ", 1) if number else text
    return _known_token(rest)


def _is_inside_a_word(symbol: str, text: str) -> bool:
    """Whether letters that look like a currency only occur within longer words ("р" in "товара")."""
    if not symbol.isalpha() or symbol.upper() in CODES:
        return False
    end = "" if len(symbol) > 2 else r"(?![^\W\d_])"  # "руб" may be the stem of "рублей", "р" is no stem of anything
    return not re.search(rf"(?<![^\W\d_]){re.escape(symbol)}{end}", text)


def _known_token(rest: str) -> str | None:
    """The currency in what is left of a price string once its number is taken out."""
    whole = rest.strip(" \u00a0,-–—:*!")
    if iso_code(whole):
        return whole
    tokens = [token.strip(",:;*()") for part in rest.split() for token in part.split("/")]
    return next((token for token in tokens if (len(token) > 1 or token > "\u2000") and iso_code(token)), None)
