"""The rules that give an amount its role, from the words before and after it.

A rule holds when one of its phrases before the amount ends right there, and one of its phrases after it begins right
there. The first rule that holds wins, so the narrow ones stand above the wide ones.
"""

from __future__ import annotations

from framework.reading.role import Role, make_rule

_SOME = r"(?:\s+(?:about|around|at least|over|nearly|almost|roughly|up to|an?|an?other|the))*"  # "about", "at least"
_OF = r"(?: (?:the|its?|their|a|an|of|off|on|than|to|from|when|what|was|compared))*"
_LIST = r"(?:list|msrp|m\.s\.r\.p|retail|rrp|uvp|regular|reg\b|original|orig\b|normal|full|sticker)"
_ELSEWHERE = (
    r"(?:elsewhere|everywhere|(?:any )?other (?:stores?|retailers?|sellers?|shops?|places?|sites?)|competitors?"
    r"|most (?:other )?(?:stores|places|sellers)|amazon|walmart|best buy|target|ebay|the (?:next|best|lowest)"
    r"|you'd (?:pay|find)|we (?:could|can) find|(?:next|any) best|a similar)"
)
_TIME = r"(?:mo(?:nth)?s?|m|yr|year|week|wk|day|night|line|user|person|gallon|gal|hr|hour|ticket|couple|sailor|pp)\b"
_MEASURE = (
    r"(?:ct|count|oz|ounce|fl|lb|pound|piece|pc|pk|pack|roll|can|bottle|unit|item|sheet|ft|foot|yd|yard|mile|m²?"
    r"|kg|g|l"
    r"|100|pair|bar|bag|box|book|game|load|tb|gb|pod|serving|cup|shirt|tab|use|wash|page|minute)\b"
)
_ON_TOP = (
    r"(?:credits?|cash\b|e?-?gift ?cards?|e-?gifts?\b|e?gcs?\b|rewards?|points|bucks|money|mastercard|visa card"
    r"|voucher)"
)

_SHIPPING = (
    make_rule(
        Role.SHIPPING,
        after=(
            r"(?:flat(?:-rate)? )?(?:s\s?&\s?h|s/h|shipping|delivery|p&p|postage|handling|ship\b)",
            r"frais de port|de livraison|versand",
        ),
    ),
    make_rule(
        Role.SHIPPING,
        before=(
            r"(?:shipping|delivery|s&h|postage|handling)"
            r"(?: (?:adds?|is|costs?|of|for|from|starts? at|fees?|charges?|otherwise))*",
        ),
    ),
    make_rule(
        Role.SHIPPING,
        before=(r"fees? of", r"ships? for", r"delivery for", r"plus"),
        after=(r"otherwise", r"for (?:shipping|delivery)"),
    ),
)

_MARKET = (
    make_rule(
        Role.MARKET,
        before=(r"(?:you'd|you'll|you would|expect to) (?:still |have to )?(?:pay|find it for)" + _SOME,),
        after=(r"\+?(?!\s*more)[^$€£.]{0,50}?" + _ELSEWHERE,),
    ),
    make_rule(
        Role.MARKET,
        before=(r"(?:charges?|charging|sells? (?:it |this )?for|goes for|lists? it (?:for|at))" + _SOME,),
        after=(r"\+?(?: or more)?[^$.]{0,30}?(?:for|elsewhere)",),
    ),
    make_rule(Role.MARKET, after=(r"\+? (?:or more )?(?:elsewhere|at (?:most|other) |(?:almost )?everywhere)",)),
    make_rule(
        Role.MARKET,
        before=(
            r"(?:next|lowest|best)[\w -]{0,30}price(?: elsewhere)?(?: we (?:could |can )?(?:find|found|see|saw))?"
            r"(?: is| was|:| at)" + _SOME,
            r"lowest elsewhere(?: is)?" + _SOME,
            r"(?:typical(?:ly)?|street) price(?: is| of)?" + _SOME,
            r"(?:amazon|walmart|best buy)(?:'s)? price(?: is)?" + _SOME,
        ),
    ),
    make_rule(Role.MARKET_GAP, before=(r"(?:you'd|you would) pay" + _SOME,), after=(r"more\b",)),
)

