"""Entries and pages as the tests of the readers need them."""

from __future__ import annotations

from framework.deals import Entry


def entry(title: str, content: str = "", **fields: str) -> Entry:
    """A feed entry; keyword arguments are its namespaced fields, "__" standing for ":" and "___" for "@"."""
    named = {key.replace("___", "@").replace("__", ":"): value for key, value in fields.items()}
    return Entry(
        id="e1",
        feed_url="https://feeds.example.com/deals.xml",
        url="https://deals.example.com/1",
        title=title,
        content=content,
        fields=named,
    )
