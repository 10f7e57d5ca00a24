"""The extractive reader: entries into deals without any model.

It looks first at the feed's own fields, then at the title, whose grammar tells what each amount is, and at the content,
which often has the price to the cent. A page, where one was fetched, fills what is missing. The page does not overrule
the post: shops' pages show the price before the coupon that the post is about.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from framework.deals import Deal, Entry, Kind, ReaderName, Reading, ReadingVerdict
from framework.reading.description import describe
from framework.reading.expiry import says_over, shows_over
from framework.reading.kinds import Verdict, kind_of
from framework.reading.merchants import merchant_of
from framework.reading.offers import Offer
from framework.reading.pages import Page, PageKind
from framework.reading.post import Post, take_apart
from framework.reading.sources import find_offer
from framework.reading.titles import condition_of

_NO_PRICE = "No price found in the title, the text or the page."
_LONGEST_TITLE = 300
_PLATFORM = re.compile(r"\b(?:PS[345]|Xbox(?: One| Series [XS])?|Switch(?: 2)?|PC|Steam|iOS|Android|eBook)\b", re.I)


class ExtractiveReader:
    """Reads entries by feed fields, grammar and page markup. Deterministic, safe to share between threads."""

    name = ReaderName.EXTRACTIVE.value

    def read_one(self, entry: Entry, page: Page | None = None) -> Reading:
        """Read one entry; never raises on what a feed or a page may contain."""
        if says_over(entry):
            return _skipped(entry, Verdict(Kind.OTHER, "The post says that the offer is over."))
        if page is not None and shows_over(page):
            return _skipped(entry, Verdict(Kind.OTHER, "Its page says that it cannot be bought."))
        post = take_apart(entry)
        verdict = kind_of(post.title, post.in_title, post.field("dealtype"))
        if verdict.kind is not Kind.PRODUCT:
            return _skipped(entry, verdict)
        offer, reader = find_offer(post, page)
        if offer is None:
            return _failed(entry, page)
        return Reading(
            entry=entry,
            verdict=ReadingVerdict.DEAL,
            kind=Kind.PRODUCT,
            deal=_deal(post, offer, reader, page),
            reader=reader,
            certain=offer.certain and verdict.sure,
        )

    def read(self, entries: Sequence[Entry], pages: Mapping[str, Page]) -> list[Reading]:
        """Read a batch: one reading per entry, in order; ``pages`` by entry id."""
        return [self.read_one(entry, pages.get(entry.id)) for entry in entries]

    def needs_page(self, entry: Entry) -> bool:
        """Whether fetching the entry's page could help: it is a product, but neither fields nor text have a price."""
        return bool(entry.url) and self.read_one(entry).verdict is ReadingVerdict.FAILED


def _skipped(entry: Entry, verdict: Verdict) -> Reading:
    return Reading(
        entry=entry,
        verdict=ReadingVerdict.SKIPPED,
        kind=verdict.kind,
        reason=verdict.reason,
        certain=verdict.sure,
    )


def _failed(entry: Entry, page: Page | None) -> Reading:
    no_product = page is not None and page.kind is not PageKind.PRODUCT
    reason = f"{_NO_PRICE} The page is no product page ({page.kind})." if page and no_product else _NO_PRICE
    return Reading(entry=entry, verdict=ReadingVerdict.FAILED, kind=Kind.PRODUCT, reason=reason)


def _without_count(product: str, quantity: int) -> str:
    """The product without the 2 of "2 for $30" at its end."""
    return product.removesuffix(str(quantity)).rstrip(" -–,:") if quantity > 1 else product


def _deal(post: Post, offer: Offer, reader: ReaderName, page: Page | None) -> Deal:
    entry = post.entry
    product = _without_count(post.title.product, offer.quantity) or post.title.text
    if platform := _PLATFORM.search(post.title.who):
        product = f"{product} ({platform.group()})"
    on_page = page if page and page.kind is PageKind.PRODUCT else None
    title = product[:_LONGEST_TITLE] or (on_page.product if on_page else None) or "untitled"
    return Deal(
        entry_id=entry.id,
        url=entry.url,
        title=title,
        description=describe(product, post.content, on_page.description if on_page else "") or title,
        price=offer.price,
        list_price=offer.list_price,
        market_price=offer.market_price,
        quantity=offer.quantity,
        condition=condition_of(post.title.text, post.content) or (on_page.condition if on_page else None),
        merchant=post.field("retailer") or post.field("merchant@name") or merchant_of(post.title, post.content),
        brand=on_page.brand if on_page else None,
        image=entry.image or (on_page.image if on_page else None),
        evidence=offer.evidence,
        reader=reader,
        sample=entry.sample,
    )
