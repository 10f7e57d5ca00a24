"""Recognising the same thing twice: the same page under many addresses, the same product in many words.

All functions are pure. ``canonical_url`` and ``product_key`` are for comparing only, never for fetching or showing.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from framework.deals import Condition, Deal
from framework.money import Money

# Query parameters that say where a reader came from, not what the page shows.
_TRACKING = re.compile(
    r"utm_\w+|mtm_\w+|pk_(?:campaign|source|medium|kwd|keyword)|hsa_\w+|_hs(?:enc|mi)|mc_[ce]id|_ga|_gl|_branch_\w+|"
    r"(?:fb|[fgyd])clid|gclsrc|wbraid|gbraid|msclkid|twclid|ttclid|irclickid|irgwc|igshid|epik|sscid|cjevent|cjdata|awc|"
    r"iref|ref|ref_|ref_src|referrer|referer|s_kwcid|ef_id|cmpid|ncid|ocid|icid|intcid|nm_mc|spm|scm|ran[me]\w*id|"
    r"ransiteid|afsrc|aff_?id|affiliate_?id|aff_?sub\d?|sub_?id\d?|subid|sharedid|click_?id|ascsubtag|linkcode|"
    r"creativeasin|pf_rd_\w+|pd_rd_\w+|mkevt|mkcid|mkrid|campid|toolid|customid|athcpid|athpgid|athznid|wmlspartner",
    re.IGNORECASE,
)
_SOURCE = re.compile(r"source|src|from|medium|feed|rss|via", re.IGNORECASE)
_SOURCE_VALUE = re.compile(
    r"(?:rss\d?|rss[_-]?feed|feed|atom|xml|twitter|facebook|e?mail|newsletter|1)?", re.IGNORECASE
)
# Parameters under which link shops carry the address they lead to.
_DESTINATION = ("url", "u", "u2", "murl", "ued", "dest", "destination", "target", "to", "out", "link", "q")
_FORWARDING_HOST = re.compile(
    r"(?:^|\.)(?:anrdoezrs\.net|dpbolvw\.net|jdoqocy\.com|kqzyfj\.com|tkqlhce\.com|linksynergy\.com|redirectingat\.com|"
    r"viglink\.com|shareasale\.com|awin1\.com|pntra\.com|pjtra\.com|avantlink\.com|prf\.hn|pxf\.io|sjv\.io|7eer\.net|"
    r"ojrq\.net|skimresources\.com|google\.[a-z.]+|slickdeals\.net|href\.li|out\.reddit\.com|feedproxy\.google\.com)$"
)
_ASIN_PATH = re.compile(r"/(?:dp|gp/product|gp/aw/d|exec/obidos/asin|d)/([A-Z0-9]{10})(?:[/?]|$)", re.IGNORECASE)
_EBAY_PATH = re.compile(r"/itm/(?:[^/]+/)?(\d{9,15})(?:[/?]|$)")
_MOST_HOPS = 3


def canonical_url(url: str, *, keep_fragment: bool = False) -> str:
    """One spelling for all addresses of a page: affiliate redirectors unwrapped, tracking off, parameters sorted.

    http and https, a leading ``www.``, a trailing slash and (unless ``keep_fragment``) the fragment make no
    difference. Text that is no http address comes back stripped and otherwise unchanged.
    """
    url = url.strip()
    for _ in range(_MOST_HOPS):
        destination = _destination(url)
        if destination is None:
            break
        url = destination
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return url
    if parts.scheme.lower() not in ("http", "https") or not host:
        return url
    host = host.removeprefix("www.") + (f":{port}" if port not in (None, 80, 443) else "")
    path = _short_path(host, parts.path)
    kept = [(name, value) for name, value in parse_qsl(parts.query, True) if not _says_where_from(name, value)]
    query = f"?{urlencode(sorted(kept))}" if kept and path == parts.path.rstrip("/") else ""
    fragment = f"#{parts.fragment}" if keep_fragment and parts.fragment else ""
    return f"https://{host}{path}{query}{fragment}"


def _says_where_from(name: str, value: str) -> bool:
    """Whether a parameter tells where the reader came from. Names that may also name the page are judged by value."""
    return bool(_TRACKING.fullmatch(name) or (_SOURCE.fullmatch(name) and _SOURCE_VALUE.fullmatch(value)))


def _destination(url: str) -> str | None:
    """The address that a known forwarding service leads to, where it stands in the open."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return None
    if not _FORWARDING_HOST.search(host):
        return None
    parameters = {name.lower(): value for name, value in parse_qsl(parts.query)}
    for name in _DESTINATION:
        if parameters.get(name, "").startswith(("http://", "https://")):
            return parameters[name]
    embedded = re.search(r"https?(?::|%3A)(?:/|%2F){2}.+", parts.path, re.IGNORECASE)
    return unquote(embedded.group()) if embedded else None


