"""A feed entry taken apart for reading: plain title and content, and every amount of money in them with its role."""

from __future__ import annotations

from dataclasses import dataclass

from framework.deals import Entry
from framework.reading.currencies import currency_of_site
from framework.reading.roles import Priced, read_roles
from framework.reading.text import plain_content, plain_title
from framework.reading.titles import Title, split_title


@dataclass(frozen=True)
class Post:
    """An entry taken apart. ``currency`` is what a bare "$" means in it."""

    entry: Entry
    title: Title
    in_title: list[Priced]
    content: str
    in_content: list[Priced]
    currency: str

    def field(self, name: str) -> str | None:
        """A publisher's extra field by its local name, in any namespace and letter case."""
        for key, value in self.entry.fields.items():
            if key.lower().rpartition(":")[2] == name and value.strip():
                return value.strip()
        return None


def take_apart(entry: Entry) -> Post:
    """Take an entry apart; safe on whatever a feed may contain."""
    dollar = currency_of_site(entry.url) or currency_of_site(entry.feed_url)
    text, content = plain_title(entry.title), plain_content(entry.content)
    in_title = read_roles(text, dollar=dollar)
    title = split_title(text, in_title)
    return Post(entry, title, in_title, content, read_roles(content, dollar=dollar), dollar or "USD")
