"""The product itself, in words: what the estimators price.

From the title's product and the post's content this keeps what identifies and specifies the product (brand, model,
sizes, features) and drops all that belongs to the offer: prices, shops, shipping, coupons, deal talk, forum rules.
"""

from __future__ import annotations

import re

LONGEST = 600  # characters; the encoder reads no more

_OFFER_TALK = re.compile(
    r"[$€£]\s?\d|\d\s?[€£]|\b\d{1,2}% (?:off|back)"
    r"|\b(?:shipping|ships?\b|s&h|delivery|coupon|promo(?:tion|tional)?\b|discount|checkout|at check|code\b|deals?\b|frontpage|thread|price[ds]?\b|pricing|sale\b|savings?\b"
    r"|save[sd]?\b|subscribe|s&s|prime\b|walmart\+|clip(?:ped)?\b|cart\b|rebate|cash ?back|in stock|out of stock|expired?|expires|ends (?:on|at|[a-z]+ \d)|valid (?:thru|through|until)|limited time|members?(?:hip)?\b"
    r"|rewards?\b|warranty (?:from|info)|click|link|buy now|shop now|add to|sold by|via (?:amazon|ebay|walmart)|thanks|community member|deal hunter|deal editor|reviews?\b|ratings?\b|stars?\b(?! (?:wars|trek|road))|customers?\b"
    r"|score|comments?|pickup|pick up|store\b|stores\b|free to join|sign (?:in|up)|log ?in|account|ymmv|note:|qa note|gift card|see (?:post|below|above)|available (?:at|in these|options|colors)|listed below|instructions|steps? below|select (?:locations|stores|sizes)|our research|about this (?:item|deal)|additional (?:info|notes)|comparison|cheaper|lowest|elsewhere|we'?ve (?:seen|pictured)|pictured|original price|msrp|list(?:ed|ing)? (?:price|for)|refer to|please|(?:has|have) (?:for|matched)|price match\w*|happy shopping|livraison|code promo|offre|promo)\b",
    re.I,
)  # fmt: skip
_HAS = re.compile(
    r"^.{0,90}?\b(?:has|have|offers?|is offering|carries)\b(?: (?:for|their|its|the|this|an?|[\w/+' &-]{0,40}(?:members?|accounts?|accts?|customers?|subscribers?|students?|users?):?)\b:?)*\s*"
    r"(?P<name>[^\n]{8,260}?)\s*(?:\bon sale\b|\bfor (?:just |only )?[$~]|\bfrom\s?[$~]|\bavailable\b|\bmarked\b|\bdiscounted\b|\breduced\b|[$]\d|\.\s|\.{3}|$)",
    re.I,
)
_FEATURES = re.compile(
    r"(?:^|\n)\s*(?:key )?(?:features?|specs?|specifications?|product (?:details|description|information)[^\n:]{0,40}|description|caractéristiques[^\n]{0,20}|about this item|details|includes?)\s*:?\s*(?=\n|:)",
    re.I,
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9•])|\n")
_WORD = re.compile(r"[^\W_]+(?:[.'][^\W_]+)*")
_ASIDE = re.compile(
    r"\s*\((?:various|select|limited|multiple|ymmv|\d+ (?:colors?|styles|options|flavors|scents))[^)]{0,30}\)", re.I
)
_LEAD = re.compile(
    r"^\W*(?:\d+ (?:left|available)|new|(?:this|these|it's|it is|that's|this is|here's) (?:is |are )?(?:an? |the )?)\s*",
    re.I,
)  # fmt: skip
_STOP = frozenset("a an the of for with w and or in to by on at from is this these it its has have".split())


def describe(product: str, content: str = "", extra: str = "") -> str:
    """The description of a product from its name in the title, the post's content and the page's own description."""
    base = _ASIDE.sub("", product).strip(" -–—:;,|")
    parts = [base] if base else []
    known = _words(base)
    if (fuller := _name_in_content(content)) and _is_about(fuller, base) and _adds(fuller, known):
        parts.append(fuller)
        known |= _words(fuller)
    for fact in (*_facts(content), *_facts(extra)):
        if sum(map(len, parts)) + len(fact) > LONGEST:
            break
        if _adds(fact, known):
            parts.append(fact)
            known |= _words(fact)
    return "; ".join(parts)[:LONGEST].strip(" ;")


def _name_in_content(content: str) -> str:
    """The product as the post names it: "Amazon has <name> on sale for $20"."""
    first = content.lstrip("• \n")[:400].split("\n", 1)[0]
    match = _HAS.match(first)
    return match["name"].strip(" :;,-–") if match else ""


def _facts(content: str) -> list[str]:
    """Lines and sentences about the product: those that talk of the offer are left out."""
    if section := _FEATURES.search(content):
        content = content[section.end() :] + "\n" + content[: section.start()]
    facts = []
    for piece in _SENTENCE_END.split(content[:6000]):
        fact = piece.strip(" •\t-–—:;,*")
        if (
            3 <= len(fact) <= 260
            and not fact.endswith("...")
            and not _OFFER_TALK.search(fact)
            and len(_words(fact)) >= 1
        ):
            facts.append(_LEAD.sub("", fact).rstrip("."))
    return facts[:40]


def _words(text: str) -> set[str]:
    return {word for word in _WORD.findall(text.lower()) if word not in _STOP}


def _is_about(name: str, base: str) -> bool:
    """Whether two names share enough words to be of one product."""
    ours, theirs = _words(base), _words(name)
    return not ours or len(ours & theirs) >= max(1, min(len(ours), len(theirs)) // 3)


def _adds(fact: str, known: set[str]) -> bool:
    """Whether a fact says something new."""
    words = _words(fact)
    return bool(words) and len(words - known) >= max(1, len(words) // 4)
