"""The anatomy of a deal title: who may buy, the product, what is left over behind the price."""

from __future__ import annotations

import re
from dataclasses import dataclass

from framework.deals import Condition
from framework.reading.role_rules import Role
from framework.reading.roles import Priced

_WHO = re.compile(
    r"\s*(?:"
    r"\[[^\]]{1,40}\]|\((?:pre-?order|open[- ]box|refurb\w*|renewed|ymmv|live|expired|used|like new|in-?store)[^)]{0,30}\)"
    r"|(?:upcoming|ymmv|select|prime|new|existing|eligible|costco|sam's club|bj's(?: wholesale)?|walmart\+?|target(?: circle)?"
    r"|amazon|my best buy|best buy|rei co-op|samsung|hp|lenovo|apple|t-mobile|dashpass|woot!?|micro ?center|harbor freight"
    r"|home depot|lowe's|staples|walgreens|cvs|dollar general|certified|factory|open[- ]box|refurb\w*|renewed|like new|used)"
    r"(?:[ /&+,-]+(?:select|prime|amazon|woot!?|gruv|app|plus|total|annual|rewards?|accounts?|accts?|acct|members?|customers?|users?|locations?"
    r"|stores?|areas?|club|edu|epp|student|students|education|only|excellent|good|new|premium|refurb\w*|reconditioned|open[- ]box"
    r"|grade|[abc]|certified|w|business|wholesale|with|y|partner|best|buy|walmart|costco|sam's|home|depot|ollie's|lowe's|target|staples"
    r"|walgreens|autozone|lg|samsung|upcoming|subscribers?))*(?:/[a-z]{2,12})?"
    r")\s*(?::|(?<=[\])])|(?<=woot!))\s*",
    re.I,
)
_PRICE_LEADERS = re.compile(
    r"(?:[\s:;,|~(–—-]|\b(?:for|from|only|just|now|at|is|as low as|starting at|price|on sale|sale|about|under|effectively|pm|deal|\d{1,3} for|each|or)\b)+$",
    re.I,
)
_EXTRAS = re.compile(
    r"\s+\+\s+(?:free|store pick|\$|s&h|s/h|shipping|earn|tax|~\$|\d+% ?(?:back|cash))|\s+w/\s?(?:s&s|subscribe|prime)|\s@\s|\s\+\s*$"
    r"|\s(?:&|and)\s(?:many |much )?more\b\s*(?=$|[+(w])|\s[({]?(?:in[- ]store only|free pickup|free s&h|valid (?:thru|through|in))",
    re.I,
)
_BRACKETED = re.compile(
    r"\s*\[[^\]]{0,60}\]|\s*\((?:in-store|valid|limited|pricing|ymmv|book by|select stores|expired|via)[^)]{0,80}\)",
    re.I,
)
_PLAIN_PRICE = re.compile(r"(?<![\d.,$€£x×-])(\d{1,4}\.\d{2})\s*(?=$|\+\s|w/ s&s)", re.I)


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
    while (match := _WHO.match(text, start)) and match.end() > start and match.end() < len(text):
        start = match.end()
    cut = _price_start(text, priced, start)
    body = text[start:cut]
    if extras := _EXTRAS.search(body):
        cut = start + extras.start()
        body = text[start:cut]
    product = _PRICE_LEADERS.sub("", _BRACKETED.sub("", body)).strip(" -–—:;,|")
    if not product:  # the price leads: "$20 off: Bosch drill", "$99 | Sony headphones"
        product = _behind_price(text, priced, start)
    return Title(text, text[:start].strip(" :"), product, text[cut:].strip())


_SPOKEN = (Role.PAID, Role.RESULT, Role.BEFORE, Role.FROM, Role.UP_TO, Role.LIST, Role.DISCOUNT, Role.RECURRING)


def _price_start(text: str, priced: list[Priced], start: int) -> int:
    for item in priced:
        if item.amount.start >= start and item.role in _SPOKEN:
            return item.amount.start
    bare = _PLAIN_PRICE.search(text)
    return bare.start() if bare else len(text)


def _behind_price(text: str, priced: list[Priced], start: int) -> str:
    last = max((item.amount.end for item in priced if item.role in _SPOKEN), default=start)
    rest = text[last:]
    if extras := _EXTRAS.search(rest):
        rest = rest[: extras.start()]
    rest = re.sub(r"^\s*(?:off|savings?|discount|each|or less)\b", "", rest, flags=re.I)
    return _BRACKETED.sub("", rest).strip(" -–—:;,|()")


def bare_price(text: str) -> str | None:
    """A price without its currency sign at the end of a title: "Squeegee w/ Wood Handle 10.65"."""
    match = _PLAIN_PRICE.search(text)
    return match[1] if match else None


_CONDITIONS = (
    (Condition.OPEN_BOX, re.compile(r"\bopen[- ]?box\b", re.I)),
    (
        Condition.REFURBISHED,
        re.compile(r"\b(?:refurb(?:ished|s|ed)?|renewed|(?:factory |certified |manufacturer )?reconditioned|reconditionn?é|remanufactured|recertified|generalüberholt)\b", re.I),
    ),
    (Condition.USED, re.compile(r"\b(?:pre-?owned|used(?= |:|\)|,)(?! (?:to|for|in|by|with|as|on|at))|like[- ]new|second[- ]?hand|blemished|scratch (?:and|&) dent)\b", re.I)),
    (Condition.NEW, re.compile(r"\bnew (?:with|in) (?:the )?(?:original )?(?:box|tags|packag)|\bbrand[- ]new, (?:sealed|unopened)", re.I)),
)  # fmt: skip


def condition_of(title: str, content: str = "") -> Condition | None:
    """The condition that the title states, else the first lines of the content; ``None`` when neither says."""
    for text in (title, content[:600]):
        for condition, pattern in _CONDITIONS:
            if (match := pattern.search(text)) and not _is_comparison(text, match.start()):
                return condition
        # a new item compared with a used one is not used: only the title may say less than the patterns above
    return None


def _is_comparison(text: str, place: int) -> bool:
    before = text[max(0, place - 40) : place].lower()
    return bool(
        re.search(
            r"(?:than|versus|vs\.?|also available|or|compared to|from our|for a|cheaper|also)\W+(?:\w+\W+){0,3}$",
            before,
        )
    )
