"""Reading feeds: every format, every kind of breakage; what comes out is clean or a typed error."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.deals import Entry
from framework.errors import FeedError
from framework.feeds import parse_feed, read_feed_file

URL = "https://deals.example/rss"
NAMESPACES = (
    'xmlns:media="http://search.yahoo.com/mrss/" xmlns:shop="https://shop.example/ns" '
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
)


def rss(*items: str, channel: str = "") -> bytes:
    body = "".join(f"<item>{item}</item>" for item in items)
    return f'<rss version="2.0" {NAMESPACES}><channel><title>T</title>{channel}{body}</channel></rss>'.encode()


def one(data: bytes, **settings: str) -> Entry:
    entries = parse_feed(data, URL, **settings).entries  # type: ignore[arg-type]
    assert len(entries) == 1
    return entries[0]


FORMATS = {
    "rss 0.91": b'<rss version="0.91"><channel><item><title>Kettle $20</title><link>https://a.test/1</link></item>'
    b"</channel></rss>",
    "rss 1.0": b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">'
    b"<channel/><item><title>Kettle $20</title><link>https://a.test/1</link></item></rdf:RDF>",
    "rss 2.0": rss("<title>Kettle $20</title><link>https://a.test/1</link>"),
    "atom 1.0": b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>Kettle $20</title>'
    b'<link href="https://a.test/1"/></entry></feed>',
    "atom 0.3": b'<feed version="0.3" xmlns="http://purl.org/atom/ns#"><entry><title>Kettle $20</title>'
    b'<link rel="alternate" href="https://a.test/1"/></entry></feed>',
    "json feed": json.dumps(
        {"version": "https://jsonfeed.org/version/1.1", "items": [{"title": "Kettle $20", "url": "https://a.test/1"}]}
    ).encode(),
}


@pytest.mark.parametrize("data", FORMATS.values(), ids=FORMATS)
def test_every_format_gives_the_same_entry(data: bytes) -> None:
    entry = one(data)
    assert (entry.title, entry.url, entry.feed_url) == ("Kettle $20", "https://a.test/1", URL)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"\r\n\r\n  " + data,
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: b"<br />Warning: mysql_connect() failed in <b>x.php</b>\n" + data,
        lambda data: data + b"</rss></rss><junk>",
        lambda data: data.replace(b"</channel></rss>", b""),
        lambda data: data.replace(b"<channel>", b"<channel>&nbsp;&undefined; AT&T <br>"),
        lambda data: data.replace(b"<rss", b"<!DOCTYPE rss SYSTEM 'http://127.0.0.1/x.dtd'><rss"),
        lambda data: b"<?xml version='1.0' encoding='no-such-encoding'?>" + data,
        lambda data: b"<?xml version='1.0' encoding='utf-16'?>" + data,
        lambda data: data.decode().encode("utf-16"),
        lambda data: data.replace(b"</title>", b"\x0b\x00</title>", 1),
        gzip.compress,
    ],
)
def test_spoiled_feeds_are_still_read(spoil: object) -> None:
    data = rss("<title>Kettle $20</title><link>https://a.test/1</link><guid>1</guid>")
    entry = one(spoil(data))  # type: ignore[operator]
    assert (entry.title, entry.url) == ("Kettle $20", "https://a.test/1")


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "windows-1252"])
def test_encodings_are_read_from_declaration_or_header(encoding: str) -> None:
    text = rss("<title>Café für 20 €</title>".replace("€", "EUR")).decode()
    declared = f'<?xml version="1.0" encoding="{encoding}"?>{text}'.encode(encoding)
    assert one(declared).title == "Café für 20 EUR"
    assert one(text.encode(encoding), content_type=f"text/xml; charset={encoding}").title == "Café für 20 EUR"


def test_a_wrong_declaration_does_not_garble_the_text() -> None:
    data = b'<?xml version="1.0" encoding="ascii"?>' + rss("<title>Grüße “quoted”</title>")
    assert one(data).title == "Grüße “quoted”"


@pytest.mark.parametrize(
    ("title", "plain"),
    [
        ("A &lt;b&gt;bold&lt;/b&gt; deal", "A bold deal"),
        ("<![CDATA[A <i>bold</i> deal &amp; more]]>", "A bold deal & more"),
        ("AT&amp;amp;T phone", "AT&T phone"),
        ("Tom &amp;amp;amp; Jerry", "Tom & Jerry"),
        ("x &lt; 5 and y &gt; 3", "x < 5 and y > 3"),
        ("I &lt;3 this", "I <3 this"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;Lamp", "Lamp"),
        ("&lt;img src=x onerror=alert(1)&gt;Lamp", "Lamp"),
        ("&amp;lt;img src=x onerror=alert(1)&amp;gt;Lamp", "Lamp"),
        ("  many \n\t  spaces&#160;here ", "many spaces here"),
        ("safe&#x202e;txt.exe&#x2066;&#x200b;", "safetxt.exe"),
        ("tag&#xE0041;&#xE0042;s", "tags"),
        ("family &#x1F468;&#x200d;&#x1F469; pack", "family \U0001f468‍\U0001f469 pack"),
    ],
)
def test_titles_are_plain_text(title: str, plain: str) -> None:
    assert one(rss(f"<title>{title}</title>")).title == plain


def test_a_title_of_any_length_is_bounded() -> None:
    entry = one(rss(f"<title>{'A' * 200_000}</title>"))
    assert len(entry.title) == 300
    assert entry.title.endswith("…")


def test_an_entry_without_a_title_takes_its_text_or_address() -> None:
    assert one(rss("<description>Steel &lt;b&gt;kettle&lt;/b&gt;</description>")).title == "Steel kettle"
    assert one(rss("<link>https://a.test/1</link>")).title == "https://a.test/1"
    assert one(rss("")).title == "(untitled)"


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("/deals/1", "https://deals.example/deals/1"),
        ("//cdn.example/x", "https://cdn.example/x"),
        (" https://a.test/\n1 ", "https://a.test/1"),
        ("HTTPS://a.test/1", "https://a.test/1"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("file:///etc/passwd", None),
        ("mailto:a@b.test", None),
        ("http://", None),
        ("http://[broken", None),
        ("https://a.test/" + "x" * 5000, None),
    ],
)
def test_links_are_absolute_web_addresses_or_nothing(link: str, url: str | None) -> None:
    assert one(rss(f"<title>t</title><link>{link}</link>")).url == url


def test_relative_links_follow_the_address_that_the_feed_came_from() -> None:
    entry = one(rss("<title>t</title><link>x</link>"), base_url="https://moved.example/feeds/rss")
    assert entry.url == "https://moved.example/feeds/x"
    assert entry.feed_url == URL


def test_a_guid_is_a_link_only_when_it_is_an_address() -> None:
    assert one(rss("<title>t</title><guid>7</guid>")).url is None
    assert one(rss("<title>t</title><guid>https://a.test/7</guid>")).url == "https://a.test/7"
    assert one(rss("<title>t</title><guid>/7</guid>")).url == "https://deals.example/7"
    assert one(rss("<title>t</title><guid>https://a.test/7</guid><link>/8</link>")).url == "https://deals.example/8"


@pytest.mark.parametrize("guid", ["<guid>/7</guid>", '<guid isPermaLink="true">7</guid>', "<guid>urn:x:7</guid>"])
def test_ids_survive_a_move_of_the_feed(guid: str) -> None:
    data = rss(f"<title>t</title>{guid}")
    assert one(data).id == one(data, base_url="https://elsewhere.example/moved/rss").id


@pytest.mark.parametrize(
    ("date", "published"),
    [
        ("Mon, 05 Oct 2026 15:58:56 -0400", datetime(2026, 10, 5, 19, 58, 56, tzinfo=UTC)),
        ("Sat, 11 Jul 26 15:09:47 +0000", datetime(2026, 7, 11, 15, 9, 47, tzinfo=UTC)),
        ("2026-10-05T15:58:56+02:00", datetime(2026, 10, 5, 13, 58, 56, tzinfo=UTC)),
        ("yesterday-ish", None),
        ("Mon, 99 Foo 99999 99:99:99", None),
        ("0001-01-01T00:00:00Z", None),
        ("", None),
    ],
)
def test_dates_are_aware_and_in_utc_or_nothing(date: str, published: datetime | None) -> None:
    assert one(rss(f"<title>t</title><pubDate>{date}</pubDate>")).published == published


def test_foreign_elements_keep_their_text_their_attributes_and_their_repeats() -> None:
    entry = one(
        rss(
            '<title>t</title><guid>7</guid><shop:price currency="USD">7.46</shop:price>'
            "<shop:dealType>deal</shop:dealType>"
            '<shop:tag>a</shop:tag><shop:tag>b</shop:tag><shop:seller name="Shop &amp; Co" price="39€"/>'
            "<shop:box><shop:size>XL</shop:size></shop:box>"
        )
    )
    assert entry.fields == {
        "shop:price": "7.46",
        "shop:price@currency": "USD",
        "shop:dealType": "deal",
        "shop:tag": "a",
        "shop:tag#2": "b",
        "shop:seller@name": "Shop & Co",
        "shop:seller@price": "39€",
        "shop:box/shop:size": "XL",
    }


def test_foreign_elements_of_a_broken_feed_stay_with_their_own_entry() -> None:
    good = "<title>first</title><guid>1</guid><shop:price>1</shop:price>"
    bad = "<title>second</title><guid>2</guid><shop:price>2</shop:price><br>"
    entries = parse_feed(rss(good, bad, good.replace("1", "3")), URL).entries
    assert [entry.fields.get("shop:price") for entry in entries] == ["1", "2", "3"]


def test_a_document_cannot_flood_the_fields() -> None:
    flood = "".join(f"<shop:f{number}>{'x' * 600}</shop:f{number}>" for number in range(200))
    fields = one(rss(f"<title>t</title>{flood}")).fields
    assert len(fields) == 60
    assert max(map(len, fields.values())) == 500


@pytest.mark.parametrize(
    "item",
    [
        '<media:thumbnail url="https://i.test/a.jpg"/>',
        '<media:content url="/a.mp4" medium="video"/><media:content url="https://i.test/a.jpg" medium="image"/>',
        '<enclosure url="https://i.test/a.jpg" type="image/jpeg" length="1"/>',
        '<description>&lt;p&gt;&lt;img class="x" src="https://i.test/a.jpg"&gt;</description>',
        "<description>&lt;img src='//i.test/a.jpg'&gt;</description>",
        '<media:thumbnail url="javascript:1"/><media:thumbnail url="https://i.test/a.jpg"/>',
    ],
)
def test_an_image_is_found(item: str) -> None:
    assert one(rss(f"<title>t</title>{item}")).image == "https://i.test/a.jpg"


def test_author_categories_and_the_longest_content_are_kept() -> None:
    entry = one(
        rss(
            "<title>t</title><dc:creator>Ann &lt;b&gt;Lee&lt;/b&gt;</dc:creator><category>Home</category>"
            "<category>Kitchen</category><category>Home</category><description>short</description>"
            "<content:encoded>&lt;p&gt;much longer&lt;/p&gt;</content:encoded>"
        )
    )
    assert (entry.author, entry.categories, entry.content) == ("Ann Lee", ("Home", "Kitchen"), "<p>much longer</p>")


@pytest.mark.parametrize(
    ("channel", "ttl"),
    [
        ("<ttl>60</ttl>", 3600.0),
        ("<ttl>0</ttl>", None),
        ("<ttl>soon</ttl>", None),
        (
            '<sy:updatePeriod xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">hourly</sy:updatePeriod>'
            '<sy:updateFrequency xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">2</sy:updateFrequency>',
            1800.0,
        ),
        ("", None),
    ],
)
def test_the_feeds_own_pace_is_read(channel: str, ttl: float | None) -> None:
    assert parse_feed(rss("<title>t</title>", channel=channel), URL).ttl == ttl


def test_json_feed_is_read_in_full() -> None:
    item = {
        "id": 5,
        "content_html": "<p>Kettle</p>",
        "external_url": "https://shop.test/1",
        "date_published": "2026-10-05T15:00:00-04:00",
        "image": "/k.jpg",
        "tags": ["home", 3],
        "authors": [{"name": "Ann"}],
        "_shop": {"price": 20.5, "currency": "USD", "raw": {"x": 1}},
    }
    data = json.dumps({"version": "x", "title": "J", "items": [item, "no item", {}]}).encode()
    feed = parse_feed(data, URL)
    entry = feed.entries[0]
    assert (feed.title, feed.items, len(feed.entries)) == ("J", 2, 2)
    assert (entry.title, entry.url, entry.author) == ("Kettle", "https://shop.test/1", "Ann")
    assert entry.published == datetime(2026, 10, 5, 19, tzinfo=UTC)
    assert (entry.image, entry.categories) == ("https://deals.example/k.jpg", ("home",))
    assert entry.fields == {"shop:price": "20.5", "shop:currency": "USD"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"   \n", "empty"),
        (b"<!DOCTYPE html><html><body>Are you human?</body></html>", "web page"),
        (b"<html><item>x</item>", None),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "no feed"),
        (b"\x1f\x8bbroken", "compressed"),
        (b"<deals><deal><title>x</title></deal></deals>", "no feed"),
        (b'{"items": 5}', "JSON"),
        (b"{broken", "JSON"),
        (b"[" * 100_000, "no feed"),
        (b'{"items":' + b"[" * 100_000, "JSON"),
        (b"<rss><channel>" + b"<a>" * 50_000, "deep"),
        (b"<rss>" + b"<a/>" * 500_000, "tags"),
        (b"<rss " + b" ".join(b'a%d="1"' % number for number in range(20_000)) + b"/>", "attributes"),
        (b"<rss>" + b"x" * (17 << 20), "larger"),
        (gzip.compress(b"<rss>" + b"x" * (17 << 20)), "larger"),
    ],
)
def test_what_is_no_feed_is_refused_with_the_reason(data: bytes, reason: str | None) -> None:
    if reason is None:
        assert parse_feed(data, URL).items == 1
        return
    with pytest.raises(FeedError, match=reason) as caught:
        parse_feed(data, URL)
    assert caught.value.url == URL


def test_a_web_page_that_names_its_feed_is_refused_with_the_address() -> None:
    page = b'<html><head><link rel="alternate" type="application/rss+xml" href="/feed.xml"></head></html>'
    with pytest.raises(FeedError, match=r"https://deals\.example/feed\.xml"):
        parse_feed(page, URL)


def test_a_feed_without_entries_is_a_feed() -> None:
    assert parse_feed(rss(), URL).entries == ()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-7"])
@pytest.mark.parametrize("separator", ["", "\n"])
def test_no_entity_is_expanded_and_no_file_is_read(tmp_path: Path, separator: str, encoding: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("TOP-SECRET")
    laughs = separator.join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    data = (
        f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE rss [<!ENTITY l0 "ha">{laughs}'
        f'<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
        '<rss version="2.0" xmlns:shop="s"><channel><item><title>a &l9; &x;</title><shop:price>&x;&l9;</shop:price>'
        "<description>&x;</description></item></channel></rss>"
    )
    entry = one(data.encode(encoding))
    assert "TOP-SECRET" not in entry.model_dump_json()
    assert len(entry.model_dump_json()) < 2000


def test_harmless_entities_keep_their_meaning() -> None:
    doctype = b'<!DOCTYPE rss [<!ENTITY nbsp "&#160;"><!ENTITY shop "Shop and Co">]>'
    assert one(doctype + rss("<title>a&nbsp;deal of &shop;</title>")).title == "a deal of Shop and Co"


def test_a_name_is_never_opened_as_a_file_or_fetched(tmp_path: Path) -> None:
    feed = tmp_path / "feed.xml"
    feed.write_bytes(rss("<title>secret</title>"))
    for name in (str(feed).encode(), feed.as_uri().encode(), b"http://127.0.0.1:9/feed"):
        with pytest.raises(FeedError):
            parse_feed(name, URL)


def test_a_very_long_author_does_not_hold_the_reader() -> None:
    author = "a." * 200_000
    entries = parse_feed(rss(f"<title>t</title><author>{author}</author>", "<title>u</title>"), URL).entries
    assert [entry.title for entry in entries] == ["t", "u"]


def test_a_feed_file_is_read_by_path_or_address(tmp_path: Path) -> None:
    file = tmp_path / "my feed.xml"
    file.write_bytes(rss("<title>t</title><guid>1</guid>"))
    by_path, by_address = read_feed_file(str(file)), read_feed_file(file.as_uri(), sample=True)
    assert by_path.entries[0].id == by_address.entries[0].id
    assert by_path.entries[0].feed_url == file.as_uri()
    assert (by_path.entries[0].sample, by_address.entries[0].sample) == (False, True)


@pytest.mark.parametrize("path", ["/no/such/feed.xml", "/", "bad\0name", ""])
def test_a_feed_file_that_cannot_be_read_is_a_typed_error(path: str) -> None:
    with pytest.raises(FeedError):
        read_feed_file(path)


SNIPPETS = st.sampled_from(
    b"<rss>|<channel>|<item>|</item>|<title>|</title>|<![CDATA[|]]>|<!--|&#x0;|&amp;lt;b|<link>|\xff|\x00|"
    b"<feed xmlns='a'>|<?xml version='1.0' encoding='utf-7'?>|<a:b c='d'>|<!DOCTYPE x [|<!ENTITY a 'b'>|xmlns:q='w'|"
    b'<pubDate>1-1-1|{"items":[|<author>x@'.split(b"|")
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(SNIPPETS, st.binary(max_size=8)), max_size=25))
def test_any_bytes_are_read_or_refused(pieces: list[bytes]) -> None:
    try:
        feed = parse_feed(b"".join(pieces), URL)
    except FeedError:
        return
    assert len({entry.id for entry in feed.entries}) == len(feed.entries) <= feed.items


def test_the_parser_is_not_loaded_before_it_is_needed() -> None:
    script = "import framework.feeds, sys; sys.exit('feedparser' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.shared
def test_recorded_feeds_give_as_many_items_as_feedparser_finds(shared: Path) -> None:
    import io

    import feedparser

    compared = 0
    for file in sorted((shared / "corpus" / "feeds").glob("deal-*.xml")):
        result = feedparser.parse(io.BytesIO(file.read_bytes()), sanitize_html=False, resolve_relative_uris=False)
        assert read_feed_file(file).items == len(result.entries), file.name
        compared += 1
    assert compared >= 4
