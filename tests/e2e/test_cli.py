"""The commands as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.conftest import Cli
from tests.e2e.feeds import BARGAIN, BARGAIN_TITLE, ORDINARY, ORDINARY_TITLE, SALE, rss
from tests.fakes.openai_server import scripted, streams
from tests.fakes.web import LoopbackWeb


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    file = tmp_path / "feed.xml"
    file.write_bytes(rss([BARGAIN, ORDINARY, SALE]))
    return file


def test_help_lists_every_command(cli: Cli) -> None:
    shown = cli("--help").out
    for command in ("run", "hunt", "scan", "price", "judge", "ask", "feeds", "memory", "evaluate", "train", "catalogue",
                    "notify", "doctor", "backup", "restore", "test", "check"):  # fmt: skip
        assert f" {command} " in shown


def test_unusable_arguments_and_settings_end_with_status_2(cli: Cli) -> None:
    assert cli("nonsense").status == 2
    assert cli("price").status == 2
    assert cli("judge", "--file", "/nowhere.jsonl").status == 2
    bad = cli("feeds", "list", DEALHOUND_PROT="1")
    assert bad.status == 2
    assert "did you mean DEALHOUND_PORT?" in bad.err


def test_scan_tells_deals_from_the_rest(cli: Cli, feed: Path) -> None:
    rows = cli("scan", feed, "--json").rows
    assert [(row["verdict"], row["price"]) for row in rows] == [("deal", 199.0), ("deal", 38.0), ("skipped", None)]
    assert set(rows[0]) == {
        "id", "url", "title", "verdict", "kind", "price", "currency", "list_price", "market_price", "quantity",
        "condition", "description", "evidence", "reader", "reason",
    }  # fmt: skip


def test_scan_goes_on_after_an_unreadable_source_and_says_which_it_was(cli: Cli, feed: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.xml"
    bad.write_bytes(b"\x00\x01 no feed")
    done = cli("scan", bad, feed, "--json")
    assert len(done.rows) == 3
    assert done.status == 1
    assert "bad.xml" in done.err


def test_hunting_a_feed_twice_judges_its_deals_once(cli: Cli, feed: Path, home: Path) -> None:
    first = cli("hunt", "--feed", feed, "--json")
    assert first.status == 0, first.err
    verdicts = {row["title"]: row["verdict"] for row in first.rows}
    assert verdicts == {BARGAIN_TITLE: "opportunity", ORDINARY_TITLE: "pass"}
    assert set(first.rows[0]) >= {
        "url", "title", "price", "currency", "list_price", "value", "low", "high", "discount", "discount_pct",
        "probability", "verdict", "reason", "members",
    }  # fmt: skip
    (remembered,) = json.loads((home / "memory.json").read_text())
    assert remembered["deal"]["price"] == 199.0
    assert cli("hunt", "--feed", feed, "--json").rows == []


def test_without_a_network_the_first_hunt_shows_samples(cli: Cli, home: Path) -> None:
    (home / "dealhound.toml").write_text('feeds = ["http://127.0.0.1:9/feed"]\n')
    done = cli("hunt", "--json")
    assert done.status == 0
    assert done.rows
    assert all(row["sample"] for row in done.rows)
    assert "sample" in done.err
    assert cli("hunt", "--json").rows == []


def test_price_answers_in_order_and_says_why_it_cannot(cli: Cli, tmp_path: Path) -> None:
    items = tmp_path / "items.jsonl"
    items.write_text(
        '{"id": 7, "description": "Apple AirPods Pro wireless earbuds"}\n{"id": "b", "description": " "}\n'
    )
    rows = cli("price", "Steel kettle, 1.7 liter", "--file", items, "--json").rows
    assert [row["id"] for row in rows] == ["1", "7", "b"]
    assert rows[1]["low"] < rows[1]["value"] < rows[1]["high"]
    assert set(rows[1]["members"]) == {"specialist", "frontier", "random_forest"}
    assert rows[1]["similar"][0]["price"] > 0
    assert rows[2]["value"] is None
    assert rows[2]["reason"]


def test_judge_is_moved_by_the_price_and_names_bad_lines(cli: Cli, tmp_path: Path) -> None:
    offers = tmp_path / "offers.jsonl"
    text = "Sony WH-1000XM5 Wireless Noise Canceling Headphones"
    offers.write_text(
        json.dumps({"id": "low", "description": text, "price": 199, "market_price": 349})
        + "\n"
        + json.dumps({"id": "high", "description": text, "price": 380})
        + "\n"
        + json.dumps({"id": "foreign", "description": text, "price": 79, "currency": "XTS"})
    )
    rows = {row["id"]: row for row in cli("judge", "--file", offers, "--json", DEALHOUND_ALLOW_HOSTS="").rows}
    assert rows["low"]["verdict"] == "opportunity"
    assert rows["high"]["verdict"] == "pass"
    assert rows["low"]["probability"] > rows["high"]["probability"]
    assert rows["foreign"]["verdict"] == "pass"
    assert "XTS" in rows["foreign"]["reason"]
    offers.write_text('{"id": 1, "description": "x", "price": -3}')
    bad = cli("judge", "--file", offers)
    assert bad.status == 2
    assert "line 1: price" in bad.err


def test_feeds_can_be_added_checked_listed_exported_and_removed(cli: Cli, tmp_path: Path) -> None:
    with LoopbackWeb() as web:
        web.add("/feed.xml", rss([BARGAIN, SALE]), content_type="application/rss+xml")
        url, allow = web.url("/feed.xml"), {"DEALHOUND_ALLOW_HOSTS": ",".join(web.hosts)}
        assert cli("feeds", "add", url, "--json").rows[0]["status"] == "new"
        (checked,) = cli("feeds", "check", url, "--json", **allow).rows
        assert "2 entries: 1 deals, 1 skipped" in checked["explanation"]
    opml = tmp_path / "feeds.opml"
    assert cli("feeds", "export", opml).status == 0
    assert url in opml.read_text()
    assert cli("feeds", "remove", url, "--json").rows[0]["status"] == "removed"
    assert cli("feeds", "remove", url).status == 1
    assert url not in cli("feeds", "list", "--json").out
    assert url in [row["url"] for row in cli("feeds", "import", opml, "--json").rows]
    assert cli("feeds", "add", "ftp://x.example/feed").status == 2


def test_the_course_s_memory_can_be_imported_once(cli: Cli, tmp_path: Path) -> None:
    plain = [{"deal": {"product_description": "Steel kettle", "price": 20.0, "url": "https://shop.example/k"},
              "estimate": 60.0, "discount": 40.0}]  # fmt: skip
    file = tmp_path / "old.json"
    file.write_text(json.dumps(plain))
    assert cli("memory", "import", file, "--json").rows[0]["imported"] == 1
    assert cli("memory", "import", file, "--json").rows[0]["imported"] == 0
    (row,) = cli("memory", "show", "--json").rows
    assert (row["price"], row["value"]) == (20.0, 60.0)
    exported = json.loads(cli("memory", "export").out)
    assert exported[0]["deal"] == plain[0]["deal"]


def test_the_catalogue_grows_and_can_be_rebuilt(cli: Cli, tmp_path: Path) -> None:
    more = tmp_path / "more.jsonl"
    more.write_text('{"id": "x1", "title": "Acme Anvil", "description": "Cast iron, 50 kg", "price": 250}\n')
    before = cli("catalogue", "info", "--json").rows[0]["count"]
    added = cli("catalogue", "add", more, "--json").rows[0]
    assert (added["count"], added["written"]) == (before + 1, 1)
    assert cli("catalogue", "add", more, "--json").rows[0]["written"] == 0
    assert cli("catalogue", "build", "--json").rows[0]["count"] == before
    more.write_text('{"title": "no price"}\n')
    bad = cli("catalogue", "add", more)
    assert bad.status == 2
    assert "line 1" in bad.err


def test_doctor_says_what_is_degraded_and_how_to_fix_it(cli: Cli) -> None:
    done = cli("doctor", "--json")
    checks = {row["name"]: row for row in done.rows}
    assert done.status == 0, done.out
    assert checks["database"]["status"] == "ok"
    assert checks["messages"]["status"] == "degraded"
    assert "PUSHOVER_TOKEN" in checks["messages"]["fix"]
    assert all(row["fix"] for row in checks.values() if row["status"] != "ok")


def test_a_backup_restores_what_was_lost(cli: Cli, feed: Path, home: Path, tmp_path: Path) -> None:
    cli("hunt", "--feed", feed)
    file = tmp_path / "backup.tar.gz"
    assert cli("backup", file).status == 0
    (home / "memory.json").unlink()
    for left in (home / "state").glob("dealhound.db*"):
        left.unlink()
    assert cli("restore", file).status == 0
    assert [row["title"] for row in cli("memory", "show", "--json").rows] == [BARGAIN_TITLE]


def test_a_test_notification_tells_each_channel_s_answer(cli: Cli) -> None:
    done = cli("notify", "test", "--json")
    assert [(row["channel"], row["status"]) for row in done.rows] == [("console", "sent")]
    refused = cli("notify", "test", "--json", PUSHOVER_USER="u" * 30, PUSHOVER_TOKEN="a" * 30,
                  DEALHOUND_PUSHOVER_URL="http://127.0.0.1:9/")  # fmt: skip
    assert refused.status == 1
    assert refused.rows[1]["status"] == "failed"
    assert "u" * 30 not in refused.out + refused.err


def test_ask_answers_through_a_language_model_and_says_what_to_set_without_one(cli: Cli) -> None:
    refused = cli("ask", "Which feeds?", OPENAI_API_KEY="")
    assert refused.status == 2
    assert "OPENAI_API_KEY" in refused.err
    with scripted(streams("One\x1b[2J feed.\n", "No more."), streams("One feed.")) as server:
        shown = cli("ask", "Which feeds?", DEALHOUND_LLM_BASE_URL=server.url)
        (row,) = cli("ask", "Which feeds?", "--json", DEALHOUND_LLM_BASE_URL=server.url).rows
    assert shown.out == "One�[2J feed.\nNo more.\n"
    assert row == {"question": "Which feeds?", "answer": "One feed."}