_GAPS = (
    make_rule(  # a refurbished one compared with a new one says nothing of this market
        Role.DISCOUNT,
        after=(r"(?:less|cheaper|lower|under|below)\b[^.$]{0,40}\b(?:brand[- ])?new\b",),
    ),
    make_rule(
        Role.BOTH_GAP,
        after=(
            r"(?:off|less than|compared to|under|below|lower than)[^$.]{0,10} both (?:the )?(?:list|typical)",
            r"off (?:the )?list and (?:the )?typical",
        ),
    ),
    make_rule(
        Role.LIST_GAP,
        after=(
            r"(?:\(\d{1,2}%[^)]{0,12}\) ?)?(?:off|lower|less|under|below|savings?|cheaper|compared|discount|from"
            r"|drop)\b"
            + _OF + r"\s+" + _LIST,
        ),
    ),
    make_rule(
        Role.MARKET_GAP,
        before=(r"(?:(?:a |price |all-time )?low|(?:lowest|best|cheapest)[^.$€£!?]{0,50}) by" + _SOME,),
    ),
    make_rule(
        Role.MARKET_GAP,
        after=(
            r"(?:to [$€£]\d+ )?(?:less|cheaper|lower|under|below) (?:than )?(?:what )?(?:the )?(?:next |best "
            r"|lowest )?"
            + _ELSEWHERE,
            r"(?:less|cheaper|lower) (?:than|compared)[^.$]{0,60}elsewhere",
            r"(?:over|compared (?:to|with)|off|less than|below|under)(?: the| its)?"
            r" (?:price\w* elsewhere|typical|usual|average|going)",
        ),
    ),
    make_rule(
        Role.HISTORY,
        after=(
            r"(?:under|less than|cheaper than|lower than|below)(?: from)? (?:our|the|last|its)[\w' -]{0,30}"
            r"(?:mention|deal|price|low)",
        ),
    ),
)  # fmt: skip

_LISTED = (
    make_rule(
        Role.LIST,
        before=(
            r"(?:was|were|reg(?:ular(?:ly)?)?\.?|orig(?:inal(?:ly)?)?\.?|list(?:ed|s)?|msrp|rrp|uvp|retails?"
            r"|normal(?:ly)?"
            r"|usual(?:ly)?|(?:marked |reduced |discounted |cut |drops? )?(?:down )?from(?= the)|down from"
            r"|reduced from"
            r"|marked down from|discounted from|drops? from|cut from|instead of|compare at|comp\.?|valued?|previously"
            r"|statt|anstatt|au lieu de|full price)"
            r"(?:[ ,:]+(?:at|of|for|is|was|price|value|to be|the|an?|its?|about|around|approximately|on|online"
            r"|prices?"
            r"|retail|regular|usual|list|typical))*",
            r"(?:off|from|than)" + _OF + " " + _LIST + r"(?: (?:price|value|cost))?(?: (?:of|at|was|is))?" + _SOME,
            r"(?:msrp|rrp|list price)[^.$€£]{0,40}? is" + _SOME,
        ),
    ),
    make_rule(
        Role.LIST,
        after=(
            r"\+?(?: (?:a|the|its))?[ (]*(?:list\b(?: price)?|msrp|rrp|retail (?:price|value)|value\b|originally"
            r"|regular price|reg\b)(?![^)$€£]{0,12}[$€£\d])",
        ),
    ),
)

_CREDITS = (
    make_rule(
        Role.CREDIT,
        before=(
            r"(?:back|credit|bonus|earn|get|receive|worth|effectively)[^$.]{0,12}?"
            r"(?:a|an|another|free|up to|bonus|additional|with|w/|of)",
        ),
        after=(r"(?:[\w'&.+-]+ ){0,4}?(?:" + _ON_TOP + "|back\\b)",),
    ),
    make_rule(Role.CREDIT, after=(r"(?:(?:in|of|worth of) )?(?:[\w'&.+-]+ ){0,3}?" + _ON_TOP,)),
    # "TV + $200 Fanatics $1260": with a plus before it, a name and another amount behind it, it is a bonus.
    make_rule(Role.CREDIT, before=(r"\+",), after=(r"[A-Za-z][\w'&.-]*(?: [A-Za-z][\w'&.-]*){0,2} \$\d",)),
)

