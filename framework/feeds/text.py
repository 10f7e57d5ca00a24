"""Plain text out of scraped text: no markup, no control or invisible characters, of bounded length."""

from __future__ import annotations

import html
import re
import unicodedata

_HTML_TAG = re.compile(
    r"</?(?:a|abbr|b|big|blockquote|br|center|cite|code|del|div|dl|dt|dd|em|embed|font|form|h[1-6]|hr|i|iframe|img|"
    r"input|ins|kbd|li|link|mark|meta|object|ol|p|pre|q|s|samp|script|small|span|strike|strong|style|sub|sup|svg|"
    r"table|tbody|td|th|thead|tr|tt|u|ul|video|wbr)(?:[\s/][^<>]{0,2000})?>",
    re.IGNORECASE,
)
_BREAKING_TAG = re.compile(r"<(?:/?(?:p|div|li|tr|td|h[1-6]|blockquote|ul|ol|table)|br|hr)\b", re.IGNORECASE)
_INVISIBLE_BLOCK = re.compile(r"<(script|style)\b[^<>]{0,2000}>.{0,100000}?</\1\s*>", re.IGNORECASE | re.DOTALL)
_COMMENT = re.compile(r"<!--.{0,100000}?-->|<!\[CDATA\[|\]\]>", re.DOTALL)
_KEPT_FORMAT = "\u200d\u200c"  # joiners that emoji and several scripts need
_ROUNDS = 2  # titles are often escaped once too often


def plain_text(text: str, limit: int) -> str:
    """``text`` without markup, entities decoded, white space collapsed, at most ``limit`` characters."""
    text = text[: limit * 8]
    for _ in range(_ROUNDS):
        text = html.unescape(strip_tags(text))
    text = unicodedata.normalize("NFC", "".join(_visible(char) for char in strip_tags(text)))
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def strip_tags(text: str) -> str:
    """Text without HTML elements; "x < 5" and "<3" stay."""
    if "<" not in text:
        return text
    text = _COMMENT.sub("", _INVISIBLE_BLOCK.sub(" ", text))
    return _HTML_TAG.sub(lambda tag: " " if _BREAKING_TAG.match(tag.group()) else "", text)


def _visible(char: str) -> str:
    """The character; white space for a control that separates; nothing for what steers the display unseen."""
    if char.isspace():
        return " "
    category = unicodedata.category(char)
    if category in ("Cc", "Cs", "Cn") or (category == "Cf" and char not in _KEPT_FORMAT):
        return ""
    return char
