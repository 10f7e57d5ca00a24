"""What an entry offers: one product, or something that no price guide can value.

Rules over the title, first match wins; the words are those that shops and deal posters use for whole classes of
offers, never names of single offers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from framework.deals import Kind
from framework.reading.roles import Priced, Role
from framework.reading.titles import Title

_GIFT_CARD = re.compile(r"\be-?gift ?cards?\b|\bgift ?cards?\b|\bgift certificates?\b|\begcs?\b|\bgiftcards?\b|\bcarte cadeau|\bgutschein", re.I)
_EATERIES = re.compile(
    r"\b(?:restaurants?|mcdonald'?s|burger king|wendy'?s|taco bell|kfc|subway (?:restaurants?|sub)|footlong|domino'?s|pizza hut|papa john'?s"
    r"|chipotle|arby'?s|dairy queen|sonic drive|carl'?s jr|hardee'?s|jack in the box|popeyes|chick-fil-a|panera|panda express|five guys"
    r"|shake shack|habit burger|firehouse subs|jersey mike'?s|jimmy john'?s|krispy kreme|dunkin'?(?= (?:donuts|rewards|app|offer))|starbucks(?= (?:rewards|app|offer|drink))"
    r"|auntie anne'?s|cinnabon|wingstop|buffalo wild wings|applebee'?s|chili'?s grill|olive garden|ihop|denny'?s|red robin|texas roadhouse"
    r"|outback steakhouse|white castle|whataburger|in-n-out|del taco|qdoba|moe'?s southwest|little caesars|baskin-robbins|jamba"
    r"|culver'?s|raising cane'?s|el pollo loco|noodles & company|tgi ?friday'?s|cheesecake factory|doordash(?=.*\boff\b)|uber ?eats|grubhub)",
    re.I,
)  # fmt: skip
_SERVICE = re.compile(
    r"\b(?:\d+[- ]?(?:mo|month|yr|year|day)s?\b[^$]{0,60}?\b(?:plans?|membership|subscription|service|talk|unlimited|pass)\b"
    r"|subscription|memberships?\b(?! (?:required|price))|(?:phone|data|mobile|unlimited|prepaid|cell|internet|student|wireless|talk|fiber)[\w &/+-]{0,30} plans?\b"
    r"|unlimited (?:talk|data|plan)|home internet|fiber optic internet|internet customers|(?:streaming|phone|photo|cable|tv|wireless|mobile) service\b"
    r"|new line\b|port[- ]?in\b|activation req|bill credits|trade-?in|airfare|(?:nonstop|us|domestic|international|select|round ?trip|airline|cheap) flights?\b|flights? (?:from|to)\b|flight, hotel|round ?trip|cruises?\b(?! control)|vacation\b(?! (?:bag|dress))|all-inclusive|(?:hotels?|resorts?)(?= (?:rates?|stays?|rooms?|across|offer|bookings?|deals?)|:| in | & |s\b)|night stays?|(?:per |/)night|\d[- ]nights? (?:stay|in |at )"
    r"|(?:movie|premiere|imax|concert|event|theme park|admission|season|sporting|atom|amc)[\w: .'()-]{0,60}tickets?\b|\btickets? (?:for|to)\b|tickets? (?:and|&|\+)|ticket tuesdays?|sunday ticket|(?:two|2|4|four) tickets\b"
    r"|car rental|rentals?\b(?= (?:from|for|car|deal|off))|rv rentals|(?:airport )parking\b|parking (?:spot|pass|reservation)|haircut|oil change|car wash(?= (?:membership|service|pass))|insurance|vpn\b|lifetime license(?= to)|antivirus(?= subscription)|tax (?:filing|prep)|checking account|savings account|credit card(?= (?:offer|bonus|holder))|bonus (?:points|elite|miles)|elite night|points on|cash ?back(?= (?:offer|at|on))|statement credit|season pass|(?:annual|day|golf|ski|park|gowild|museum|national park) pass\b|game pass|google ai pro|uber one|switch online|playstation plus|ps plus|xbox live gold|kindle unlimited|youtube premium|(?:audible|hulu|netflix|paramount\+|disney\+|peacock|spotify|apple music|siriusxm)(?= (?:premium|basic|subscri|members?hip|annual|for \d|\d))|prepaid (?:card|plan|mobile)|sim card plan|online courses?|course bundle|photo prints?|photo cards?|forfait|abonnement|billets? )",
    re.I,
)  # fmt: skip
_NEWS = re.compile(
    r"\bgiveaway|sweepstakes|daily draw|enter (?:now|to win)|chance to win|free to register|register (?:&|and) book|earn (?:up to )?[\d,]+ (?:bonus )?points|see thread|price (?:match|error) discussion|\bpsa\b|^\s*(?:what|which|how|why|is there|anyone|looking for|wtb|question)\b.*\?|receive credit|megathread|weekly thread",
    re.I,
)  # fmt: skip
_FREE = re.compile(
    r"(?:^|[\s:])(?:free(?! (?:s&h|s/h|shipping|delivery|pick|store|gift|returns|w/ (?:prime|s&s)|standard|ship|next|2-day|two)|[- ](?:standing|range|sip|style|flow|sync|country|people|form|fly|cell))|gratuit|kostenlos|\$0(?:\.00)?)(?=$|[\s,;(+:!])(?! (?:sugar|gluten|wireless|sync|motion|size))",
    re.I,
)  # fmt: skip
_FREE_END = re.compile(r"(?:^|\s)(?:free|gratuit)\s*(?:$|\+|\(|to claim|after|w/|with|&|for)|free to claim", re.I)
_BUY_GET = re.compile(r"\b(?:b[1-9]g[1-9]|bogo|buy (?:one|1|2|two|3|any)[\w ,]{0,40}get\b|get one free)", re.I)
_SALE = re.compile(
    r"\b(?:sales?\b(?! price)|clearance\b(?! price)|closeouts?|deals\b|outlet\b(?! (?:cover|box|tester|extender|plate|strip|adapter|wall))|specials\b|freebies|savings (?:on|from|event)|extra savings|additional savings|sitewide|everything|select (?:styles|items|tools|men's|women's|products|adidas|kind|titles|household|groceries|amazon groceries|apparel|subs?|arrow|sale|nendoroid|barbie|gift)|web specials|promotion|soldes|ventes? privées?|toute la|sur la gamme|collection films)\b",
    re.I,
)  # fmt: skip
_MANY_MORE = re.compile(r"(?:&|and) (?:many|much|lots) more\b", re.I)
_MORE = re.compile(r"(?:&|and) more\b(?! options)\s*(?=$|[+(]|w/|from|\d|\$|up to|extra)", re.I)
_PERCENT_OFF = re.compile(r"\b\d{1,2}\s?%(?: to \d{1,2}%)? (?:off|de réduction|de remise|rabatt|discount|back)|half off|\d{1,2}[-–]\d{1,2}% off", re.I)
_UP_TO = re.compile(r"\bup to (?:an? )?(?:extra |additional )?(?:\d{1,2}\s?%|[$€£]\s?\d[\d,.]*)(?: to \d+%)? ?(?:off|savings|discount|back)?|\bjusqu'à -?\d+ ?%", re.I)
_COUPON = re.compile(r"\bcoupons?\b|\bpromo code|\bspend [$€£]\d|\bpurchase[ds]?\b|\bget [$€£]\d[\d,.]* off|\boff (?:[$€£]\d|your|any|orders?|bookings?|when)|\breceive\b|\bget\b.*\bfree\b", re.I)


@dataclass(frozen=True)
class Verdict:
    """A kind with the reason for it. ``sure`` is false where the title could be meant in another way."""

    kind: Kind
    reason: str
    sure: bool = True


_PRODUCT = Verdict(Kind.PRODUCT, "")


def kind_of(title: Title, priced: list[Priced], deal_type: str | None = None) -> Verdict:
    """Say what a title offers. ``deal_type`` is the publisher's own word for it, where the feed has one."""
    paid = [item for item in priced if item.role in (Role.PAID, Role.RESULT)]
    return (
        _not_goods(title, paid)
        or _free(title, paid)
        or _many(title, priced, paid, deal_type)
        or _only_a_discount(title, priced, paid)
        or _PRODUCT
    )


