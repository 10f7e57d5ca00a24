"""What an entry offers: one product, or something that no price guide can value.

Rules over the title, first match wins. What is skipped says why.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from framework.deals import Kind
from framework.reading import kind_words as words
from framework.reading.role import Role
from framework.reading.roles import Priced
from framework.reading.titles import Title


@dataclass(frozen=True)
class Verdict:
    """A kind with the reason for it. ``sure`` is false where the title could be meant in another way."""

    kind: Kind
    reason: str = ""
    sure: bool = True


def kind_of(title: Title, priced: list[Priced], deal_type: str | None = None) -> Verdict:
    """Say what a title offers. ``deal_type`` is the publisher's own word for it, where the feed has one."""
    paid = [item for item in priced if item.role in (Role.PAID, Role.RESULT, Role.BEFORE)]
    return (
        _not_goods(title, paid)
        or _free(title, paid)
        or _many(title, priced, paid, deal_type)
        or _only_a_discount(title, priced, paid)
        or Verdict(Kind.PRODUCT, sure=words.AND_MORE.search(title.text) is None)
    )


def _not_goods(title: Title, paid: list[Priced]) -> Verdict | None:
    offered = re.split(r"\s\+\s", title.product)[0] if paid else title.text
    if words.NEWS.search(title.text):
        return Verdict(Kind.OTHER, "A giveaway, a registration or news, not an offer of a product.")
    if not paid and words.QUESTION.search(title.text):
        return Verdict(Kind.OTHER, "A question, not an offer.")
    if words.GIFT_CARD.search(offered) and not re.search(r"purchase|spend", title.text, re.I):
        return Verdict(Kind.GIFT_CARD, "A gift card, not a product.")
    if words.EATERY.search(f"{title.who}: {title.product}") and not words.PACKAGED.search(title.product):
        return Verdict(Kind.RESTAURANT, "A restaurant offer, not a product.")
    if words.HOUSING.search(title.text):
        return Verdict(Kind.SERVICE, "Housing, not a product.")
    if match := words.SERVICE.search(title.text):
        return Verdict(Kind.SERVICE, f"A service ({match.group().strip().lower()[:40]}), not a product.")
    return None


def _free(title: Title, paid: list[Priced]) -> Verdict | None:
    if paid and not words.CLAIM.search(title.text):
        return None
    if words.BUY_AND_GET.search(title.text):
        return Verdict(Kind.COUPON, "A buy-some-get-some offer without a price.")
    if words.FREE.search(words.FREE_SHIPPING.sub("", title.text)) or words.NOTHING.search(title.text):
        return Verdict(Kind.FREEBIE, "A freebie: there is no price to compare.")
    return None


def _many(title: Title, priced: list[Priced], paid: list[Priced], deal_type: str | None) -> Verdict | None:
    text = title.text
    if not paid:
        return _without_price(text, priced, deal_type)
    several = words.AND_MORE.search(text) is not None
    sale = words.SALE.search(text[: paid[0].amount.start])
    if sale and (several or words.PERCENT_OFF.search(text) or len(paid) > 1):
        return Verdict(Kind.MANY, f"A sale of many products ({sale.group().strip().lower()}).")
    if words.MANY_MORE.search(text):
        return Verdict(Kind.MANY, "Many products in one post.")
    if several and len({item.value for item in paid}) > 1:
        return Verdict(Kind.MANY, "Several products with a price each.")
    if several and words.PERCENT_OFF.search(text):
        return Verdict(Kind.MANY, "A discount on several products.")
    head, colon, _ = text[: paid[0].amount.start].partition(":")
    if colon and words.ANNOUNCED.search(head.strip()):
        return Verdict(Kind.MANY, "A sale with one example of its prices.")
    return None


def _without_price(text: str, priced: list[Priced], deal_type: str | None) -> Verdict | None:
    if words.UP_TO.search(text):
        return Verdict(Kind.MANY, "A sale with discounts up to a limit, not one product.")
    if (deal_type or "").lower() in ("sale", "collection", "coupon"):
        return Verdict(Kind.MANY, "The publisher calls it a sale.")
    if any(item.role is Role.RECURRING for item in priced):
        return Verdict(Kind.SERVICE, "A price by the month, the year or the line: a service, not a product.")
    if any(item.role is Role.FROM for item in priced):
        return Verdict(Kind.MANY, 'Prices "from" an amount: several offers, none of them at a stated price.')
    if sale := words.SALE.search(text):
        return Verdict(Kind.MANY, f"A sale of many products ({sale.group().strip().lower()}).")
    if words.MANY_MORE.search(text):
        return Verdict(Kind.MANY, "Many products in one post.")
    return None


def _only_a_discount(title: Title, priced: list[Priced], paid: list[Priced]) -> Verdict | None:
    if paid:
        return None
    text = title.text
    off = (Role.DISCOUNT, Role.UP_TO, Role.CREDIT)
    discount = words.PERCENT_OFF.search(text) or any(item.role in off for item in priced)
    if words.COUPON.search(text) and (discount or priced):
        return Verdict(Kind.COUPON, "A coupon or a condition of purchase, not a product at a price.")
    if words.PERCENT_OFF.search(text) and words.PLURAL.search(text):
        return Verdict(Kind.MANY, "A percentage off many products.")
    if discount:
        return Verdict(Kind.COUPON, "A discount without a price.", sure=False)
    return None
