"""The views: what is scraped stays text, and every figure of a deal is on its card."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from framework.atlas import Atlas, Place
from framework.feedstate import FeedState, FeedStatus
from framework.health import Check, CheckStatus, worst
from framework.memory.feedback import Vote
from framework.memory.records import HuntRecord, PricePoint
from framework.memory.store import Store
from framework.money import Money
from framework.progress import ProgressBoard
from framework.settings import Settings
from framework.views import deals, detail, feeds, figures, live, status
from framework.views.accuracy import accuracy_tables
from framework.views.map import MapDeals, map_figure
from framework.views.markup import Html, join, link, moment, table, tag, web_address
from framework.views.plots import accuracy_plots
from tests.fakes import board

ZONE = ZoneInfo("Europe/Berlin")
ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<svg/onload=alert(1)>",
    "javascript:alert(1)",
    "{{7*7}} ${7*7} <%= 7*7 %>",
    "' onmouseover='alert(1)",
    "</textarea></title></style><iframe srcdoc='<script>alert(1)</script>'>",
    "&lt;b&gt; already escaped &amp;",
]


@pytest.fixture
def store(tmp_path) -> Store:
    with Store.open(f"sqlite:///{tmp_path / 'memory.db'}", clock=lambda: board.NOW) as opened:
        yield opened


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_markup_of_a_title_or_reason_survives_on_a_card(store: Store, attack: str) -> None:
    board.add_opportunity(store, 1, attack, merchant=attack, description=attack, evidence=(attack,))
    page = _card(store)
    for opening in ("<script", "<img", "<svg/", "<iframe", "<b>al"):
        assert opening not in page
    assert "onerror=alert" not in page.replace("&quot;&gt;&lt;img src=x onerror=alert(1)&gt;", "")
    assert tag("i", attack)[3:-4] in page


def test_usage_of_a_language_model_is_text_and_absent_without_one() -> None:
    assert "Today: &lt;b&gt;" in status.usage_line("Today: <b>")
    assert status.usage_line(None) == ""


def _card(store: Store) -> Html:
    record = store.opportunities(1)[0]
    return join(deals.card(record, ZONE), detail.deal_detail(record, ZONE, detail.Background(can_resend=True)))


def test_tag_escapes_children_and_attributes_but_keeps_markup_made_by_tag() -> None:
    assert tag("p", tag("b", "<"), " & ", class_='"x', hidden=True, title=None) == (
        '<p class="&quot;x" hidden><b>&lt;</b> &amp; </p>'
    )


def test_markup_joined_by_hand_is_text_again() -> None:
    assert tag("p", tag("b", "x") + "") == "<p>&lt;b&gt;x&lt;/b&gt;</p>"


def test_characters_that_disguise_a_line_are_replaced() -> None:
    assert tag("b", "abc\u202egnp\x1b[31m\x00") == "<b>abc\ufffdgnp\ufffd[31m\ufffd</b>"


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//evil.example", "http://", "http://[", "",
     "java\nscript:alert(1)", "https://a.example/ b", "https://user:pw@a.example/", "vbscript:x", None, "ftp://a.example"],
)  # fmt: skip
def test_what_is_no_plain_web_address_becomes_no_link(url: str | None) -> None:
    assert web_address(url) is None
    assert link(url, "text") == "<span>text</span>"


def test_a_web_address_becomes_a_link_that_gives_nothing_away() -> None:
    assert link("https://a.example/?a=1&b=2", "A") == (
        '<a href="https://a.example/?a=1&amp;b=2" target="_blank" rel="noopener noreferrer nofollow">A</a>'
    )


def test_a_card_shows_price_worth_range_discount_probability_reason_source_and_link(store: Store) -> None:
    board.add_opportunity(store, 0)
    page = _card(store)
    shown_figures = ("$179.00", "−44%", "97% sure", "$320", "$260 to $390", "list price $360.00")
    origin = ("even the low end", "Bestmart via shop0.example", 'href="https://shop0.example/p/0"')
    for shown in (*shown_figures, *origin, "80% range $260 to $390"):
        assert shown in page


def test_the_details_show_members_failures_evidence_and_comparables(store: Store) -> None:
    board.add_opportunity(store, 0)
    page = _card(store)
    for shown in ("$307.20", "no figure: artifact missing", "retrieval only", "last year&#x27;s model", "0.91", "70%"):
        assert shown in page


def test_a_card_says_the_owners_word_and_offers_to_hide_or_show(store: Store) -> None:
    board.add_opportunity(store, 0)
    identity = store.opportunities(1)[0].opportunity.id
    assert 'data-body="good" aria-pressed="true"' in deals.card(store.opportunities(1)[0], ZONE, Vote.GOOD)
    assert ">Hide<" in _card(store)
    store.vote(identity, Vote.HIDE, via="dashboard")
    assert ">Show again<" in deals.card(store.opportunities(1, hidden=True)[0], ZONE)


def test_a_card_shows_its_picture_from_our_own_address_or_its_initial(store: Store) -> None:
    board.add_opportunity(store, 0, image="https://shop.example/a.png")
    record = store.opportunities(1)[0]
    shown = deals.card(record, ZONE, pictured=True)
    assert f'<img src="page/pictures/{record.opportunity.id}" alt=""' in shown
    assert "a.png" not in shown
    assert ">C</span>" in deals.card(record, ZONE)


def test_an_empty_memory_says_what_to_do_next_and_an_empty_search_something_else() -> None:
    assert "Hunt now" in deals.deals_page(deals.DealsPage((), 0), ZONE)
    assert "Use fewer words" in deals.deals_page(deals.DealsPage((), 0, narrowed=True), ZONE)


def test_times_are_shown_in_the_owners_zone() -> None:
    assert "20 Nov 2026, 13:00" in moment(board.NOW, ZONE)
    assert "never" in moment(None, ZONE)


def test_a_range_bar_puts_price_and_range_where_they_belong() -> None:
    bar = figures.range_bar(Money.of(179), board.valuation(0))
    lefts = [float(part.split("%")[0]) for part in bar.split("left:")[1:]]
    low, value, price = lefts
    assert price < low < value < 100
    assert "Price $179.00; worth $320, 80% range $260 to $390" in bar


def test_a_price_history_needs_two_points_and_stays_inside_its_drawing() -> None:
    points = [
        PricePoint(price=Money.of(amount), seen=board.NOW + timedelta(days=day), entry_id="e")
        for day, amount in enumerate((50, 40, 45))
    ]
    assert figures.price_history(points[:1], ZONE) == ""
    drawing = figures.price_history(points, ZONE)
    said = "Lowest $40.00, highest $50.00, last $45.00; 20 Nov 2026 to 22 Nov 2026"
    assert f"3 observed prices. {said}" in drawing
    assert f"<figcaption>{said}</figcaption>" in drawing
    assert 'points="10.0,10.0 160.0,86.0 310.0,48.0"' in drawing


def test_a_table_names_the_column_in_every_cell_so_that_a_phone_can_stack_it() -> None:
    assert 'data-label="Price">$1' in table("t", ("Item", "Price"), [("a", "$1")])


def test_a_failing_feed_shows_its_error_and_its_next_check() -> None:
    later = board.NOW + timedelta(hours=2)
    failing = FeedState(
        url="https://f.example/<x>",
        status=FeedStatus.FAILING,
        added=board.NOW,
        errors=3,
        last_error="<b>503",
        next_check=later,
    )
    page = feeds.feeds_table([failing], ZONE, board.NOW)
    assert "3 in a row: &lt;b&gt;503" in page
    assert "20 Nov 2026, 15:00" in page
    assert "1 feeds, 1 in trouble" in page


def test_a_log_is_filtered_by_level_and_agent_and_newest_first() -> None:
    lines = [
        {"level": "info", "agent": "scanner", "event": "first", "n": 1},
        {"level": "error", "agent": "planner", "event": "second <b>", "exception": "Traceback <i>"},
        {"level": "strange", "logger": "lib", "event": "third"},
    ]
    everything = live.log_lines(lines, level="debug")
    assert everything.index("third") < everything.index("second &lt;b&gt;") < everything.index(">first<")
    assert ">first<" not in live.log_lines(lines, level="warning")
    assert "second" not in live.log_lines(lines, level="debug", agent="scanner")
    assert "No log lines here" in live.log_lines([], level="info")


def test_each_agent_shows_what_it_said_last_and_trouble_stands_out() -> None:
    lines = [
        {"agent": "scanner", "event": "read", "timestamp": "2026-11-20T12:00:01Z", "level": "info"},
        {"agent": "scanner", "event": "page <b>failed", "timestamp": "2026-11-20T12:00:02Z", "level": "warning"},
    ]
    shown = live.agents_list(lines)
    assert '<span class="dh-warned">12:00:02 page &lt;b&gt;failed</span>' in shown
    assert shown.count("nothing yet") == len(live.AGENTS) - 1


def test_the_running_stage_is_marked_and_the_hunt_counted() -> None:
    progress = ProgressBoard(lambda: board.NOW)
    assert "Paused" in live.progress_line(progress(), ZONE, paused=True)
    progress.begin("h1")
    progress.stage("estimate", 12)
    progress.step(5)
    shown = live.progress_line(progress(), ZONE, paused=False)
    assert '<li class="dh-now" aria-current="step">Estimate</li>' in shown
    assert "Hunt h1: 5 of 12" in shown
    assert '<progress value="48" max="100"' in shown
    progress.end()
    assert "No hunt is running" in live.progress_line(progress(), ZONE, paused=False)


def test_a_killed_hunt_is_shown_as_not_finished() -> None:
    assert "not finished" in live.hunts_table([HuntRecord(id="h", started=board.NOW)], ZONE)


def test_the_worst_check_decides_and_comes_first() -> None:
    assert worst([]) is CheckStatus.OK
    assert worst(board.checks()) is CheckStatus.FAILED
    page = status.checks_list(board.checks())
    assert page.index("pushover") < page.index("language model") < page.index("database")
    assert "To mend it: set OPENAI_API_KEY" in page


def test_the_header_counts_what_needs_the_owner() -> None:
    checks = [Check(name="a", status=CheckStatus.DEGRADED)]
    assert "Degraded (1)" in status.header(checks, 3, None, ZONE, paused=False)
    assert "Paused" in status.header(checks, 3, None, ZONE, paused=True)


def test_no_secret_is_in_the_settings_table() -> None:
    settings = Settings(
        password=SecretStr("hunter-two"),
        openai_api_key=SecretStr("sk-verysecret"),
        apprise_urls=("tgram://token123/chat",),
        notice_urls=("mailto://me:mailsecret@mail.example",),
        database_url="postgresql+psycopg://owner:dbsecret@db.example/dealhound",
        proxy="http://me:proxysecret@proxy.example:3128",
    )
    page = status.settings_table(settings)
    for secret in ("hunter-two", "verysecret", "token123", "dbsecret", "proxysecret", "mailsecret"):
        assert secret not in page
    assert "db.example/dealhound" in page


def test_deals_stand_on_the_map_at_their_likes_in_both_forms(store: Store) -> None:
    board.add_opportunity(store, 0)
    found = MapDeals([record.opportunity for record in store.opportunities()], "Today's deals")
    flat, deep = map_figure(board.atlas(), found), map_figure(board.atlas(), found, deep=True)
    assert (flat["data"][-1]["x"], flat["data"][-1]["y"]) == ([0], [0])
    assert (flat["data"][-1]["type"], flat["data"][-1]["name"]) == ("scatter", "Today's deals (1)")
    assert (deep["data"][-1]["z"], deep["data"][-1]["type"]) == ([0], "scatter3d")
    assert len(flat["data"]) == 9  # eight categories and the deals
    assert {label["text"] for label in flat["layout"]["annotations"]} >= {"TVs", "Tools"}


def test_plotly_gets_no_markup_and_no_template_from_a_title(store: Store) -> None:
    board.add_opportunity(store, 0, "<a href='javascript:alert(1)'>%{x}</a>")
    figure = map_figure(board.atlas(), MapDeals([store.opportunities(1)[0].opportunity]))
    assert figure["data"][-1]["text"][0].startswith("&lt;a href")
    assert "%{" not in figure["data"][-1]["text"][0]


def test_a_deal_without_likes_on_the_map_is_left_out(store: Store) -> None:
    board.add_opportunity(store, 0)
    empty = board.atlas().model_copy(update={"places": board.atlas().places[1:2]})
    assert map_figure(empty, MapDeals([store.opportunities(1)[0].opportunity]))["data"][-1]["x"] == []


REPORT = {
    "products": 1234,
    "slices": {
        "electronics <b>": {
            "count": 600,
            "accuracy": {
                "blend": {"median_error": 12.5, "mae": 30.0, "rmsle": 0.4, "close": 0.81},
                "silent member": {"answered": 0.0},
            },
            "coverage": {"whole": 0.79},
            "judge": {"judge": {"precision": 0.9, "recall": 0.5}},
        }
    },
    "scatter": [[10.0, 12.0], [200.0, 150.0]],
}


def test_the_evaluation_is_shown_with_its_figures_and_a_silent_member_without() -> None:
    page = accuracy_tables(REPORT)
    for shown in ("1,234 products", "electronics &lt;b&gt; (600)", "$12.50", "81%", "79% held", "90% were real", "–"):
        assert shown in page
    (scatter,) = accuracy_plots(REPORT)
    assert scatter["data"][0]["y"] == [12.0, 150.0]


def test_a_whole_evaluation_is_drawn_in_seven_plots_and_its_words_are_no_markup() -> None:
    plots = accuracy_plots(board.evaluation())
    assert len({plot["layout"]["title"]["text"] for plot in plots}) == 7
    assert plots[-1]["data"][0]["x"] == ["Tools &amp; &lt;b&gt;more&lt;/b&gt;"]


def test_without_an_evaluation_the_page_says_how_to_make_one() -> None:
    assert "./dealhound evaluate" in accuracy_tables(None)
    assert accuracy_plots({}) == []


def test_labels_of_the_map_that_would_overlap_give_way_to_the_larger_kind() -> None:
    def places(category: str, count: int, x: float) -> list[Place]:
        facts = {"description": "d", "category": category, "price": 1, "deep": (0, 0, 0)}
        return [Place(**facts, flat=(x + 0.01 * number, 0)) for number in range(count)]

    crowd = (*places("small one", 2, 0.0), *places("large one", 5, 0.0), *places("far one", 1, 50.0))
    figure = map_figure(Atlas(places=crowd, catalogue_size=8), MapDeals([]))
    assert {label["text"] for label in figure["layout"]["annotations"]} == {"large one", "far one"}