def _not_goods(title: Title, paid: list[Priced]) -> Verdict | None:
    head = f"{title.who}: {title.product}"
    offered = re.split(r"\s\+\s", title.product)[0] if paid else title.text
    if _NEWS.search(title.text):
        return Verdict(Kind.OTHER, "A giveaway, a registration or news, not an offer of a product.")
    if _GIFT_CARD.search(offered) and not re.search(r"purchase|spend", title.text, re.I):
        return Verdict(Kind.GIFT_CARD, "A gift card, not a product.")
    if _EATERIES.search(head) and not _is_packaged(title.product):
        return Verdict(Kind.RESTAURANT, "A restaurant offer, not a product.")
    if match := _SERVICE.search(title.text):
        return Verdict(Kind.SERVICE, f"A service ({match.group().strip().lower()[:40]}), not a product.")
    return None


def _is_packaged(product: str) -> bool:
    """Goods of a restaurant's brand sold by the pack ("96-Ct Dunkin' K-Cups") are products."""
    return bool(re.search(r"\d[\d.]*[- ]?(?:ct|count|oz|pk|pack|lb|pc|piece)\b|k-cups?|lego", product, re.I))


def _free(title: Title, paid: list[Priced]) -> Verdict | None:
    if paid and not re.search(r"free to claim", title.text, re.I):
        return None
    if _BUY_GET.search(title.text):
        return Verdict(Kind.COUPON, "A buy-some-get-some offer without a price.")
    if _FREE_END.search(re.sub(r"\bfree (?:s&h|s/h|shipping|pick-?up|store pick|delivery)\b", "", title.text, flags=re.I)) or _ZERO.search(title.text):
        return Verdict(Kind.FREEBIE, "A freebie: there is no price to compare.")
    return None


