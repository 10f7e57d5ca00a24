"""HTML that is escaped by construction.

``tag`` escapes every child and attribute that is not ``Html`` already, so scraped text can only become text. Nothing
else in the views builds markup. Control characters and bidirectional overrides, which can disguise what a line says
(https://trojansource.codes), are shown as a replacement character.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

Child = str | int | float | None | Iterable["Child"]

_VOID = frozenset({"br", "hr", "img", "input", "meta", "link"})
_DISGUISES = dict.fromkeys(
    (*range(9), 11, 12, *range(14, 32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)), "\ufffd"
)


class Html(str):
    """Text that is markup already. Only this module makes it."""

    __slots__ = ()


NOTHING = Html("")


def text(value: object) -> str:
    """A value as plain text, without characters that disguise their neighbours."""
    return str(value).translate(_DISGUISES)


def tag(name: str, /, *children: Child, **attributes: object) -> Html:
    """One element. Attributes drop a trailing underscore and write others as dashes; ``None`` and False leave it out.

    >>> tag("b", "1 < 2", class_="x", data_id=7)
    '<b class="x" data-id="7">1 &lt; 2</b>'
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(*children)}</{name}>")


def join(*children: Child) -> Html:
    """Children one after the other, each escaped unless it is markup."""
    return Html("".join(_child(child) for child in children))


def _child(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Html):
        return child
    if isinstance(child, str | int | float):
        return html.escape(text(child))
    return join(*child)


def _attribute(key: str, value: object) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{html.escape(text(value))}"'


def web_address(url: str | None) -> str | None:
    """The URL where it is a plain web address, else ``None``: scripts, files and data never become links."""
    if not url or url != text(url) or any(character.isspace() for character in url):
        return None
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
    except ValueError:
        return None
    return url if valid else None


def link(url: str | None, /, *children: Child, **attributes: object) -> Html:
    """A link that opens in a new tab and tells the site nothing; plain text where the URL is no web address."""
    address = web_address(url)
    if address is None:
        return tag("span", *children, **attributes)
    return tag("a", *children, href=address, target="_blank", rel="noopener noreferrer nofollow", **attributes)


def moment(when: datetime | None, zone: ZoneInfo, never: str = "never") -> Html:
    """A point in time in the owner's zone; the page's script rewrites recent ones as "5 min ago"."""
    if when is None:
        return tag("span", never, class_="dh-muted")
    local = when.astimezone(zone)
    shown = local.strftime("%d %b %Y, %H:%M")
    return tag(
        "time", shown, datetime=when.isoformat(timespec="seconds"), title=local.strftime("%d %B %Y, %H:%M:%S %Z")
    )


def empty(title: str, *advice: Child) -> Html:
    """What stands where there is nothing to show yet, and what to do next."""
    return tag("div", tag("h2", title), tag("p", *advice), class_="dh-empty")


def table(caption: str, head: Iterable[str], rows: Iterable[Iterable[Child]]) -> Html:
    """A table that a phone shows row by row: every cell carries its column's name."""
    names = list(head)
    body = [
        tag("tr", [tag("td", cell, data_label=name) for name, cell in zip(names, row, strict=True)]) for row in rows
    ]
    return tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", [tag("th", name, scope="col") for name in names])),
        tag("tbody", body),
        class_="dh-table",
    )
