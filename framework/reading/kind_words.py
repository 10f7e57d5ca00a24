"""The words that give away what kind of offer a title makes: whole classes of offers, never single ones.

Each tuple holds alternatives of one regular expression, matched as whole words in any letter case.
"""

from __future__ import annotations

import re


def _words(*phrases: str) -> re.Pattern[str]:
    return re.compile(r"(?<![^\W_])(?:" + "|".join(phrases) + r")(?![^\W_])", re.I)


GIFT_CARD = _words(
    r"e-?gift ?cards?",
    r"gift ?cards?",
    r"gift certificates?",
    r"giftcards?",
    r"e?gcs?",
    r"cartes? cadeau",
    r"gutscheine?",
)

EATERY = _words(
    r"restaurants?", r"mcdonald'?s", r"burger king", r"wendy'?s", r"taco bell", r"kfc",
    r"subway (?:restaurants?|sub)",
    r"footlongs?", r"domino'?s", r"pizza hut", r"papa john'?s", r"chipotle", r"arby'?s", r"dairy queen",
    r"sonic drive-?in", r"carl'?s jr\.?", r"hardee'?s", r"jack in the box", r"popeyes", r"chick-fil-a", r"panera",
    r"panda express", r"five guys", r"shake shack", r"habit burger", r"firehouse subs", r"jersey mike'?s",
    r"jimmy john'?s", r"krispy kreme", r"dunkin'? (?:donuts|rewards|app|offer)",
    r"starbucks (?:rewards|app|offer|drinks?)",
    r"auntie anne'?s", r"cinnabon", r"wingstop", r"buffalo wild wings", r"applebee'?s", r"chili'?s", r"olive garden",
    r"ihop", r"denny'?s", r"red robin", r"texas roadhouse", r"outback steakhouse", r"white castle", r"whataburger",
    r"in-n-out", r"del taco", r"qdoba", r"moe'?s southwest", r"little caesars", r"baskin-robbins", r"jamba",
    r"culver'?s",
    r"raising cane'?s", r"el pollo loco", r"noodles & company", r"tgi ?friday'?s", r"cheesecake factory",
    r"uber ?eats",
    r"grubhub", r"7-eleven", r"circle k",
)  # fmt: skip

_TERM = r"\d+[- ]?(?:mo|month|yr|year|day)s?\b\.?"
_STREAMS = (
    r"(?:audible|hulu|netflix|paramount\+|disney\+|peacock|spotify|apple (?:music|tv\+)|siriusxm|kindle unlimited"
    r"|youtube premium)"
)
SERVICE = _words(
    # telephone, internet, software by the month
    _TERM + r"[^$]{0,60}?\b(?:plans?|membership|subscription|service|talk|unlimited|pass)",
    r"subscriptions?", r"membership(?! (?:required|price))", r"annual membership",
    r"(?:phone|data|mobile|unlimited|prepaid|cell|internet|wireless|talk|fiber|student)[\w &/+-]{0,30} plans?",
    r"unlimited (?:talk|data|plan)", r"home internet", r"fiber optic internet", r"internet customers",
    r"(?:streaming|phone|photo|cable|tv|wireless|mobile) service", r"new line", r"port[- ]?in", r"activation req\w*",
    r"bill credits", r"added line", r"trade-?in", r"forfait", r"abonnement", r"vpn", r"game pass",
    r"google ai pro", r"uber one",
    r"switch online", r"playstation plus", r"ps plus",
    r"xbox live gold", _STREAMS + r" (?:premium|basic|for \d|\d+[- ]months?)",
    r"(?:p/m|per month|/month) (?:plan|over|for)", r"\d+m \$\d+/m plan",
    # travel and going out
    r"airfares?", r"(?:nonstop|us|domestic|international|select|round ?trip|airline|cheap) flights?",
    r"flights? (?:from|to)", r"flight, hotel", r"round ?trip", r"cruises?(?! control)", r"vacation(?! (?:bag|dress))",
    r"all-inclusive", r"(?:hotels?|resorts?) (?:rates?|stays?|rooms?|across|offer|bookings?|deals?|&)", r"hotels?:",
    r"night stays?", r"(?:per |/)night", r"\d[- ]nights? (?:stay|in|at)", r"all[-‑]in rates", r"(?:car|rv) rentals?",
    r"airport parking", r"parking (?:spot|pass|reservation)s?", r"tickets? (?:for|to|and|tuesdays?)",
    r"tickets? [&+]",
    r"(?:movie|premiere|imax|concert|event|theme park|admission|season|sporting|atom"
    r"|sunday)[\w: .'()-]{0,60}tickets?",
    r"(?:two|2|4|four) tickets", r"season pass", r"(?:annual|day|golf|ski|gowild|museum|national park) pass",
    # errands and money
    r"haircuts?", r"oil change", r"car wash (?:membership|service|pass)", r"insurance", r"tax (?:filing|prep)",
    r"(?:checking|savings) account", r"credit card (?:offer|bonus|holder)s?", r"bonus (?:points|elite|miles)",
    r"elite night", r"cash ?back (?:offer|at|on)", r"statement credit", r"prepaid (?:card|plan|mobile)", r"fuel day",
    r"\$[\d.]+/gal(?:lon)?", r"online courses?", r"course bundle", r"photo (?:prints?|cards?)", r"lifetime license",
)  # fmt: skip