_ZERO = re.compile(r"[$€£]\s?0(?:\.00?)?(?![\d.])(?! (?:with|delivery|shipping|s&h|down))", re.I)


def _many(title: Title, priced: list[Priced], paid: list[Priced], deal_type: str | None) -> Verdict | None:
    text = title.text
    if _UP_TO.search(text) and not paid:
        return Verdict(Kind.MANY, "A sale with discounts up to a limit, not one product.")
    if deal_type in ("sale", "collection", "coupon") and not paid:
        return Verdict(Kind.MANY, "The publisher calls it a sale.")
    if any(item.role is Role.FROM for item in priced) and not paid:
        return Verdict(Kind.MANY, 'Prices "from" an amount: several offers, none of them at a stated price.')
    sale = _SALE.search(text[: paid[0].amount.start] if paid else text)
    if sale and (not paid or _MORE.search(text) or _MANY_MORE.search(text) or _PERCENT_OFF.search(text) or len(paid) > 1):
        return Verdict(Kind.MANY, f"A sale of many products ({sale.group().strip().lower()}).")
    if _MANY_MORE.search(text):
        return Verdict(Kind.MANY, "Many products in one post.")
    if _MORE.search(text) and len({item.value for item in paid}) > 1:
        return Verdict(Kind.MANY, "Several products with a price each.")
    if _PERCENT_OFF.search(text) and _MORE.search(text):
        return Verdict(Kind.MANY, "A discount on several products.")
    if paid and _is_sale_prefix(text, paid[0]):
        return Verdict(Kind.MANY, "A sale with one example of its prices.")
    return None


def _is_sale_prefix(text: str, first: Priced) -> bool:
    """ "Toy Clearance: Fetch Ball $1.25": a sale is announced and one item named. """
    head = text[: first.amount.start].split(":")
    return len(head) > 1 and bool(re.search(r"\b(?:sale|clearance|% off[\w ]*|deals)\s*(?:\([^)]*\))?$", head[0].strip(), re.I))


def _only_a_discount(title: Title, priced: list[Priced], paid: list[Priced]) -> Verdict | None:
    if paid:
        return None
    text = title.text
    discount = _PERCENT_OFF.search(text) or any(item.role in (Role.DISCOUNT, Role.UP_TO, Role.CREDIT) for item in priced)
    if _COUPON.search(text) and (discount or priced):
        return Verdict(Kind.COUPON, "A coupon or a condition of purchase, not a product at a price.")
    if discount and re.search(r"\bselect\b|\bany\b|\ball\b|s\b[^$%]{0,15}\d{1,2}% off|\bsale\b", text, re.I):
        return Verdict(Kind.MANY, "A percentage off many products.")
    if discount:
        return Verdict(Kind.COUPON, "A discount without a price.", sure=False)
    return None
