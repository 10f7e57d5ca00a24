"""The extractive reader: entries into deals without any model.

It looks first at the feed's own fields, then at the title, whose grammar tells what each amount is, and at the content,
which often has the price to the cent. A page, where one was fetched, fills what is missing. The page does not overrule
the post: shops' pages show the price before the coupon that the post is about.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from framework.deals import Deal, Entry, Kind, ReaderName, Reading, ReadingVerdict
from framework.money import Money
from framework.reading.amounts import LARGEST, parse_price
from framework.reading.currencies import currency_of_site
from framework.reading.description import describe
from framework.reading.kinds import Verdict, kind_of
from framework.reading.merchants import merchant_of
from framework.reading.offers import Offer, consistent, list_price_in, market_price_in, price_in_content, span
from framework.reading.pages import Page, PageKind
from framework.reading.role_rules import Role
from framework.reading.roles import Priced, read_roles
from framework.reading.text import plain_content, plain_title
from framework.reading.titles import Title, bare_price, condition_of, split_title

_NO_PRICE = "No price found in the title, the text or the page."
_PRICE_FIELDS = re.compile(r"(?:^|:)(?:price|sale_?price|merchant@price|meta@price)$", re.I)


@dataclass(frozen=True)
class _Post:
    """An entry taken apart."""

    entry: Entry
    title: Title
    in_title: list[Priced]
    content: str
    in_content: list[Priced]
    currency: str  # what a bare "$" means here


class ExtractiveReader:
    """Reads entries by feed fields, grammar and page markup. Deterministic, safe to share between threads."""

    name = ReaderName.EXTRACTIVE.value

    def read_one(self, entry: Entry, page: Page | None = None) -> Reading:
        """Read one entry; never raises on what a feed or a page may contain."""
        post = _take_apart(entry)
        verdict = kind_of(post.title, post.in_title, _field(entry, "dealtype"))
        if verdict.kind is not Kind.PRODUCT:
            return _skipped(entry, verdict)
        offer, reader = _offer(post, page)
        if offer is None:
            return Reading(entry=entry, verdict=ReadingVerdict.FAILED, kind=Kind.PRODUCT, reason=_no_price_reason(page))
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
        if not entry.url:
            return False
        return self.read_one(entry).verdict is ReadingVerdict.FAILED


def _take_apart(entry: Entry) -> _Post:
    dollar = currency_of_site(entry.url) or currency_of_site(entry.feed_url)
    text, content = plain_title(entry.title), plain_content(entry.content)
    in_title = read_roles(text, dollar=dollar)
    return _Post(
        entry, split_title(text, in_title), in_title, content, read_roles(content, dollar=dollar), dollar or "USD"
    )


def _skipped(entry: Entry, verdict: Verdict) -> Reading:
    return Reading(
        entry=entry,
        verdict=ReadingVerdict.SKIPPED,
        kind=verdict.kind,
        reason=verdict.reason,
        certain=verdict.sure,
    )


def _no_price_reason(page: Page | None) -> str:
    if page is None or page.kind is PageKind.PRODUCT:
        return _NO_PRICE
    return f"{_NO_PRICE} The page is no product page ({page.kind})."


def _field(entry: Entry, name: str) -> str | None:
    """A publisher's extra field by its local name, in any namespace."""
    for key, value in entry.fields.items():
        if key.lower().rpartition(":")[2] == name and value.strip():
            return value.strip().lower() if name == "dealtype" else value.strip()
    return None


def _offer(post: _Post, page: Page | None) -> tuple[Offer | None, ReaderName]:
    """The offer from the first source that has a price: fields, title with content, page, content alone."""
    if offer := _from_fields(post):
        return _with_claims(post, offer), ReaderName.STRUCTURED
    if offer := _from_title(post, page):
        return _with_claims(post, offer), ReaderName.EXTRACTIVE
    if page and page.price:
        evidence = page.evidence or (f"page price {page.price}",)
        offer = Offer(page.price, list_price=page.list_price, evidence=evidence, certain=True)
        return _with_claims(post, offer), ReaderName.STRUCTURED
    if found := price_in_content(post.content, post.in_content, None):
        value, item = found
        if money := _money(value, item.amount.currency):
            offer = Offer(money, item.quantity, evidence=(span(post.content, item),))
            return _with_claims(post, offer), ReaderName.EXTRACTIVE
    return None, ReaderName.EXTRACTIVE


