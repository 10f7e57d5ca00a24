"""The anatomy of a deal title: who may buy, the product, what is left over behind the price."""

from __future__ import annotations

import re
from dataclasses import dataclass

from framework.deals import Condition
from framework.reading.role import Role
from framework.reading.roles import Priced

# "Costco Members:", "Select Accts:", "Refurb:", "[AUTO]": who may buy, where, and in what condition it is.
_WHO_FIRST = (
    r"upcoming|ymmv|select|prime|new|existing|eligible|costco|sam's club|bj's(?: wholesale)?|walmart\+?"
    r"|target(?: circle)?"
    r"|amazon|my best buy|best buy|rei co-op|samsung|hp|lenovo|apple|t-mobile|dashpass|woot!?|micro ?center"
    r"|harbor freight"
    r"|home depot|lowe's|staples|walgreens|cvs|dollar general|certified|factory|open[- ]box|refurb\w*|renewed"
    r"|like new|used"
)
_WHO_THEN = (
    r"select|prime|amazon|woot!?|app|plus|total|annual|rewards?|accounts?|accts?|acct|members?|customers?|users?"
    r"|students?"
    r"|subscribers?|locations?|regions?|stores?|areas?|club|edu|epp|education|only|excellent|good|new|premium"
    r"|refurb\w*"
    r"|reconditioned|open[- ]box|grade|[abc]|certified|w|with|y|business|wholesale|partner|best|buy|walmart|costco"
    r"|sam's"
    r"|home|depot|ollie's|lowe's|target|staples|walgreens|autozone|lg|samsung|gruv"
)
_WHO_BRACKET = r"pre-?order|open[- ]box|refurb\w*|renewed|ymmv|live|expired|used|like new|in-?store"
_WHO = re.compile(
    rf"\s*(?:\[[^\]]{{1,40}}\]|\((?:{_WHO_BRACKET})[^)]{{0,30}}\)"
    rf"|(?:{_WHO_FIRST})(?:[ /&+,-]+(?:{_WHO_THEN}))*(?:/[a-z]{{2,12}})?)\s*(?::|(?<=[\])])|(?<=woot!))\s*",
    re.I,
)

# Words that lead up to a price and belong to it.
_PRICE_LEADERS = re.compile(
    r"(?:[\s:;,|~(–—/-]|\b(?:for|from|only|just|now|at|is|was|as low as|starting at|price|on sale|sale|about|under"
    r"|pm|deal"
    r"|effectively|drops to|falls to|hits|down to|(?:for )?a new low(?: of)?|für|pour|à|each"
    r"|or)\b)+$",
    re.I,
)
# Words that lead into a headline and are no part of the product's name.
_HEADLINE = re.compile(
    r"^(?:deal|today only|price drop|lowest price|hot|(?:½|half|1/2) price|(?:take|save"
    r"|get) (?:an? )?(?:extra )?[$€£]?\d+%? off(?: of| on)?"
    r"|save [$€£]?\d+ on|\d+% off|buy|get|grab|score|pick up)\b:?\s+(?:(?:the|this|these|an?|one|any"
    r"|\d{1,3}(?= [A-Z]))\s+)*"
    r"|^[A-Z][\w.'!&]*(?: [A-Z][\w.'!&]*)? (?:has|offers|is offering) (?:the|this|an?) ",
    re.I,
)
# Where the product ends and extras begin: "+ Free S&H", "w/ S&S", "@ Store", "& More".
_EXTRAS = re.compile(
    r"\s+\+\s?(?:free|store pick|earn|\$|s&h|s/h|shipping|tax|~\$|[\d.]+ (?:walmart )?cash|\d+% ?(?:back|cash|mail))"
    r"|\s+w/\s?(?:s&s|subscribe|prime)|\s@\s|\s\+\s*$|\s(?:&|and)\s(?:many |much )?more\b\s*(?=$|[+(w])"
    r"|\s[({]?(?:in[- ]store only|free pickup|free s&h|valid (?:thru|through|in))",
    re.I,
)
_BRACKETED = re.compile(
    r"\s*\[[^\]]{0,60}\]"
    r"|\s*\((?:in-store|valid|limited|pricing|ymmv|book by|select stores|expired|via)[^)]{0,80}\)",
    re.I,
)
_AFTER_PRICE = re.compile(r"^\s*(?:off|savings?|discount|each|or less)\b", re.I)
_BARE_PRICE = re.compile(r"(?<![\d.,$€£x×-])(\d{1,4}\.\d{2})\s*(?=$|\+\s|w/ s&s)", re.I)
_NO_PRODUCT = frozenset({"buy", "get", "spend", "save", "take", "only", "price"})
_SPOKEN = (Role.PAID, Role.RESULT, Role.BEFORE, Role.FROM, Role.UP_TO, Role.LIST, Role.DISCOUNT, Role.RECURRING)


