"""Currencies as shops write them: symbols, local names and ISO 4217 codes.

Facts from the ISO 4217 list and Unicode's CLDR. A symbol that several countries share ("$", "kr", "L") is given the
most common of them and is told apart by a hint (the shop's country, another price on the page) where there is one.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

# One line per currency: its code, then how shops write it.
_WRITTEN = """
AED د.إ درهم Dhs Dh
AFN ؋
ALL Lek
AMD ֏
ANG ƒ NAƒ
AOA kwz Kz
ARS AR$
AUD A$ AU$ AUD$ A＄
AWG Afl
AZN ₼
BAM KM км
BBD Bds$
BDT ৳
BGN лв лв.
BHD BD .د.ب د.ب
BIF FBu
BMD BD$
BND B$
BOB Bs Bs. $b
BRL R$
BTC ₿ Ƀ
BTN Nu Nu.
BWP P
BYN Br
BZD BZ$
CAD C$ CA$ CAD$ CAN$
CDF FC
CHF Fr. SFr SFr. franc
CLP CL$
CNY 元 圆 人民币 CN¥ RMB yuan
COP COL$
CRC ₡
CUC CUC$
CUP MN$
CVE Esc
CZK Kč Kc
DKK Dkr
DOP RD$
DZD د.ج دج DA
EGP جنيه ج.م E£ LE
ERN نافكا Nfk
ETB ብር
EUR € euro euros eur €uro
FJD FJ$
GBP £ ￡ GBp stg pound pounds ₤
GEL ₾ ლ ლარი
GHS GH₵ ₵
GIP £G
GMD D
GNF FG GFr
GTQ Q q
GYD GY$
HKD HK$
HNL L
HTG G
HUF Ft
IDR Rp
ILS ₪ ש״ח ש"ח ש'ח nis
INR ₹ र Rs Rs. ரூ
IQD ع.د د.ع
IRR ریال تومان Toman
ISK Ikr
JMD J$
JOD د.أ د.ا JD دينار أردني
JPY ¥ 円 ￥ yen JP¥
KES KSh KShs Ksh.
KGS som сом
KHR ៛
KMF CF
KRW ₩ 원
KWD KD د.ك
KYD CI$
KZT ₸
LAK ₭
LBP ل.ل L£
LKR රු
LRD L$
LSL M
LYD ل.د LD د.ل
MAD د.م د.م. DH
MDL lei
MGA Ar
MKD ден ДЕН
MMK Ks K
MNT ₮
MOP MOP$
MRU UM
MUR ₨
MVR Rf
MWK MK
MXN MX$ Mex$
MYR RM
MZN MT
NAD N$
NGN ₦
NIO C$.
NOK Nkr
NPR रू
NZD NZ$ nzd
OMR ر.ع ر.ع.
PAB B/.
PEN S/. S/
PGK PGK K.
PHP ₱ Php
PLN zł Zł ZŁ zl zlotych
PYG ₲ Gs
QAR ر.ق QR
RON RON Lei LEI
RSD дин Дин din Dinara RSD
RUB ₽ руб руб. р. Р р RUR Rbl
RWF RF FRw
SAR ريال ر.س SR
SBD SI$
SCR SR.
SDG ج.س ج.س.
SEK kr kr. Kr Kr. :- Skr
SGD S$ SG$
SLE Sl Le
SOS So.Sh
SRD Sr$
STN Db
SYP ل.س
SZL E
THB ฿ บาท baht
TJS SM ЅМ
TND DT د.ت
TOP T$
TRY ₺ TL
TTD TT$
TWD NT$ 圓
TZS TSh
UAH ₴ грн грн. hrn
UGX USh
USD $ US$ USD$ ＄ ﹩ dollar dollars ¢
UYU $U
UZS so'm Sʻ S' сўм
VES Bs.S
VND ₫ đ VNĐ
VUV VT Vt
WST WS$
XAF FCFA CFA
XCD EC$
XPF ₣
YER ر.ي
ZAR R
ZMW ZK
ZWL Z$
"""

# Codes that are read as bare words; others are English words or abbreviations too often ("ALL", "TOP", "LAK").
_CODES = """
AED ARS AUD BGN BHD BRL BTC CAD CHF CLP CNY COP CZK DKK EGP EUR GBP GEL HKD HRK HUF IDR ILS INR ISK JOD JPY KES KRW
KWD KZT LKR MAD MXN MYR NGN NOK NZD OMR PEN PHP PKR PLN QAR RON RSD RUB SAR SEK SGD THB TND TRY TWD UAH USD UYU VND ZAR
"""
CODES = frozenset(_CODES.split())

_THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})

_SITES = {
    ".au": "AUD", ".ca": "CAD", ".nz": "NZD", ".sg": "SGD", ".hk": "HKD", ".mx": "MXN", ".ar": "ARS", ".cl": "CLP",
    ".co": "COP",
}  # fmt: skip
_HOSTS = {"redflagdeals.com": "CAD", "ozbargain.com.au": "AUD"}


def _table() -> dict[str, str]:
    written: dict[str, str] = {}
    for line in _WRITTEN.strip().splitlines():
        code, *symbols = line.split()
        for symbol in symbols:
            written.setdefault(symbol, code)
    return written


_BY_SYMBOL = _table()
_BY_WORD = {symbol.casefold(): code for symbol, code in _BY_SYMBOL.items() if len(symbol) > 1}

# "US $", "AU$", "CAD $": a country before a dollar sign makes it another dollar.
COUNTRY_DOLLAR = re.compile(
    r"(?<![A-Za-z])(?:US|AU|CA|NZ|HK|SG|NT|MX|TT|BZ|RD|MOP|CUC|GY|FJ|A|C|S|R|J|T|Z) ?\$(?!b)"
    r"|(?<![A-Za-z])(?:CAD|CAN|USD|AUD|NZD)\$|\$b\b"
)


def iso_code(symbol: str | None, hint: str | None = None) -> str | None:
    """The ISO 4217 code of a currency as written, ``None`` when it is unknown.

    ``hint`` is the code to take for a bare dollar sign, where the reader knows the country.
    """
    if not symbol:
        return None
    written = symbol.strip()
    if written in ("$", "＄") and hint:
        return hint
    compact = written.replace(" ", "")
    if compact.upper() in CODES:
        return compact.upper()
    return _BY_SYMBOL.get(compact) or _BY_SYMBOL.get(written) or _BY_WORD.get(compact.casefold())


def has_three_decimals(code: str | None) -> bool:
    """Whether a currency is divided in thousandths, so that "1.250" may be a little over one."""
    return code in _THREE_DECIMALS


def currency_of_site(url: str | None) -> str | None:
    """What a bare "$" means on a site, by its host: ``None`` where it may well be US dollars."""
    host = (urlsplit(url).hostname or "") if url else ""
    for name, code in _HOSTS.items():
        if host == name or host.endswith("." + name):
            return code
    return next((code for end, code in _SITES.items() if host.endswith(end)), None)
