"""The grammar of amounts in deal texts: what each amount of money means, told from the words around it.

A rule is a role with a pattern for the text just before the amount, just after it, or both; the first rule that holds
gives the role. An amount without a rule is what one pays. Patterns look at a window of fixed size on either side, so
that reading is linear in the length of the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from framework.reading.amounts import Amount, read_amounts

_WINDOW = 70


class Role(StrEnum):
    """What an amount of money in a deal text is."""

    PAID = "paid"
    RESULT = "result"  # what a sum comes to: "$30.58 - $11 = $19.58"
    BEFORE = "before"  # the start of such a sum
    LIST = "list"
    LIST_GAP = "list_gap"  # how far below the list price
    MARKET = "market"
    MARKET_GAP = "market_gap"  # how far below the lowest price elsewhere
    BOTH_GAP = "both_gap"  # below the list and the usual price alike
    DISCOUNT = "discount"
    UP_TO = "up_to"
    FROM = "from"
    SHIPPING = "shipping"
    THRESHOLD = "threshold"  # what one must spend
    CREDIT = "credit"  # a gift card or points on top
    RECURRING = "recurring"  # by month, year, line
    UNIT = "unit"  # by piece, ounce, metre
    HISTORY = "history"  # what it was in an earlier post


@dataclass(frozen=True)
class Priced:
    """An amount with its role. ``quantity`` is what the text says it buys: 2 in "2 for $30"."""

    amount: Amount
    role: Role
    quantity: int = 1
    strong: bool = field(default=False)  # the words around it say that it is the price

    @property
    def value(self) -> Decimal:
        return self.amount.value


@dataclass(frozen=True)
class _Rule:
    role: Role
    before: re.Pattern[str] | None
    after: re.Pattern[str] | None

    def holds(self, before: str, after: str) -> bool:
        return (self.before is None or self.before.search(before) is not None) and (
            self.after is None or self.after.match(after) is not None
        )


def _rule(role: Role, before: str | None = None, after: str | None = None) -> _Rule:
    return _Rule(
        role,
        re.compile(rf"(?<![^\W_])(?:{before})[\s~:(]*$", re.I) if before else None,
        re.compile(rf"\s*(?:{after})", re.I) if after else None,
    )


_LISTED = r"(?:list|msrp|m\.s\.r\.p|retail|rrp|regular|reg\b|original|orig\b|normal|full|sticker|strike)"
_ELSEWHERE = (
    r"(?:elsewhere|everywhere|other (?:stores?|retailers?|sellers?|shops?|places|sites)|competitors?|most (?:stores|places)"
    r"|amazon|walmart|best buy|target|ebay|the (?:next|best|lowest)|you'd (?:pay|find)|we (?:could|can) find|(?:next|any)"
    r" (?:best|other)|a similar)"
)
_ABOUT = r"(?:\s+(?:about|around|at least|over|nearly|almost|roughly|up to|a|an?other|the))*"

_RULES = (
    # What shipping costs, and what one must spend for it to be free.
    _rule(Role.SHIPPING, after=r"(?:flat(?:-rate)? )?(?:s\s?&\s?h|s/h|shipping|delivery|p&p|postage|handling|ship\b|frais de port|versand)"),
    _rule(Role.SHIPPING, r"(?:shipping|delivery|s&h|postage|handling|port)(?: (?:adds?|is|costs?|of|for|from|starts? at|fees?|charges?|fee of|charge of|otherwise))*"),
    _rule(Role.SHIPPING, r"(?:reduced fee of|delivery for|ships? for|plus|fees? of)", r"(?:otherwise|for (?:shipping|delivery))"),
    _rule(Role.MARKET, r"(?:you'd|you'll|you would|expect to) (?:still |have to )?(?:pay|find it for)" + _ABOUT, r"\+?(?! more)[^$€£.]{0,50}?" + _ELSEWHERE),
    _rule(Role.MARKET, r"(?:charges?|charging|sells? (?:it |this )?for|goes for|lists? it (?:for|at))" + _ABOUT, r"\+?(?: or more)?[^$.]{0,30}?(?:for|elsewhere)"),
    _rule(Role.MARKET, None, r"\+? (?:or more )?(?:elsewhere|at (?:most|other) |everywhere else|almost everywhere)"),
    _rule(Role.MARKET, r"(?:(?:next|lowest|best)[\w -]{0,30}price(?: elsewhere| we (?:could |can )?(?:find|found|see|saw))?(?: is| was|:| at)|typical(?:ly)? (?:price (?:is|of))|street price(?: is| of)?|typically|amazon(?:'s)? price(?: is)?)" + _ABOUT),
    _rule(Role.MARKET_GAP, r"(?:you'd|you would) pay" + _ABOUT, r"more\b"),
    # Gaps: how far the price is below another one.
    _rule(Role.BOTH_GAP, None, r"(?:off|less than|compared to|under|below|lower than)[^$.]{0,10} both (?:the )?(?:list|typical)"),
    _rule(Role.BOTH_GAP, None, r"off (?:the )?list and (?:the )?typical"),
    _rule(Role.LIST_GAP, None, r"(?:\(\d{1,2}%[^)]{0,12}\) ?)?(?:off|lower|less|under|below|savings?|cheaper|compared|discount|from|drop)\b(?:\s+(?:than|to|from|off|of|on|the|its?|their|his|a|what was|compared|when))*\s+" + _LISTED),
    _rule(Role.LIST_GAP, None, r"(?:off|under|below) (?:the )?(?:list|msrp|retail|rrp)"),
    _rule(Role.MARKET_GAP, r"(?:(?:a |price |all-time )?low|(?:lowest|best|cheapest)[^.$€£!?]{0,50}) by" + _ABOUT),
    _rule(Role.MARKET_GAP, None, r"(?:to [$€£]\d+ )?(?:less|cheaper|lower|under|below) (?:than )?(?:what )?(?:the )?(?:next |best |lowest )?" + _ELSEWHERE),
    _rule(Role.MARKET_GAP, None, r"(?:less|cheaper|lower) (?:than|compared)[^.$]{0,60}elsewhere"),
    _rule(Role.MARKET_GAP, None, r"(?:over|compared (?:to|with)|off|less than|below|under)(?: the| its)? (?:price\w* elsewhere|typical|usual|average|going)"),
    _rule(Role.HISTORY, None, r"(?:under|less than|cheaper than|lower than|below)(?: from)? (?:our|the|last|its)[\w' -]{0,30}(?:mention|deal|price|low)"),
    _rule(Role.LIST, r"(?:\bwas|\bwere|reg(?:ular(?:ly)?)?\.?|orig(?:inal(?:ly)?)?\.?|list(?:ed|s)?|msrp|rrp|uvp|retails?|normal(?:ly)?|usual(?:ly)?|down from|reduced from|marked down from|discounted from|drops? from|cut from|instead of|compare at|comp\.?|valued?|previously|statt|au lieu de|anstatt|strikethrough|full price)(?:[ ,:]+(?:at|of|for|is|was|price|value|to be|the|an?|its?|about|around|approximately|on|online|prices?|retail|regular|usual|list|typical))*"),
    _rule(Role.LIST, r"(?:off|from|than|than the|off the)(?: (?:the|its|a|of))* " + _LISTED + r"(?: (?:price|value|cost))?(?: (?:of|at|was|is))?" + _ABOUT),
    _rule(Role.LIST, r"[^.$]{0,3}(?:msrp|rrp|list price)[^.$€£]{0,40}? is" + _ABOUT),
    _rule(Role.LIST, None, r"\+?(?: (?:a|the|its))?[ (]*(?:list\b(?: price)?|msrp|rrp|retail (?:price|value)|value\b|elsewhere|originally|regular price|reg\b)"),
    # Gift cards and points on top.
    _rule(Role.CREDIT, r"(?:back|credit|bonus|earn|get|receive|worth|effectively)[^$.]{0,12}?(?:a|an|another|free|up to|bonus|additional|with|w/|of)", r"(?:[\w'&.+-]+ ){0,4}?(?:credits?|cash|e?-?gift ?cards?|e?gcs?|rewards?|points|back|mastercard|visa|voucher|bucks|money)\b"),
    _rule(Role.CREDIT, None, r"(?:(?:in|of|worth of) )?(?:[\w'&.+-]+ ){0,3}?(?:credits?|cash\b|e?-?gift ?cards?|egcs?|gcs?|rewards?|points|bucks|money|promo egift)\b"),
    # Discounts.
    _rule(Role.UP_TO, r"(?:up to|as much as|bis zu|jusqu'à|max(?:imum)?:? (?:of|discount))"),
    _rule(Role.DISCOUNT, r"(?:sav(?:e|es|ed|ing|ings|ins)(?: of| you| an?(?: extra)?| extra| over| about)*|discount(?:ed)?(?: of| by)?|extra|additional|knocks?(?: off)?|takes?(?: off)?|cuts?|drops?(?: the price)? by|reduced by|less|minus|clip(?: the)?|coupon (?:for|of)|rebate of)" + _ABOUT),
    _rule(Role.DISCOUNT, r"(?:after|with|w/|using|apply|applying|and|\+|the|your|a|an|clip)", r"(?:[\w'-]+ ){0,3}?(?:rebate|coupon|mir\b|mail-in|discount|promo|off\b|code)"),
    _rule(Role.DISCOUNT, None, r"(?:\(\d{1,2}%\) ?)?(?:off\b|savings?\b|discount|(?:instant |mail[- ]in )?rebates?\b|mir\b|coupon|drop\b|back\b|less\b|cheaper|price drop|réduction|rabatt|de réduction|de remise)"),
    _rule(Role.DISCOUNT, r"[$€£]\s?[\d,.]+(?:[ )(][^$€£=]{0,45})?\s?[-–−]\s?(?:an? )?(?:extra |additional )?", r"(?:\(|off|when|w/|with|via|coupon|promo|code|discount|at checkout|automatic|clip|instant|subscribe|s&s|multibuy|from|in cart|using|extra|=|after)"),
    # Conditions.
    _rule(Role.THRESHOLD, None, r"(?<!\s)\+(?! ?[\d$€£])"),
    _rule(Role.THRESHOLD, None, r"(?:or more\b|or above|and up\b|min\b|min\.|minimum|purchase\b|orders?\b|worth of)"),
    _rule(Role.THRESHOLD, r"(?:shipping|s\s?&\s?h|s/h|pick-?up|delivery|ships? free|free)[^$€£.]{0,40}?(?:w/|with|on|over|for|above|of|orders?|\$)(?: (?:orders?|over|of|purchases?))*"),
    _rule(Role.THRESHOLD, r"(?:orders?|spend(?:ing)?|purchases?|purchase any|min(?:imum|\.)?|totall?ing|your cart)(?: (?:of|over|at|at least|on|is|above|more than|from|a))*"),
    # Prices that are no price of the item in the title.
    _rule(Role.RECURRING, None, r"(?:\+? ?/ ?|per |a |each |every |an |p/)(?:mo(?:nth)?s?|m|yr|year|week|wk|day|night|line|user|person|gallon|gal|hr|hour|ticket|couple|sailor|pp)\b|monthly|annually|yearly|p\.?m\b|weekly|pp\b|nightly"),
    _rule(Role.UNIT, None, r"(?:/ ?|per |a |for (?:one|each))(?:ct|count|oz|ounce|fl|lb|pound|piece|pc|pk|pack|roll|can|bottle|unit|item|sheet|ft|foot|yd|yard|mile|m²?|kg|g|l|100|pair|bar|bag|box|book|game|load|tb|gb|pod|serving|cup|shirt)\b"),
    _rule(Role.HISTORY, r"(?:(?:frontpage|popular|previous|prior|last|past|older|earlier|historical)[\w '\"/,()-]{0,40}(?:deals?|price|low|post|mention|thread)?(?:[\w ()]{0,20})?(?: at| for| was| of| from|:)|(?:all[- ]time|previous|historical) low(?: of| was| is| at|:)?|lowest (?:ever )?was|matches the [\w ]{0,30})"),
    _rule(Role.FROM, r"(?:\bfrom|\bstarts?(?: at| from| as low as)?|starting(?: at| from)?|as low as|as little as|under|lower than|ab|à partir de|dès|desde|vanaf|below)" + _ABOUT),
)

_RESULT = re.compile(r"(?:=|→|=>|comes to|total(?:s|ing)?(?: of)?:?|final price:?|drops? to|bringing (?:it|the price) (?:down )?to|price (?:down )?to)\s*(?:only |just )?[~(]*\s*$", re.I)
_STRONG = re.compile(
    r"(?:\bfor(?: just| only)?|priced at|on sale (?:for|at)|sale price:?|price:|\bnow(?: only| just)?|\bis(?: just| only)?|\bjust|\bonly|\bat|:|\bpay)"
    r"\s*[~(]?\s*$",
    re.I,
)  # fmt: skip
_SUM = re.compile(
    r"\s*(?:each\s*|\([^)]{0,30}\)\s*)?(?:[-–−]|minus|less(?! than))\s*(?:an? )?(?:extra\s|additional\s|~)?(?=[$€£]\s?\d|\d{1,2}(?:\.\d+)?\s?(?:%|€))", re.I
)
_MINUS = re.compile(r"\s*(?:[-–−]|minus|less)\s*(?:an? )?(?:extra\s|additional\s|~)?", re.I)
_RANGE = re.compile(r"\s*(?:[-–−]|to)\s*$")
_QUANTITY = re.compile(r"(?<![\w.$])(\d{1,3})\s?(?:for|/|x for|pour|für)\s*(?:only |just )?$", re.I)
_QUANTITY_AFTER = re.compile(r"\s*for (?:any )?(\d{1,2})(?=\s*(?:$|[,.;)+]))", re.I)


def read_roles(text: str, *, dollar: str | None = None) -> list[Priced]:
    """Every amount of money in ``text`` with its role, in order."""
    amounts = read_amounts(text, dollar=dollar)
    found = [_read(text, amount) for amount in amounts]
    return _mark_sums_and_ranges(text, found)


def _read(text: str, amount: Amount) -> Priced:
    before = text[max(0, amount.start - _WINDOW) : amount.start]
    after = text[amount.end : amount.end + _WINDOW]
    if _RESULT.search(before):
        return Priced(amount, Role.RESULT, strong=True)
    for rule in _RULES:
        if rule.holds(before, after):
            return Priced(amount, rule.role)
    quantity = _QUANTITY.search(before) or _QUANTITY_AFTER.match(after)
    count = int(quantity[1]) if quantity and 0 < int(quantity[1]) <= 500 else 1
    return Priced(amount, Role.PAID, count, strong=_STRONG.search(before) is not None)


def _mark_sums_and_ranges(text: str, found: list[Priced]) -> list[Priced]:
    """Tell "$30.58 - $11" (a sum) from "$17.10 - $17.89" (a range), which look alike."""
    marked = list(found)
    for place, item in enumerate(found):
        if item.role not in (Role.PAID, Role.LIST, Role.RESULT):
            continue
        following = found[place + 1] if place + 1 < len(found) else None
        gap = text[item.amount.end : following.amount.start] if following else ""
        if following and _RANGE.fullmatch(gap) and following.value > item.value:
            marked[place] = replace(item, role=Role.FROM)
            marked[place + 1] = replace(following, role=Role.UP_TO)
        elif item.role is not Role.RESULT and _SUM.match(text[item.amount.end : item.amount.end + 40]):
            marked[place] = replace(item, role=Role.BEFORE)
            if following and _MINUS.fullmatch(gap) and following.role is Role.PAID:
                marked[place + 1] = replace(following, role=Role.DISCOUNT)
    return marked
