"""A fetched web page, read: one product with its price, or what else it is."""

from __future__ import annotations

from enum import StrEnum

from framework.deals import Condition, Value
from framework.money import Money


class PageKind(StrEnum):
    """What a page is. Only ``PRODUCT`` pages may have a price."""

    PRODUCT = "product"
    LISTING = "listing"
    ARTICLE = "article"
    BLOCKED = "blocked"  # a bot wall, a captcha, a sign-in
    OTHER = "other"


class Page(Value):
    """What a page says of itself. ``price`` is there only on product pages that state one."""

    url: str
    kind: PageKind
    title: str = ""
    product: str | None = None
    price: Money | None = None
    list_price: Money | None = None
    availability: str | None = None  # schema.org's word: "InStock", "OutOfStock", "PreOrder", ...
    condition: Condition | None = None
    brand: str | None = None
    image: str | None = None
    description: str = ""
    evidence: tuple[str, ...] = ()
