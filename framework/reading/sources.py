"""Where the price of a post may come from: the feed's own fields, the title, the page, the content."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

from framework.deals import ReaderName
from framework.money import Money
from framework.reading.amounts import LARGEST, parse_price
from framework.reading.offers import (
    Offer,
    computed_sums,
    consistent,
    list_price_in,
    market_price_in,
    price_in_content,
    span,
)
from framework.reading.pages import Page
from framework.reading.post import Post
from framework.reading.quantity import items_bought
from framework.reading.role import Role
from framework.reading.roles import Priced
from framework.reading.titles import bare_price

_PRICE_FIELDS = re.compile(r"(?:^|:)(?:price|sale_?price|merchant@price|meta@price)$", re.I)
_SMALLEST = Decimal("0.005")

Candidate = tuple[Decimal, Priced | None, str]  # the price, the amount it is from, the words


def find_offer(post: Post, page: Page | None) -> tuple[Offer | None, ReaderName]:
    """The offer from the first source that has a price: fields, title with content, page, content alone."""
    structured, extractive = ReaderName.STRUCTURED, ReaderName.EXTRACTIVE
    for source, reader in (
        (_from_fields(post), structured),
        (_from_title(post, page), extractive),
        (_from_page(page), structured),
        (_from_content(post), extractive),
    ):
        if source:
            return _with_claims(post, source, page), reader
    return None, extractive


def _from_fields(post: Post) -> Offer | None:
    """A price that the publisher put into a field of its own ("dealnews:price", "pepper:merchant@price")."""
    for key, value in post.entry.fields.items():
        if not _PRICE_FIELDS.search(key):
            continue
        currency = post.entry.fields.get(f"{key}@currency", "")
        if money := parse_price(value, currency, default=post.currency):
            paid = next((item for item in post.in_title if item.role is Role.PAID), None)
            return Offer(money, _quantity(post, post.title.text, paid), evidence=(f"{key} {value}",), certain=True)
    return None


def _from_title(post: Post, page: Page | None) -> Offer | None:
    """The title's price, to the cent where the content or the page has it."""
    candidates = _title_prices(post)
    if not candidates:
        return None
    text = post.title.text
    value, item, words = candidates[0]
    currency = item.amount.currency if item else post.currency
    evidence = [words]
    exact = price_in_content(post.content, [one for one in post.in_content if one.amount.currency == currency], value)
    if exact:
        value = exact[0]
        evidence.append(span(post.content, exact[1]))
    elif page and page.price and page.price.currency == currency and consistent(page.price.amount, value):
        value = page.price.amount
        evidence.append(f"page price {page.price}")
    money = _money(value, currency)
    if money is None:
        return None
    alone = item is not None and len({candidate[0] for candidate in candidates}) == 1
    certain = alone and (exact is not None or not _content_has_own_price(post))
    return Offer(money, _quantity(post, text, item), evidence=tuple(evidence), certain=certain)


def _title_prices(post: Post) -> list[Candidate]:
    """Candidates for the price in the title, best first."""
    text = post.title.text
    by_role = {role: [item for item in post.in_title if item.role is role] for role in Role}
    for items in (by_role[Role.RESULT], by_role[Role.PAID]):
        if items:
            return [(item.value, item, span(text, item)) for item in items]
    if sums := computed_sums(text, post.in_title):
        return [(value, item, span(text, item)) for item, value in sums]
    if starts := by_role[Role.BEFORE]:
        return [(starts[0].value, starts[0], span(text, starts[0]))]
    bare = bare_price(text) if not post.in_title else None
    return [(Decimal(bare), None, bare)] if bare else []


def _quantity(post: Post, text: str, item: Priced | None) -> int:
    if item is None:
        return 1
    return items_bought(text[: item.amount.start], text[item.amount.end :], item.value, post.content)


def _content_has_own_price(post: Post) -> bool:
    """Whether the content states a price; where it fitted the title's it has been taken, so this one speaks against."""
    return any(item.role is Role.RESULT or (item.role is Role.PAID and item.strong) for item in post.in_content)


def _from_page(page: Page | None) -> Offer | None:
    if page is None or page.price is None:
        return None
    return Offer(page.price, evidence=page.evidence or (f"page price {page.price}",), certain=True)


def _from_content(post: Post) -> Offer | None:
    found = price_in_content(post.content, post.in_content, None)
    money = _money(found[0], found[1].amount.currency) if found else None
    if not found or not money:
        return None
    return Offer(money, _quantity(post, post.content, found[1]), evidence=(span(post.content, found[1]),))


def _with_claims(post: Post, offer: Offer, page: Page | None) -> Offer:
    """Add the list and market prices that title, content or page claim, in the price's own currency."""
    price, currency = offer.price.amount, offer.price.currency
    for text, items in ((post.title.text, post.in_title), (post.content, post.in_content)):
        same = [item for item in items if item.amount.currency == currency]
        listed, market = list_price_in(same, price), market_price_in(same, price)
        if listed and offer.list_price is None:
            offer = replace(_with_evidence(offer, span(text, listed[1])), list_price=_money(listed[0], currency))
        if market and offer.market_price is None:
            offer = replace(_with_evidence(offer, span(text, market[1])), market_price=_money(market[0], currency))
    shown = page.list_price if page else None
    if offer.list_price is None and shown and shown.currency == currency and shown > offer.price:
        offer = replace(_with_evidence(offer, f"page list price {shown}"), list_price=shown)
    return offer


def _with_evidence(offer: Offer, words: str) -> Offer:
    return offer if words in offer.evidence else replace(offer, evidence=(*offer.evidence, words))


def _money(value: Decimal, currency: str) -> Money | None:
    """Money, unless the amount is nothing or absurd."""
    return Money.of(value, currency) if _SMALLEST <= value < LARGEST else None