@dataclass(frozen=True)
class Title:
    """A title taken apart. ``product`` is what is offered, ``who`` the conditions put before it."""

    text: str
    who: str
    product: str
    tail: str


def split_title(text: str, priced: list[Priced]) -> Title:
    """Take a plain title apart, given the roles of its amounts."""
    start = 0
    while (match := _WHO.match(text, start)) and start < match.end() < len(text):
        start = match.end()
    cut = _price_start(text, priced, start)
    body = text[start:cut]
    if extras := _EXTRAS.search(body):
        cut = start + extras.start()
        body = text[start:cut]
    product = _PRICE_LEADERS.sub("", _BRACKETED.sub("", body)).strip(" -–—:;,|")
    product = _HEADLINE.sub("", product)
    if len(product) < 4 or product.lower() in _NO_PRODUCT:  # the price leads: "$20 off: Bosch drill", "2 for $9 Socks"
        product = _behind_price(text, priced, start) or product
    return Title(text, text[:start].strip(" :"), product, text[cut:].strip())


def _price_start(text: str, priced: list[Priced], start: int) -> int:
    for item in priced:
        if item.amount.start >= start and item.role in _SPOKEN:
            return item.amount.start
    bare = _BARE_PRICE.search(text)
    return bare.start() if bare else len(text)


def _behind_price(text: str, priced: list[Priced], start: int) -> str:
    """The longest piece of text behind an amount: "$50 off Galaxy Tab: $199.99 in cart" is about the tablet."""
    spoken = [item.amount for item in priced if item.role in _SPOKEN]
    ends = [amount.end for amount in spoken] or [start]
    nexts = [*(amount.start for amount in spoken[1:]), len(text)]
    pieces = (_without_extras(text[end:after]) for end, after in zip(ends, nexts, strict=True))
    return max((_BRACKETED.sub("", _AFTER_PRICE.sub("", piece)).strip(" -–—:;,|()") for piece in pieces), key=len)


def _without_extras(piece: str) -> str:
    extras = _EXTRAS.search(piece)
    return piece[: extras.start()] if extras else piece


def bare_price(text: str) -> str | None:
    """A price without its currency sign at the end of a title: "Squeegee w/ Wood Handle 10.65"."""
    match = _BARE_PRICE.search(text)
    return match[1] if match else None


_CONDITIONS = (
    (Condition.OPEN_BOX, re.compile(r"\bopen[- ]?box\b", re.I)),
    (
        Condition.REFURBISHED,
        re.compile(
            r"\b(?:refurb(?:ished|s|ed)?|renewed|reconditioned|reconditionn?é|remanufactured|recertified"
            r"|generalüberholt)\b",
            re.I,
        ),
    ),
    (
        Condition.USED,
        re.compile(
            r"\b(?:pre-?owned|used(?= |:|\)|,)(?! (?:to|for|in|by|with|as|on|at))|like[- ]new|second[- ]?hand"
            r"|blemished"
            r"|scratch (?:and|&) dent)\b",
            re.I,
        ),
    ),
    (
        Condition.NEW,
        re.compile(
            r"\bnew (?:with|in) (?:the )?(?:original )?(?:box|tags|packag)|\bbrand[- ]new, (?:sealed|unopened)", re.I
        ),
    ),
)
# A new item compared with a used one is not used.
_COMPARED = re.compile(
    r"(?:than|versus|vs\.?|available|or|compared to|from our|for a|cheaper|also)\W+(?:\w+\W+){0,3}$", re.I
)


def condition_of(title: str, content: str = "") -> Condition | None:
    """The condition that the title states, else the first lines of the content; ``None`` when neither says."""
    for text in (title, content[:600]):
        for condition, pattern in _CONDITIONS:
            match = pattern.search(text)
            if match and not _COMPARED.search(text[max(0, match.start() - 40) : match.start()]):
                return condition
    return None
