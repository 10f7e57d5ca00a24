"""The product itself, in words: what the estimators price.

From the title's product and the post's content this keeps what identifies and specifies the product (brand, model,
sizes, features) and drops all that belongs to the offer: prices, shops, shipping, coupons, deal talk, forum rules.
"""

from __future__ import annotations

import re

LONGEST = 600  # characters; the encoder reads no more
_READ = 6000  # characters of content that are looked at
_MOST_FACTS = 40

# Sentences with one of these words speak of the offer, the shop or the forum, not of the product.
_OFFER_WORDS = (
    r"shipping", r"ships?", r"s&h", r"delivery", r"coupon", r"promo(?:tion|tional)?", r"discount\w*",
    r"check ?out", r"code",
    r"deals?", r"frontpage", r"thread", r"price[ds]?", r"pricing", r"sale", r"savings?", r"save[sd]?",
    r"subscribe", r"s&s",
    r"prime", r"walmart\+", r"clip(?:ped)?", r"cart", r"rebate", r"cash ?back", r"in stock", r"out of stock",
    r"expire[sd]?",
    r"ends (?:on|at|[a-z]+ \d\w*)", r"valid (?:thru|through|until)", r"limited time", r"members?(?:hip)?",
    r"rewards?",
    r"warranty (?:from|info)", r"click", r"links?", r"(?:buy|shop) now", r"add to", r"sold by",
    r"via (?:amazon|ebay|walmart)",
    r"thanks", r"community member", r"deal (?:hunter|editor)", r"reviews?", r"ratings?",
    r"stars?(?! (?:wars|trek|road))",
    r"customers?", r"score", r"comments?", r"pick ?up", r"stores?", r"free to join", r"sign (?:in|up)",
    r"log ?in", r"account",
    r"ymmv", r"(?:qa )?note:", r"gift card", r"see (?:post|below|above)",
    r"available(?: (?:at|in these|options|colors))?:?$",
    r"listed below", r"instructions", r"steps? below", r"select (?:locations|stores|sizes)", r"our research",
    r"about this (?:item|deal)", r"additional (?:info|notes)", r"comparison", r"cheaper", r"lowest", r"elsewhere",
    r"we've (?:seen|pictured)", r"pictured", r"msrp", r"list(?:ed|ing)? (?:price|for)", r"refer to", r"please",
    r"(?:has|have) (?:for|matched)", r"happy shopping", r"i (?:think|believe|just|got|bought|have)", r"livraison",
    r"code promo", r"offre", r"promo", r"update", r"i", r"i'[a-z]+", r"we", r"you", r"your", r"my", r"our", r"me",
    r"hi", r"hello", r"if", r"quantity", r"while supplies last", r"today only", r"offer",
)  # fmt: skip
_OFFER_TALK = re.compile(
    r"[$€£]\s?\d|\d\s?[€£]|\b\d{1,2}% (?:off|back)|(?<![^\W_])(?:" + "|".join(_OFFER_WORDS) + r")(?![^\W_])", re.I
)
_WHO = (
    r"(?:for|their|its|the|this|an?"
    r"|[\w/+' &-]{0,40}(?:members?|accounts?|accts?|customers?|subscribers?|students?|users?):?)"
)
_HAS = re.compile(
    rf"^.{{0,90}}?\b(?:has|have|offers?|is offering|carries)\b(?: {_WHO}\b:?)*\s*(?P<name>[^\n]{{8,260}}?)\s*"
    r"(?:\bon sale\b|\bfor (?:just |only )?[$~]|\bfrom\s?[$~]|\bavailable\b|\bmarked\b|\bdiscounted\b|\breduced\b"
    r"|[$]\s?\d"
    r"|\.\s|\.{3}|$)",
    re.I,
)
_NO_SHOP = re.compile(r"\bthat\b|price|[$€£]|\d%|\bdeal\b", re.I)  # "the best price that Amazon has charged"
_SHOP_HAS = re.compile(r"[A-Z][\w'&.! -]{1,50} (?:has|have|offers) ")
_FEATURES = re.compile(
    r"(?:^|\n)\W*(?:key )?(?:features?|specs?|specifications?|product (?:details|description|information)[^\n:]{0,40}"
    r"|description|caractéristiques[^\n]{0,20}|about this item|details|includes?)\s*:?\s*(?=\n|:)",
    re.I,
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9•])|\n")
_WORD = re.compile(r"[^\W_]+(?:[.'][^\W_]+)*")
_ASIDE = re.compile(
    r"\s*\((?:various|select|limited|multiple|ymmv|\d+ (?:colors?|styles|options|flavors|scents))[^)]{0,30}\)", re.I
)
_LEAD = re.compile(r"^\W*(?:(?:this|these|it's|it is|that's|this is|here's) (?:is |are )?(?:an? |the )?)\s*", re.I)
_STOP = frozenset(["a", "an", "the", "of", "for", "with", "w", "and", "or", "in", "to", "by", "on", "at", "from", "is"])
_SAME = {
    "count": "ct", "pack": "pk", "piece": "pc", "pieces": "pc", "ounce": "oz", "ounces": "oz", "inch": "in",
    "pound": "lb", "pounds": "lb", "gallon": "gal",
}  # fmt: skip


def describe(product: str, content: str = "", extra: str = "") -> str:
    """The description of a product from its name in the title, the post's content and the page's own description."""
    base = _ASIDE.sub("", product).strip(" -–—:;,|")
    parts = [base] if base else []
    known = _words(base)
    fuller = _name_in_content(content)
    if fuller and _is_about(fuller, known) and _is_fuller(fuller, known):
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
    if not match or _NO_SHOP.search(first[: match.start("name")]):
        return ""
    return match["name"].strip(" :;,-–")


def _facts(content: str) -> list[str]:
    """Lines and sentences about the product, those under a heading for features first."""
    if section := _FEATURES.search(content):
        content = content[section.end() :] + "\n" + content[: section.start()]
    facts = []
    for piece in _SENTENCE_END.split(content[:_READ]):
        fact = piece.strip(" •\t-–—:;,*")
        is_offer = fact.endswith("...") or _OFFER_TALK.search(fact) or _SHOP_HAS.match(fact)
        if 3 <= len(fact) <= 260 and not is_offer:
            facts.append(_LEAD.sub("", fact).rstrip("."))
    return facts[:_MOST_FACTS]


def _words(text: str) -> set[str]:
    return {_SAME.get(word, word) for word in _WORD.findall(text.lower()) if word not in _STOP}


def _is_about(name: str, known: set[str]) -> bool:
    """Whether a name shares enough words with what is known of the product."""
    theirs = _words(name)
    return not known or len(known & theirs) >= max(1, min(len(known), len(theirs)) // 3)


def _is_fuller(name: str, known: set[str]) -> bool:
    """Whether a name has more than another wording: two new words, or one with a figure in it (a model, a size)."""
    new = _words(name) - known
    return len(new) > 1 or any(re.search(r"\d", word) for word in new)


def _adds(fact: str, known: set[str]) -> bool:
    """Whether a fact says something new; a single word says too little."""
    words = _words(fact)
    return len(words) > 1 and len(words - known) >= max(1, len(words) // 4)
