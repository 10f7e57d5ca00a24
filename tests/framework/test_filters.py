"""The owner's filters, as a table, and OPML."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from framework.deals import Condition, Deal, Entry, Kind
from framework.errors import FeedError
from framework.filters import Filters, first_reason
from framework.money import Money
from framework.opml import OpmlFeed, read_opml, write_opml

DEAL = Deal(
    entry_id="1",
    title="Acme Café Kettle 1.7L $30",
    description="electric kettle, steel",
    price=Money.of(30),
    list_price=Money.of(60),
    merchant="Macy's",
    condition=Condition.REFURBISHED,
)
ENTRY = Entry(id="1", feed_url="u", title="Acme Kettle", content="<p>a <b>steel</b> kettle</p>")


@pytest.mark.parametrize(
    ("filters", "reason"),
    [
        ({}, None),
        ({"include": ["kettle"]}, None),
        ({"include": ["CAFE kettle"]}, None),
        ({"include": ["kett"]}, "none of the words"),
        ({"include": ["phone"], "include_regex": [r"acme.*kettle"]}, None),
        ({"include": ["phone"], "include_regex": [r"^kettle"]}, "none of the words"),
        ({"exclude": ["steel"]}, 'excluded word "steel"'),
        ({"exclude": ["stee"]}, None),
        ({"exclude_regex": [r"\d+(\.\d)?L\b"]}, "excluded expression"),
        ({"min_price": 30, "max_price": 30}, None),
        ({"min_price": 31}, "below the lowest"),
        ({"max_price": "29.99"}, "above the highest"),
        ({"max_price": 1, "currency": "EUR"}, None),
        ({"merchants": ["macys", "MACY'S"]}, None),
        ({"merchants": ["Target"]}, "not asked for"),
        ({"exclude_merchants": ["macy's"]}, "is excluded"),
        ({"conditions": ["refurbished"]}, None),
        ({"conditions": ["new", "open_box"]}, "refurbished"),
        ({"min_discount_pct": 50}, None),
        ({"min_discount_pct": 51}, "50%"),
    ],
)
def test_a_deal_is_skipped_for_the_reason_given(filters: dict[str, object], reason: str | None) -> None:
    found = Filters.model_validate(filters).reason_to_skip(DEAL)
    assert (found is None) if reason is None else (found is not None and reason in found)


def test_what_an_item_does_not_state_is_no_reason_to_skip_it() -> None:
    strict = Filters(merchants=("Target",), conditions=(Condition.NEW,), min_discount_pct=90, kinds=(Kind.PRODUCT,))
    unknown = DEAL.model_copy(update={"merchant": None, "condition": None, "list_price": None})
    assert strict.reason_to_skip(unknown) is None
    assert strict.reason_to_skip(ENTRY) is None


def test_kind_and_valued_discount_are_judged_when_known() -> None:
    filters = Filters(kinds=(Kind.PRODUCT,), min_discount_pct=30)
    assert "gift_card" in str(filters.reason_to_skip(ENTRY, kind=Kind.GIFT_CARD))
    assert filters.reason_to_skip(ENTRY, kind=Kind.PRODUCT) is None
    assert "20%" in str(filters.reason_to_skip(DEAL, discount_pct=20))


def test_the_words_of_an_entry_are_found_in_its_text_without_markup() -> None:
    assert Filters(exclude=("steel kettle",)).reason_to_skip(ENTRY) is not None
    assert Filters(exclude=("b",)).reason_to_skip(ENTRY) is None


def test_the_first_of_several_filters_that_objects_gives_the_reason() -> None:
    feed, overall = Filters(exclude=("kettle",)), Filters(exclude=("steel",))
    assert "kettle" in str(first_reason((feed, None, overall), ENTRY))
    assert "steel" in str(first_reason((None, overall), ENTRY))
    assert first_reason((None,), ENTRY) is None


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a|a)*b",
        "([a-z]+)*",
        "(x+x+)+y",
        r"(\w+)\1",
        "(?P<a>x)(?P=a)",
        "a*b*c*d*",
        "(a{1,9}){1,9}",
        "((ab)*c)+",
        "(",
        "[z-a]",
        "x" * 201,
        "(?",
        "*",
        "",
    ],
)
def test_expressions_that_are_broken_or_could_run_away_are_refused_at_load(pattern: str) -> None:
    with pytest.raises(ValidationError):
        Filters(exclude_regex=(pattern,))


@pytest.mark.parametrize(
    "pattern", [r"iphone.*pro", r"\b\d+\s*tb\b", "(?:ssd|nvme) drive", "[*+]{2}", r"\$\d+", "a?b?c?d?"]
)
def test_ordinary_expressions_are_accepted(pattern: str) -> None:
    assert Filters(include_regex=(pattern,)).include_regex == (pattern,)


def test_the_worst_accepted_expression_on_the_worst_title_ends() -> None:
    long = ENTRY.model_copy(update={"title": "a" * 100_000})
    assert Filters(exclude_regex=(".*.*.*!",)).reason_to_skip(long) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_price": 5, "max_price": 4},
        {"min_discount_pct": 101},
        {"kinds": ["nonsense"]},
        {"unknown": 1},
        {"include": [""]},
    ],
)
def test_filters_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Filters.model_validate(wrong)


FEEDS = [
    OpmlFeed(url="https://a.test/rss?x=1&y=2", title="A & B", folder="Deals"),
    OpmlFeed(url="https://b.test/rss", title="“B”", folder="Deals"),
    OpmlFeed(url="https://c.test/rss", title="C"),
]


def test_what_is_exported_is_imported_again() -> None:
    assert read_opml(write_opml(FEEDS).encode()) == FEEDS


def test_nested_folders_repeats_and_strange_outlines_are_read() -> None:
    data = (
        b'<?xml version="1.0"?><opml version="1.0"><body><outline text="Tech"><outline text="Shops">'
        b'<outline text="&lt;b&gt;A&lt;/b&gt;" XMLURL="https://a.test/"/></outline></outline>'
        b'<outline text="again" xmlUrl="https://a.test/"/><outline text="file" xmlUrl="file:///etc/passwd"/>'
        b'<outline xmlUrl="https://b.test/"/><outline text="empty"/></body></opml>'
    )
    assert read_opml(data) == [
        OpmlFeed(url="https://a.test/", title="A", folder="Tech / Shops"),
        OpmlFeed(url="https://b.test/", title=None, folder=None),
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no xml",
        b"<rss/>",
        b"<opml><body>",
        b'<!DOCTYPE opml [<!ENTITY a "b">]><opml/>',
        b"<opml>" + b"<outline text='x'>" * 60 + b"</outline>" * 60 + b"</opml>",
        b"<opml>" + b" " * (9 << 20) + b"</opml>",
        b'<?xml version="1.0" encoding="nonsense"?><opml/>',
    ],
)
def test_what_is_no_opml_is_a_typed_error(data: bytes) -> None:
    with pytest.raises(FeedError):
        read_opml(data, "feeds.opml")
