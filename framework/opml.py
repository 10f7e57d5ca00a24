"""OPML, the format in which feed readers exchange their subscriptions (http://opml.org/spec2.opml)."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree
from xml.parsers import expat

from framework.deals import Value
from framework.errors import FeedError
from framework.feeds.raw import web_url
from framework.feeds.text import plain_text

_LARGEST = 8 << 20
_DEEPEST = 50
_MOST_FEEDS = 20_000


class OpmlFeed(Value):
    """One subscription. ``folder`` is the path of the outlines around it, parts joined by " / "."""

    url: str
    title: str | None = None
    folder: str | None = None


def read_opml(data: bytes, name: str = "OPML") -> list[OpmlFeed]:
    """The feeds of an OPML document, each address once; outlines without a web address are left out.

    Raises ``FeedError`` when it is no OPML. No entity is expanded and nothing is loaded.
    """
    if len(data) > _LARGEST:
        raise FeedError(name, f"The OPML document is larger than {_LARGEST >> 20} MB")
    collector = _Outlines(name)
    parser = expat.ParserCreate()
    parser.StartElementHandler = collector.start
    parser.EndElementHandler = collector.end
    parser.EntityDeclHandler = collector.refuse
    try:
        parser.Parse(data.lstrip(), True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise FeedError(name, f"This is no valid OPML: {error}") from None
    if not collector.is_opml:
        raise FeedError(name, "This is XML, but no OPML")
    return list(collector.feeds.values())


class _Outlines:
    def __init__(self, name: str) -> None:
        self.is_opml = False
        self.feeds: dict[str, OpmlFeed] = {}
        self._name = name
        self._folders: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.is_opml = self.is_opml or name.lower() == "opml"
        if name.lower() != "outline":
            return
        given = {key.lower(): value for key, value in attributes.items()}
        title = plain_text(given.get("title") or given.get("text") or "", 300)
        url = web_url("", given.get("xmlurl", ""))
        if len(self._folders) >= _DEEPEST or len(self.feeds) >= _MOST_FEEDS:
            raise FeedError(self._name, "The OPML document is deeper or longer than any list of feeds")
        if url:
            folder = " / ".join(part for part in self._folders if part) or None
            self.feeds.setdefault(url, OpmlFeed(url=url, title=title or None, folder=folder))
        self._folders.append("" if url else title)

    def end(self, name: str) -> None:
        if name.lower() == "outline":
            self._folders.pop()

    def refuse(self, *declaration: object) -> None:
        raise FeedError(self._name, "The OPML document declares entities, which are not read")


def write_opml(feeds: Iterable[OpmlFeed], title: str = "Dealhound feeds") -> str:
    """An OPML 2.0 document that other feed readers import."""
    root = ElementTree.Element("opml", version="2.0")
    ElementTree.SubElement(ElementTree.SubElement(root, "head"), "title").text = title
    body = ElementTree.SubElement(root, "body")
    folders: dict[str, ElementTree.Element] = {}
    for feed in feeds:
        parent = body
        if feed.folder:
            name = plain_text(feed.folder, 300)
            if name not in folders:
                folders[name] = ElementTree.SubElement(body, "outline", text=name, title=name)
            parent = folders[name]
        label = plain_text(feed.title or feed.url, 300)
        ElementTree.SubElement(parent, "outline", type="rss", text=label, title=label, xmlUrl=feed.url)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"