_DISCOUNTS = (
    make_rule(
        Role.UP_TO,
        before=(
            r"up to(?: an?)?(?: extra| additional)?",
            r"as much as",
            r"bis zu",
            r"jusqu'à",
            r"max(?:imum)? (?:of|discount)",
        ),
    ),
    make_rule(
        Role.DISCOUNT,
        before=(
            r"sav(?:e|es|ed|ing|ings|ins)(?: of| you| an?(?: extra)?| extra| over| about)*" + _SOME,
            r"(?:discount(?:ed)?(?: of| by)?|extra|additional|knocks?(?: off)?|takes?(?: off)?|cuts?)" + _SOME,
            r"(?:drops?(?: the price)? by|reduced by|minus|clip(?: the)?|coupon (?:for|of)|rebate of)" + _SOME,
        ),
    ),
    make_rule(
        Role.DISCOUNT,
        before=(r"after", r"with", r"w/", r"using", r"apply(?:ing)?", r"and", r"\+", r"the", r"your", r"an?", r"clip"),
        after=(r"(?:[\w'-]+ ){0,3}?(?:rebate|coupon|mir\b|mail-in|discount|promo|off\b|code)",),
    ),
    make_rule(
        Role.DISCOUNT,
        after=(
            r"(?:\(\d{1,2}%\) ?)?(?:off\b|savings?\b|discount|(?:instant |mail[- ]in )?rebates?\b|mir\b|coupon|drop\b"
            r"|back\b|less\b|cheaper|price drop|réduction|rabatt|de réduction|de remise)",
        ),
    ),
    make_rule(
        Role.DISCOUNT,  # "$5.18 - $0.71 when you clip": behind another amount and a minus
        before=(r"[$€£]\s?[\d,.]+(?:[ )(][^$€£=]{0,45})?\s?[-–−]\s?(?:an? )?(?:extra |additional )?",),
        after=(
            r"\(|off|when|w/|with|via|coupon|promo|code|discount|at checkout|automatic|clip|instant|subscribe|s&s"
            r"|multibuy|from|in cart|using|extra|=|after",
        ),
    ),
)

_CONDITIONS = (
    make_rule(Role.THRESHOLD, after=(r"(?<!\s)\+(?! ?[\d$€£])",)),  # "$35+"
    make_rule(
        Role.THRESHOLD,
        after=(
            r"or more\b",
            r"or above",
            r"and up\b",
            r"min\b",
            r"min\.",
            r"minimum",
            r"purchase\b",
            r"orders?\b",
            r"spend\b",
            r"worth of",
        ),
    ),
    make_rule(
        Role.THRESHOLD,
        before=(
            r"(?:shipping|s\s?&\s?h|s/h|pick-?up|delivery|ships? free)[^$€£.]{0,40}?"
            r"(?:w/|with|on|over|above|of|orders?)(?: (?:orders?|over|of|purchases?))*",
            r"(?:orders?|spend(?:ing)?|purchases?|purchase any|min(?:imum|\.)?|totall?ing|your cart)"
            r"(?: (?:of|over|at|at least|on|is|above|more than|from|a))*",
        ),
    ),
    make_rule(
        Role.RECURRING,
        after=(
            r"(?:\+? ?/ ?|per |a |each |every |an |p/)" + _TIME,
            r"monthly",
            r"annually",
            r"yearly",
            r"p\.?m\b",
            r"weekly",
            r"pp\b",
            r"nightly",
        ),
    ),
    make_rule(Role.UNIT, after=(r"(?:/ ?|per |a |for (?:one|each))(?:each\b|ea\b|" + _MEASURE + ")",)),
    make_rule(
        Role.HISTORY,
        before=(
            r"(?:frontpage|popular|previous|prior|last|past|older|earlier|historical)[\w '\"/,()-]{0,40}"
            r"(?:deals?|price|low|post|mention|thread)?[\w ()]{0,20}(?: at| for| was| of| from|:)",
            r"(?:all[- ]time|previous|historical) low(?: of| was| is| at|:)?",
            r"lowest (?:ever )?was",
            r"matches the [\w ]{0,30}",
        ),
    ),
    make_rule(
        Role.FROM,
        before=(
            r"(?:from|starts?(?: at| from| as low as)?|starting(?: at| from)?|as low as|as little as|under|below"
            r"|lower than"
            r"|ab|à partir de|dès|desde|vanaf)(?: \d{1,3} for)?" + _SOME,
        ),
    ),
)

RULES = _SHIPPING + _MARKET + _GAPS + _LISTED + _CREDITS + _DISCOUNTS + _CONDITIONS
