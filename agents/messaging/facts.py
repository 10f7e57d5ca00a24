"""Is a sentence about an opportunity borne out by it? Every figure, name and promise in it is checked.

Pure rules that err on the side of refusing: where one is not met, the message goes out with the template's words. An
amount must be one of the opportunity's own, in the role that the sentence gives it (paid, worth, saved). A word with a
digit or a capital must stand in the deal, and so must words that promise something (warranty, "lowest ever").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from framework.deals import Opportunity

SHORTEST, LONGEST = 20, 280
_MOST_SENTENCES = 2

_FIGURE = re.compile(
    r"(?P<sign>[A-Z]?[$€£¥₹])\s?(?P<money>\d[\d,]*(?:\.\d+)?)(?!\w)"
    r"|(?P<percent>\d+(?:\.\d+)?)(?:\s?%|\s(?:percent|per cent)\b)"
    r"|(?P<coded>\d[\d,]*(?:\.\d+)?)\s?(?P<code>[A-Z]{3}\b|dollars?\b|euros?\b|pounds?\b|bucks\b)"
)
_CODES = {"dollar": "USD", "dollars": "USD", "bucks": "USD", "euro": "EUR", "euros": "EUR", "pound": "GBP",
          "pounds": "GBP"}  # fmt: skip
_WORD = re.compile(r"[^\W_]+(?:[.'’/-][^\W_]+)*")
_SENTENCE_END = re.compile(r"[.!?…]+(?:\s|$)")
_FORBIDDEN = re.compile(r"https?:|www\.|[<>{}\[\]\\|`*#@]|\w\.(?:com|net|org|io|co)\b", re.IGNORECASE)
# Words that promise, hurry or count: each must stand in the deal's own text.
_PROMISE = re.compile(
    r"\b(?:free|shipping|delivery|delivered|warranty|guarantee\w*|refund\w*|returns?|coupon|code|rebate|cash\s?back|"
    r"today|tonight|tomorrow|hurry|limited|last|ends?|ending|expires?|soon|stock|left|ever|lowest|cheapest|best|"
    r"highest|award\w*|rated|reviews?|stars?|official\w*|genuine|authentic|certified|new|used|refurbished|"
    r"renewed|bundle\w*|includ\w+|bonus|gift|half|third|quarter|twice|double|triple|dozen|hundreds?|thousands?|"
    r"two|three|four|five|six|seven|eight|nine|ten|twelve)\b",
    re.IGNORECASE,
)
# Words that may begin a sentence with a capital without being a name.
_OPENER = re.compile(
    r"an?|th(?:e|is|at|ese|ose)|that's|it(?:s|'s)?|here(?:'s)?|at|for|with|from|now|only|just|about|around|roughly|worth"
    r"|you(?:r|'d|'ll)?|sav(?:e|es|ing)|get|pay|paying|and|but|so|priced?|offered|listed|on|in|of|compared|against|below"
    r"|under|well|likely|probably|near(?:ly)?|almost|over|more|less|than|good|great|solid|strong|similar|models?"
    r"|estimate[sd]?|we|our"
)
_BETWEEN = r"(?:\s+(?:about|around|roughly|only|just|nearly|almost|over|under|up|to|a|an|the|of|is|as|by|at|you))*\s*$"
_PAID = re.compile(r"\b(?:for|pay|paying|costs?|costing|priced|now|price|offered|asks?|asking)" + _BETWEEN, re.I)
_WORTH = re.compile(r"\b(?:worth|valued?|value|estimated?|estimates?)" + _BETWEEN, re.I)
_SAVED = re.compile(r"\b(?:saves?|saving|savings|knocks?|discount)" + _BETWEEN, re.I)
_SAVED_AFTER = re.compile(r"^\s*(?:off\b|less\b|below\b|under\b|cheaper\b|discount\b|in savings\b|saving\b)", re.I)
_LIST = re.compile(
    r"\b(?:list(?:ed|s)?|retails?|msrp|elsewhere|was|regular(?:ly)?|usual(?:ly)?)(?:\s+(?:price|for|from))*" + _BETWEEN,
    re.I,
)


def unsupported(text: str, opportunity: Opportunity) -> str | None:
    """Why the sentence must not go out, ``None`` when all of it is borne out."""
    if not SHORTEST <= len(text) <= LONGEST or "\n" in text:
        return "its length"
    if len(_SENTENCE_END.findall(re.sub(r"(?<=\d)[.,](?=\d)", "", text))) > _MOST_SENTENCES:
        return "more than two sentences"
    if _FORBIDDEN.search(text):
        return "a link or markup"
    figures = _Figures(opportunity)
    for found in _FIGURE.finditer(text):
        if not figures.bear_out(found, text[: found.start()], text[found.end() :]):
            return f"the figure {found.group().strip()}"
    return _strange_word(_FIGURE.sub(" ", text), _source(opportunity))


@dataclass(frozen=True)
class _Figures:
    """The amounts and percentages that an opportunity states, by role."""

    opportunity: Opportunity

    def bear_out(self, found: re.Match[str], before: str, after: str) -> bool:
        """Whether a figure of a sentence is one of ours, in the role that the words around it give it."""
        if found["percent"]:
            return any(abs(float(found["percent"]) - own) <= 0.5 for own in self._percents())
        amount = float((found["money"] or found["coded"]).replace(",", ""))
        return self._currency(found) and any(fits(amount) for fits in self._roles(before, after))

    def _currency(self, found: re.Match[str]) -> bool:
        price = self.opportunity.deal.price
        if found["code"]:
            return _CODES.get(found["code"].lower(), found["code"]) == price.currency
        return str(price).startswith(found["sign"]) or str(price).lstrip("AC").startswith(found["sign"])

    def _roles(self, before: str, after: str) -> Iterator[Callable[[float], bool]]:
        paid, worth, saved, listed = self._paid(), self._worth(), self._saved(), self._listed()
        if _SAVED.search(before) or _SAVED_AFTER.search(after):
            yield _any_of(saved, rounded=True)
        elif _LIST.search(before):
            yield _any_of(listed)
        elif _WORTH.search(before):
            yield _any_of(worth, rounded=True)
        elif _PAID.search(before):
            yield _any_of(paid)
        else:
            yield _any_of(paid + listed)
            yield _any_of(worth + saved, rounded=True)

    def _paid(self) -> list[float]:
        deal = self.opportunity.deal
        return [float(deal.price.amount), *([float(deal.price.amount / deal.quantity)] if deal.quantity > 1 else [])]

    def _worth(self) -> list[float]:
        valuation = self.opportunity.valuation
        return [float(valuation.value), float(valuation.low), float(valuation.high)]

    def _listed(self) -> list[float]:
        deal = self.opportunity.deal
        return [float(price.amount) for price in (deal.list_price, deal.market_price) if price is not None]

    def _saved(self) -> list[float]:
        paid = float(self.opportunity.deal.price.amount)
        return [self.opportunity.judgement.discount, *(listed - paid for listed in self._listed())]

    def _percents(self) -> list[float]:
        judgement, paid = self.opportunity.judgement, float(self.opportunity.deal.price.amount)
        off_list = [100 * (1 - paid / listed) for listed in self._listed()]
        return [judgement.discount_pct, 100 * judgement.probability, *off_list]


def _any_of(own: list[float], *, rounded: bool = False) -> Callable[[float], bool]:
    """A test for amounts: exact to the cent, or, for what is estimated anyway, to the whole unit."""
    return lambda amount: any(abs(amount - figure) < (0.501 if rounded else 0.005) for figure in own)


def _source(opportunity: Opportunity) -> set[str]:
    """Every word of the deal's own text, in lower case."""
    deal = opportunity.deal
    condition = deal.condition.value.replace("_", " ") if deal.condition else ""
    parts = (deal.title, deal.description, deal.merchant or "", deal.brand or "", condition, *deal.evidence)
    whole = {word.lower() for part in parts for word in _WORD.findall(part)}
    return whole | {piece for word in whole for piece in re.split(r"[.'’/-]", word)}


def _strange_word(text: str, source: set[str]) -> str | None:
    for promise in _PROMISE.findall(text):
        if promise.lower() not in source:
            return f"the claim {promise!r}"
    begins = True
    for word in _WORD.finditer(text):
        plain = word.group().lower().removesuffix("'s").removesuffix("’s")
        known = plain in source or (begins and _OPENER.fullmatch(plain) is not None)
        if not known and (word.group() != word.group().lower() or any(char.isdigit() for char in plain)):
            return f"the name {word.group()!r}"
        begins = bool(re.match(r"[\s()]*[.!?…:]+\s", text[word.end() :]))
    return None