def _short_path(host: str, path: str) -> str:
    """The path, reduced to the item number at the shops whose addresses carry prose."""
    if re.search(r"(?:^|\.)amazon\.[a-z.]+$", host) and (asin := _ASIN_PATH.search(path)):
        return f"/dp/{asin.group(1).upper()}"
    if re.search(r"(?:^|\.)ebay\.[a-z.]+$", host) and (item := _EBAY_PATH.search(path)):
        return f"/itm/{item.group(1)}"
    return path.rstrip("/")


# What deal titles say besides the product: prices, shipping, shops, conditions of the offer.
_OFFER_WORDS = re.compile(
    r"""(?:[$€£¥₹]\s?\d[\d.,]*|(?<![\w.])\d[\d.,]*\s?(?:[$€£¥₹](?!\s?\d)|(?:usd|eur|gbp|dollars?)\b))
      | \b\d+(?:\.\d+)?\s?%(?:\s?off)?
      | \b(?:free\s(?:s/h|s&h|shipping|delivery|store\spickup|pickup)|shipped|shipping|a/?c|w/\ss&s|s&s|ymmv|fs)\b
      | \b(?:after|with|via|w/)\s(?:\w+\s){0,2}?(?:coupon|code|rebate|prime|clip(?:ped)?\scoupon)\b
      | \b(?:was|reg(?:ular(?:ly)?)?|orig(?:inally)?|list|msrp|rrp|from|for|only|just|now|save|off|deal|sale|price)\b
      | (?:\bat|@)\s[\w.'&-]+(?:\s[A-Z][\w.'&-]+)?\s*$
      | [\[({](?:[^\])}]{0,60})[\])}]""",
    re.IGNORECASE | re.VERBOSE,
)
_WORD = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")
_MODEL = re.compile(r"(?=.*[a-z])(?=.*\d)[a-z0-9][a-z0-9.-]{3,}")
_GENERIC = re.compile(
    r"(?:gen|usb|ddr|wi-?fi|hdmi|pcie|mp|h|ps|dp|bt|type)-?\d{1,3}(?:\.\d)?[a-z]?|\d{1,2}(?:nd|rd|st|th|x|k|way|in1|-in-1)"
)
_MEASURE = re.compile(
    r"\d+(?:\.\d+)?-?(?:gb|tb|mb|oz|lb|lbs|ft|in|inch|mm|cm|ml|mah|wh|ghz|hz|mp|pack|pk|piece|pc|ct|count|qt)s?"
)
_FILLER = re.compile(r"an?|and|the|of|in|on|to|by|or|with|w|new|set|plus|your|its")


def product_words(title: str) -> frozenset[str]:
    """The words of a title that name the product, in lower case and without accents."""
    flat = unicodedata.normalize("NFKD", title)
    flat = "".join(char for char in flat if not unicodedata.combining(char))
    words = _WORD.findall(_OFFER_WORDS.sub(" ", flat).lower())
    return frozenset(word for word in words if not _FILLER.fullmatch(word))


def product_key(title: str, price: Money | None = None, brand: str | None = None) -> str:
    """A key that posts of one product at one price share, whatever shop, shipping and coupon they mention.

    Where the title carries model numbers, those and the measures alone make the key (with the brand, when given);
    else all words of the product do, in any order.
    """
    words = product_words(title)
    models = {word.replace("-", "") for word in words if _is_model(word)}
    measures = {word.replace("-", "") for word in words if _MEASURE.fullmatch(word)}
    named = (models | measures if models else set(words)) | ({brand.lower().strip()} if brand else set())
    amount = f"{price.amount:.2f} {price.currency}" if price else ""
    text = "\n".join([*sorted(named), amount])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _is_model(word: str) -> bool:
    return bool(_MODEL.fullmatch(word)) and not _MEASURE.fullmatch(word) and not _GENERIC.fullmatch(word)


def deal_key(deal: Deal) -> str:
    """The key of the very thing that a deal offers, whatever it costs: used ones are another thing than new ones."""
    second_hand = deal.condition not in (None, Condition.NEW)
    return product_key(deal.title) + (f":{deal.condition}" if second_hand else "")
