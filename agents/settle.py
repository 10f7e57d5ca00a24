"""Who is right about an entry: the grammar or the language model?

A deal that the grammar found stands: a model that reads hostile text cannot unmake it, nor change its price where the
title or the publisher's fields state one. The model may name the product better and read what the grammar could not.
Each of its claims must be borne out by the source (``agents.grounding``); the url, the entry and the image always come
from our record.
"""

from __future__ import annotations

from agents.grounding import (
    Source,
    Support,
    condition_shows,
    description_fits,
    find_list_price,
    find_price,
    kind_shows,
    quantity_shows,
)
from agents.prompts import DealClaim
from framework.deals import Deal, Entry, Kind, ReaderName, Reading, ReadingVerdict

# Kinds that the grammar may have seen in a word which the model understands better.
_DOUBTFUL_KINDS = frozenset({Kind.MANY, Kind.COUPON, Kind.OTHER})
_LONGEST = 600


def settle(reading: Reading, claim: DealClaim, source: Source) -> Reading:
    """The reading of an entry after the model's claim about it.

    ``reading`` is the grammar's. What the model claims and the source does not bear out is dropped, with the reason.
    """
    if claim.kind is not Kind.PRODUCT:
        return _other_kind(reading, claim)
    support = find_price(source, claim.price, claim.arithmetic)
    if reading.verdict is ReadingVerdict.DEAL:
        return _refined(reading, claim, source, support)
    if support is None:
        return _quarantined(reading, claim)
    if reading.verdict is ReadingVerdict.SKIPPED and not _may_be_product(reading, source, support):
        return reading
    return _read_by_model(reading.entry, claim, source, support)


def _may_be_product(reading: Reading, source: Source, support: Support) -> bool:
    """Whether an entry that the grammar took for something else may be a product: the title has its price, and no word
    of the other kind."""
    kind = reading.kind
    return support.in_title and kind in _DOUBTFUL_KINDS and kind is not None and not kind_shows(source.title, kind)


def _other_kind(reading: Reading, claim: DealClaim) -> Reading:
    """The grammar's verdict; where it is a failure, the model's word makes its reason clearer."""
    if reading.verdict is not ReadingVerdict.FAILED:
        return reading
    kind = claim.kind.replace("_", " ")
    return reading.model_copy(update={"reason": f"{reading.reason} The model takes it for no product ({kind})."})


def _quarantined(reading: Reading, claim: DealClaim) -> Reading:
    if reading.verdict is ReadingVerdict.SKIPPED or claim.price is None:
        return reading
    return reading.model_copy(
        update={"reason": f"{reading.reason} The language model names a price that the source does not state."}
    )


def _refined(reading: Reading, claim: DealClaim, source: Source, support: Support | None) -> Reading:
    """The grammar's deal with the model's description, and its price where it has the stronger evidence."""
    deal = reading.deal
    assert deal is not None  # noqa: S101 - a DEAL reading has its deal
    changes: dict[str, object] = {}
    if description_fits(source, claim.product):
        changes["description"] = claim.product[:_LONGEST]
    if support and support.money != deal.price and support.in_title and not _in_title_or_fields(deal, source):
        changes |= {"price": support.money, "evidence": (support.evidence,), "list_price": None, "market_price": None}
    if not changes:
        return reading
    return reading.model_copy(
        update={"deal": deal.model_copy(update={**changes, "reader": ReaderName.LLM}), "reader": ReaderName.LLM}
    )


def _in_title_or_fields(deal: Deal, source: Source) -> bool:
    return (
        deal.reader is ReaderName.STRUCTURED
        or find_price(Source(source.title, currency=source.currency), float(deal.price.amount)) is not None
    )


def _read_by_model(entry: Entry, claim: DealClaim, source: Source, support: Support) -> Reading:
    """A deal that only the model could read."""
    fits = description_fits(source, claim.product)
    deal = Deal(
        entry_id=entry.id,
        url=entry.url,
        title=source.title[:300] or "untitled",
        description=(claim.product if fits else source.title)[:_LONGEST],
        price=support.money,
        list_price=find_list_price(source, claim.list_price, support.money),
        quantity=claim.quantity if quantity_shows(source.title, claim.quantity) else 1,
        condition=claim.condition if condition_shows(source.title, claim.condition) else None,
        image=entry.image,
        evidence=(support.evidence,),
        reader=ReaderName.LLM,
        sample=entry.sample,
    )
    return Reading(entry=entry, verdict=ReadingVerdict.DEAL, kind=Kind.PRODUCT, deal=deal, reader=ReaderName.LLM)
