"""Plain text out of what feeds publish: HTML, BBCode and forum marks, hostile characters, endless titles."""

from __future__ import annotations

import html
import re
import unicodedata
from html.parser import HTMLParser

LONGEST_TITLE = 600  # characters; real deal titles end before 300
LONGEST_CONTENT = 12_000  # of plain text: what matters stands at the beginning of a post
_LONGEST_MARKUP = 150_000

_BLOCKS = frozenset(
    [
        "p",
        "div",
        "br",
        "li",
        "ul",
        "ol",
        "tr",
        "td",
        "th",
        "table",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "section",
        "article",
        "dd",
        "dt",
        "hr",
        "blockquote",
    ]
)
_UNREAD = frozenset({"script", "style", "noscript", "svg", "template", "head"})
_TAG = re.compile(r"<[a-zA-Z/!]")
_SPACE = re.compile(r"[^\S\n]+")
_INVISIBLE = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u00ad\\u061c\\u180e\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb"
    "\\ud800-\\udfff\\U000e0000-\\U000e007f]"
)  # controls, bidirectional marks, zero-width and tag characters, lone surrogates
_LINES = re.compile(r"\n[\s\n]*")
_FORUM_MARK = re.compile(r"\[/?(?:list|b|i|u|url|img|quote|size|color|center|table|tr|td)(?:=[^\]\n]{0,200})?\]", re.I)
_BULLET = re.compile(r"\[\*\]|(?<=\s)[*•·●▪]\s|^[*•·●▪]\s", re.M)
_STARS = re.compile(r"\*+")
_LINK_NOTE = re.compile(r"\[(?:[\w-]+\.)+[a-z]{2,10}(?:/[^\]\s]{0,80})?\]")
URL = re.compile(r"(?:https?://|www\.)[^\s<>\"')\]]{1,2000}", re.I)


class _Text(HTMLParser):
    """Collects the visible text of markup. Linear in its input, and content with broken markup still comes out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unread = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNREAD:
            self._unread += 1
        elif tag == "li":
            self.parts.append("\n• ")
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNREAD:
            self._unread = max(0, self._unread - 1)
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.parts.append(data)


def clean(text: str) -> str:
    """One Unicode form, no control, bidirectional or invisible characters, every space a plain one; lines are kept."""
    folded = unicodedata.normalize("NFC", text)
    return _LINES.sub("\n", _SPACE.sub(" ", _INVISIBLE.sub("", folded))).strip()


def strip_markup(markup: str) -> str:
    """The visible text of an HTML fragment, one line per block and a bullet per list item."""
    if not _TAG.search(markup):
        return html.unescape(markup)
    parser = _Text()
    parser.feed(markup[:_LONGEST_MARKUP])
    parser.close()
    return "".join(parser.parts)


def plain_title(title: str) -> str:
    """A feed's title as one line of clean text, cut to ``LONGEST_TITLE``."""
    text = strip_markup(title[: 4 * LONGEST_TITLE])
    return clean(html.unescape(text)).replace("\n", " ")[:LONGEST_TITLE]


def plain_content(content: str) -> str:
    """A feed's content as clean lines without forum marks, link notes and addresses, cut to ``LONGEST_CONTENT``."""
    text = clean(strip_markup(content))[: 2 * LONGEST_CONTENT]
    text = URL.sub(" ", _LINK_NOTE.sub(" ", text))
    text = _STARS.sub("", _BULLET.sub("\n• ", _FORUM_MARK.sub("\n", text)))
    return clean(text)[:LONGEST_CONTENT]