HOUSING = re.compile(
    r"\b\d(?:\.\d)? ?(?:bd|br|bed(?:room)?s?)\b[ /,]*\d(?:\.\d)? ?(?:ba|bath)|\b\d ?bd\b|\bfor rent\b|\bapartments?\b"
    r"|\b\d{3,5} ?ft ?(?:2|²|<sup>)|^studio,",
    re.I,
)
QUESTION = re.compile(
    r"\?\s*$|^(?:looking for|help|question|anyone|any(?:body)? (?:know|recommend)|what|which|how|why|is there|wtb)\b"
    r"|\b(?:recommendations?|advice) (?:for|on|needed|please)\b",
    re.I,
)
NEWS = _words(
    r"giveaway", r"sweepstakes", r"daily draw", r"enter (?:now|to win)", r"chance to win", r"free to register",
    r"register (?:&|and) book", r"register: book", r"register", r"earn (?:up to )?[\d,]+ (?:bonus )?points",
    r"see thread",
    r"price error discussion", r"psa", r"receive credit", r"megathread", r"weekly thread",
)  # fmt: skip

BUY_AND_GET = _words(
    r"b[1-9]g[1-9]", r"bogo", r"buy (?:one|two|three|any|\d)[\w ,]{0,40}get", r"get one free", r"buy \d+ get \d+"
)

SALE = _words(
    r"sales?(?! price)", r"clearance(?! price)", r"closeouts?", r"deals", r"specials", r"freebies", r"sitewide",
    r"outlet(?! (?:cover|box|tester|extender|plate|strip|adapter|wall|power|surge))", r"(?:extra|additional) savings",
    r"savings (?:on|from|event)", r"everything", r"web specials", r"promotion", r"soldes", r"ventes? privées?",
    r"toute la", r"sur la gamme",
    r"select (?:styles|items|tools|men's|women's|kids'|products|titles|household|groceries|amazon groceries"
    r"|apparel|subs?"
    r"|games?|movies|sale|shoes|clothing|totes|locations)",
)  # fmt: skip

MANY_MORE = _words(r"(?:&|and) (?:many|much|lots) more", r"& much more", r"& many more")
AND_MORE = re.compile(r"(?:&|\band) more\b(?! options)\s*(?=$|[+(@]|w/|from|\d|\$|up to|extra)", re.I)
PERCENT_OFF = re.compile(
    r"\b\d{1,2}\s?%(?: to \d{1,2}%)? (?:off|de réduction|de remise|rabatt|discount|back)|\bhalf off"
    r"|\b\d{1,2}[-–]\d{1,2}% off",
    re.I,
)
UP_TO = re.compile(
    r"\bup to (?:an? )?(?:extra |additional )?(?:\d{1,2}\s?%|[$€£]\s?\d[\d,.]*)|\bjusqu'à -?\d+ ?%|\bbis zu \d+ ?%",
    re.I,
)
COUPON = _words(
    r"coupons?", r"promo code", r"spend [$€£]\d+\+?", r"purchase[ds]?", r"get [$€£]\d[\d,.]* off",
    r"off (?:[$€£]\d+\+?|your|any|orders?|bookings?|when)", r"receive", r"get .{1,60} free",
)  # fmt: skip
CLAIM = _words(r"free to claim", r"free w/ \$?\d*\+? ?purchase")
FREE = re.compile(r"(?:^|\s)(?:free|gratuit|kostenlos)\s*(?:$|[+(:!]|to claim|after|w/|with|&|for)", re.I)
FREE_SHIPPING = re.compile(r"\bfree (?:s\s?&\s?h|s/h|shipping|pick-?up|store pick|delivery|returns?)\b", re.I)
NOTHING = re.compile(r"[$€£]\s?0(?:\.00?)?(?![\d.])(?! (?:with|delivery|shipping|s&h|down))", re.I)
PACKAGED = re.compile(r"\d[\d.]*[- ]?(?:ct|count|oz|pk|pack|lb|pc|piece)\b|k-cups?|\blego\b", re.I)
ANNOUNCED = re.compile(r"\b(?:sale|clearance|deals|% off select[\w ]*)\s*(?:\([^)]*\))?$", re.I)
PLURAL = re.compile(r"\bselect\b|\bany\b|\ball\b|s\b[^$%]{0,15}\d{1,2}% off|\bsale\b", re.I)