def _from_fields(post: _Post) -> Offer | None:
    """A price that the publisher put into a field of its own ("dealnews:price", "pepper:merchant@price")."""
    for key, value in post.entry.fields.items():
        if not _PRICE_FIELDS.search(key):
            continue
        currency = post.entry.fields.get(f"{key}@currency", "")
        money = parse_price(value, currency, default=post.currency)
        if money:
            quantity = next((item.quantity for item in post.in_title if item.role is Role.PAID), 1)
            return Offer(money, quantity, evidence=(f"{key} {value}",), certain=True)
    return None


def _from_title(post: _Post, page: Page | None) -> Offer | None:
    """The title's price, to the cent where the content or the page has it."""
    candidates = _title_prices(post)
    if not candidates:
        return None
    text = post.title.text
    value, item, evidence = candidates[0]
    currency = item.amount.currency if item else post.currency
    evidence_spans = [evidence]
    if exact := price_in_content(post.content, post.in_content, value):
        value = exact[0]
        evidence_spans.append(span(post.content, exact[1]))
    elif page and page.price and page.price.currency == currency and consistent(page.price.amount, value):
        value = page.price.amount
        evidence_spans.append(f"page price {page.price}")
    money = _money(value, currency)
    if money is None:
        return None
    certain = item is not None and len({candidate[0] for candidate in candidates}) == 1
    quantity = item.quantity if item else 1
    return Offer(money, quantity, evidence=tuple(evidence_spans), certain=certain and len(text) < 300)


def _title_prices(post: _Post) -> list[tuple[Decimal, Priced | None, str]]:
    """Candidates for the price in the title, best first."""
    text = post.title.text
    results = [item for item in post.in_title if item.role is Role.RESULT]
    paid = [item for item in post.in_title if item.role is Role.PAID]
    found: list[tuple[Decimal, Priced | None, str]] = [(item.value, item, span(text, item)) for item in results or paid]
    if found:
        return found
    from framework.reading.offers import computed_sums

    sums = computed_sums(text, post.in_title)
    if sums:
        return [(value, item, span(text, item)) for item, value in sums]
    before = [item for item in post.in_title if item.role is Role.BEFORE]
    if before:
        return [(item.value, item, span(text, item)) for item in before[:1]]
    bare = bare_price(text) if not post.in_title else None
    return [(Decimal(bare), None, bare)] if bare else []


def _with_claims(post: _Post, offer: Offer) -> Offer:
    """Add the list and market prices that title or content claim, in the price's own currency."""
    price = offer.price.amount
    for text, items in ((post.title.text, post.in_title), (post.content, post.in_content)):
        same = [item for item in items if item.amount.currency == offer.price.currency]
        listed, market = list_price_in(text, same, price), market_price_in(text, same, price)
        if listed and offer.list_price is None:
            offer = _claim(offer, "list_price", listed, text)
        if market and offer.market_price is None:
            offer = _claim(offer, "market_price", market, text)
    return offer


def _claim(offer: Offer, field: str, found: tuple[Decimal, Priced], text: str) -> Offer:
    value, item = found
    money = _money(value, offer.price.currency)
    words = span(text, item)
    evidence = offer.evidence if words in offer.evidence else (*offer.evidence, words)
    if field == "list_price":
        return replace(offer, list_price=money, evidence=evidence)
    return replace(offer, market_price=money, evidence=evidence)


def _money(value: Decimal, currency: str) -> Money | None:
    """Money, unless the amount is nothing or absurd."""
    return Money.of(value, currency) if Decimal("0.005") <= value < LARGEST else None


def _deal(post: _Post, offer: Offer, reader: ReaderName, page: Page | None) -> Deal:
    entry = post.entry
    product = post.title.product or post.title.text
    on_page = page if page and page.kind is PageKind.PRODUCT else None
    return Deal(
        entry_id=entry.id,
        url=entry.url,
        title=product[:300] or (on_page.product if on_page and on_page.product else "untitled"),
        description=describe(product, post.content, on_page.description if on_page else ""),
        price=offer.price,
        list_price=offer.list_price,
        market_price=offer.market_price,
        quantity=offer.quantity,
        condition=condition_of(post.title.text, post.content) or (on_page.condition if on_page else None),
        merchant=_field(entry, "retailer") or _field(entry, "merchant@name") or merchant_of(post.title, post.content),
        brand=on_page.brand if on_page else None,
        image=entry.image or (on_page.image if on_page else None),
        evidence=offer.evidence,
        reader=reader,
        sample=entry.sample,
    )
