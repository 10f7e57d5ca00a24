"""Console, Apprise and the message template."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from agents.messaging.apprise import AppriseNotifier, apprise_notifiers
from agents.messaging.base import Message
from agents.messaging.console import ConsoleNotifier
from agents.messaging.limits import plain, shorten
from agents.messaging.template import opportunity_message
from framework.deals import Condition, Opportunity
from framework.errors import DeliveryDelayed, DeliveryRejected, SettingsError
from framework.money import Money
from tests.fakes.pushover import TOKEN, USER, FakePushover
from tests.fakes.web import LoopbackWeb, Reply
from tests.framework.memory_examples import START, deal, entry, judgement, valuation

MESSAGE = Message(title="Steel kettle", text="$20, worth $60", url="https://deals.example/1")


@pytest.fixture
def web() -> Iterator[LoopbackWeb]:
    with LoopbackWeb() as running:
        yield running


def opportunity(price: str = "20.00", worth: str = "60.00", sample: bool = False, **more: object) -> Opportunity:
    offer = deal(entry(1, sample=sample), price, **more)
    return Opportunity(id="o1", deal=offer, valuation=valuation(worth), judgement=judgement(), created=START)


def test_the_template_says_price_worth_range_discount_probability_and_link() -> None:
    message = opportunity_message(opportunity(merchant="Shop"))
    assert message.title == "Kettle 1 for $20"
    assert message.text.splitlines() == [
        "$20.00, worth about $60.00 ($48.00 to $72.00)",
        "Saves $40.00 (67%) · 93% likely a real bargain",
        "Estimated without frontier.",
    ]
    assert (message.url, message.url_title) == ("https://deals.example/1", "Open at Shop")


def test_the_template_shows_claims_quantity_and_condition() -> None:
    offer = opportunity(
        "150.00",
        "480.00",
        quantity=2,
        list_price=Money.of(600),
        market_price=Money.of(210),
        condition=Condition.OPEN_BOX,
    )
    text = opportunity_message(offer).text
    assert text.startswith("$150.00 for 2, worth about $480 ($384 to $576)")
    assert "List price $600.00, elsewhere from $210.00, open box" in text


def test_a_sample_is_named_as_one_and_a_link_without_shop_by_its_host() -> None:
    message = opportunity_message(opportunity(sample=True))
    assert message.text.endswith("A sample, not a real offer.")
    assert message.url_title == "Open at deals.example"


@pytest.mark.parametrize("link", ["javascript:alert(1)", "file:///etc/passwd", "http://[bad", "kettle", None])
def test_only_links_to_web_pages_are_sent(link: str | None) -> None:
    message = opportunity_message(opportunity(url=link))
    assert (message.url, message.url_title) == (None, None)


def test_scraped_text_cannot_draw_lines_or_colours(capsys: pytest.CaptureFixture[str]) -> None:
    evil = Message(title="Kettle\x1b[31m\r\nroot: you won\u202e", text="a\x07b\nc")
    screen = io.StringIO()
    ConsoleNotifier(screen).send(evil)
    assert screen.getvalue() == "Kettle [31m root: you won\n  a b\n  c\n"
    ConsoleNotifier().send(MESSAGE)
    assert capsys.readouterr().out == ""


def test_a_closed_console_is_tried_again_later() -> None:
    screen = io.StringIO()
    screen.close()
    with pytest.raises(DeliveryDelayed):
        ConsoleNotifier(screen).send(MESSAGE)


@pytest.mark.parametrize("limit", [2, 10, 50, 200])
def test_shortened_text_fits_and_never_ends_in_half_a_link(limit: int) -> None:
    text = "See https://shop.example/kettle?id=1 and https://shop.example/pot?id=2 or call. " * 3
    short = shorten(text, limit)
    assert len(short) <= limit
    links = {word for word in short.rstrip("…").split() if word.startswith("http")}
    assert links <= {"https://shop.example/kettle?id=1", "https://shop.example/pot?id=2"}


def test_short_text_is_left_alone_and_plain_text_is_one_line() -> None:
    assert shorten(" a b ", 3) == "a b"
    assert plain("a\n\n b\tc") == "a b c"


def test_apprise_delivers_to_a_service_by_url(web: LoopbackWeb) -> None:
    web.add("/hook", lambda request: Reply(b"{}"))
    (notifier,) = apprise_notifiers([web.url("/hook").replace("http://", "json://")])
    assert notifier.send(MESSAGE).detail == "accepted"
    sent = json.loads(web.requests[0].body)
    assert (sent["title"], sent["message"]) == ("Steel kettle", "$20, worth $60\nhttps://deals.example/1")


@pytest.mark.parametrize(("status", "error"), [(400, DeliveryRejected), (503, DeliveryDelayed), (429, DeliveryDelayed)])
def test_apprise_failures_are_told_apart(web: LoopbackWeb, status: int, error: type[Exception]) -> None:
    web.add("/hook", lambda request: Reply(b"no", status=status))
    with pytest.raises(error, match=str(status)):
        AppriseNotifier(web.url("/hook").replace("http://", "json://")).send(MESSAGE)


def test_an_apprise_url_never_shows_its_key() -> None:
    notifier = AppriseNotifier("ntfy://user:hunter2@127.0.0.1:9/topic")
    assert notifier.channel.startswith("apprise:ntfy:")
    with pytest.raises(DeliveryDelayed) as caught:
        notifier.send(MESSAGE)
    assert "hunter2" not in str(caught.value)
    with pytest.raises(SettingsError, match="DEALHOUND_APPRISE_URLS") as unknown:
        apprise_notifiers(["nonsense://hunter2"])
    assert "hunter2" not in str(unknown.value)
    with pytest.raises(DeliveryRejected, match="DEALHOUND_APPRISE_URLS"):
        AppriseNotifier("nonsense://hunter2").send(MESSAGE)


def test_the_stand_in_for_pushover_also_serves_apprises_own_plugin(tmp_path: Path) -> None:
    from apprise import Apprise
    from apprise.plugins.pushover import NotifyPushover

    with FakePushover() as service, patch.object(NotifyPushover, "notify_url", f"{service.url}messages.json"):
        apprise = Apprise()
        assert apprise.add(f"pover://{USER}@{TOKEN}")
        assert apprise.notify(body="$20, worth $60", title="Steel kettle")
        assert service.accepted[0]["title"] == "Steel kettle"
