"""The whole curation, on made-up products and on files."""

import csv
import gzip
import json

import pytest

from framework.errors import SettingsError, TrainingError
from models.data.curate import card, report, sources
from models.data.curate.build import WORK, build
from models.data.curate.plan import Plan
from models.data.curate.rehearsal import rehearsal_records
from models.data.hub import Hub
from models.data.products import load_products
from models.data.prompts import parse_price
from tests.fakes.hub import hub

FILES = ("products.jsonl", "prompts-train.jsonl", "prompts-dev.jsonl", "prompts-test.jsonl")


def _contents(folder):
    return {name: (folder / name).read_bytes() for name in FILES}


def _sum(made):
    return sum(made["dropped"].values()) + sum(made["written"].values())


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("curated")
    return folder, build(sources.rehearsal(1_500), Plan(dev=0.1, test=0.1), folder)


def test_every_record_is_written_or_dropped_for_a_reason(built):
    _, made = built
    assert made["records"] == 1_500 == _sum(made)
    assert {"exact duplicate", "near duplicate", "no single price", "price out of range"} <= set(made["dropped"])
    assert min(made["written"].values()) > 10


def test_the_products_load_and_no_line_is_in_two_splits(built):
    folder, made = built
    products = load_products(folder / "products.jsonl")
    assert len(products) == sum(made["written"].values())
    assert all(0.5 <= product.price <= 999.49 for product in products)
    splits = {}
    for product in products:
        splits.setdefault(product.group, set()).add(product.split)
    assert all(len(names) == 1 for names in splits.values())


def test_a_prompt_is_completed_by_the_price_alone(built):
    folder, made = built
    lines = [json.loads(line) for line in (folder / "prompts-train.jsonl").read_text().splitlines()]
    prices = [product.price for product in load_products(folder / "products.jsonl", "train")]
    assert len(lines) == made["written"]["train"]
    for line, price in zip(lines, prices, strict=True):
        assert line["prompt"].endswith("Price is $")
        assert abs(parse_price(line["completion"]) - price) <= 0.5


def test_the_report_shows_both_skews_smaller(built):
    folder, made = built
    shares = {}
    for when in ("before", "after"):
        prices, categories = made[when]["prices"], made[when]["categories"]
        shares[when] = (sum(prices[14:]) / sum(prices), max(categories.values()) / sum(categories.values()))
    assert shares["after"][0] > shares["before"][0]
    assert shares["after"][1] < shares["before"][1]
    assert report.read_report(folder)["written"] == made["written"]
    page = (folder / report.PAGE).read_text(encoding="utf-8")
    assert all(word in page for word in ("before", "after", "Plotly.newPlot", "near duplicate"))


def test_names_of_categories_are_escaped_on_the_page(built):
    _, made = built
    evil = json.loads(json.dumps(made))
    evil["source"] = "<script>alert(1)</script>"
    evil["before"]["categories"] = {"<script>alert(2)</script>": 3}
    page = report.html_report(evil)
    assert "<script>alert" not in page


def test_processes_give_what_one_gives(built, tmp_path):
    folder, _ = built
    build(sources.rehearsal(1_500), Plan(dev=0.1, test=0.1), tmp_path, workers=2)
    assert _contents(tmp_path) == _contents(folder)


def test_a_stopped_run_goes_on_from_where_it_was(built, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "PART_RECORDS", 400)
    folder, made = built

    class Killed(Exception):
        pass

    def stop(progress):
        if progress.records >= 800:
            raise Killed

    plan = Plan(dev=0.1, test=0.1)
    with pytest.raises(Killed):
        build(sources.rehearsal(1_500), plan, tmp_path, on_progress=stop)
    (tmp_path / WORK / "00002.jsonl.tmp").write_text("half a li")
    again = build(sources.rehearsal(1_500), plan, tmp_path)
    assert again["cost"]["records_read_now"] == 700
    assert again["dropped"] == made["dropped"]
    assert _contents(tmp_path) == _contents(folder)
    assert not (tmp_path / WORK).exists()


def test_other_settings_of_the_reading_start_afresh(tmp_path, monkeypatch):
    (tmp_path / WORK).mkdir()
    (tmp_path / WORK / "task.json").write_text("of another source")
    (tmp_path / WORK / "00000.npz").write_text("stale")
    made = build(sources.rehearsal(60), Plan(), tmp_path)
    assert made["cost"]["records_read_now"] == 60


def test_a_killed_worker_is_told(tmp_path, monkeypatch):
    part = _Deadly()
    source = sources.Source("deadly", "deadly", lambda: iter([part, part]))
    with pytest.raises(TrainingError, match="fewer --workers"):
        build(source, Plan(), tmp_path, workers=2)


class _Deadly:
    category = ""

    def records(self):
        import os

        os.kill(os.getpid(), 9)
        yield {}


def _write_jsonl(path, records):
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)


def test_files_of_every_kind_give_the_same(tmp_path):
    pytest.importorskip("pyarrow")
    import pyarrow.parquet

    records = [
        {"title": r["title"], "description": " ".join(r["description"]), "price": str(r["price"] or "")}
        for r in rehearsal_records(0, 120)
    ]
    _write_jsonl(tmp_path / "a.jsonl.gz", records)
    with (tmp_path / "a.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(records[0]))
        writer.writeheader()
        writer.writerows(records)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(records), tmp_path / "a.parquet")
    made = []
    for name in ("a.jsonl.gz", "a.csv", "a.parquet"):
        build(sources.files([tmp_path / name]), Plan(), tmp_path / f"out-{name}")
        made.append(_contents(tmp_path / f"out-{name}"))
    assert made[0] == made[1] == made[2]
    assert len(made[0]["products.jsonl"]) > 1_000


def test_broken_lines_are_counted_and_the_rest_is_used(tmp_path):
    good = [json.dumps(record) for record in rehearsal_records(0, 40)]
    lines = [*good, "{half", "[1, 2]", "\udce9".encode("utf-8", "surrogateescape").decode("latin-1"), "", "[" * 100_000]
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    made = build(sources.files([tmp_path / "a.jsonl"]), Plan(), tmp_path / "out")
    assert made["dropped"]["not a record"] == 4
    assert made["records"] == 44 == _sum(made)


def test_a_gzip_cut_in_the_middle_is_told(tmp_path):
    _write_jsonl(tmp_path / "a.jsonl.gz", rehearsal_records(0, 50))
    whole = (tmp_path / "a.jsonl.gz").read_bytes()
    (tmp_path / "a.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TrainingError, match="fetch it again"):
        build(sources.files([tmp_path / "a.jsonl.gz"]), Plan(), tmp_path / "out")


@pytest.mark.parametrize(("name", "content"), [("a.csv", "name,cost\nx,3\n"), ("a.parquet", "no"), ("b.csv", "")])
def test_a_file_without_the_columns_is_told(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(TrainingError, match=r"columns|Parquet"):
        build(sources.files([tmp_path / name]), Plan(), tmp_path / "out")


def test_a_kind_of_file_that_is_unknown_is_told(tmp_path):
    (tmp_path / "a.xlsx").write_text("x")
    for path in (tmp_path / "a.xlsx", tmp_path / "none.jsonl"):
        with pytest.raises(SettingsError, match=r"jsonl|JSONL"):
            sources.files([path])


def test_nothing_usable_says_why(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"title": "x"}\n')
    with pytest.raises(TrainingError, match="1 no single price"):
        build(sources.files([tmp_path / "a.jsonl"]), Plan(), tmp_path / "out")


def test_a_split_that_the_source_states_stands_for_the_whole_line(tmp_path):
    records = [record | {"split": "dev"} for record in rehearsal_records(0, 100)]
    _write_jsonl(tmp_path / "a.jsonl.gz", records)
    made = build(sources.files([tmp_path / "a.jsonl.gz"]), Plan(size=10_000), tmp_path / "out")
    assert made["written"]["train"] == made["written"]["test"] == 0 < made["written"]["dev"]


def test_pushed_and_pulled_it_is_the_same(built, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    folder, made = built
    with hub() as server:
        client = Hub("hf_right", endpoint=server.url)
        assert card.push(client, folder, "me/prices", private=True).endswith("me/prices")
        assert b"config_name: prompts" in server.files["me/prices"]["README.md"]
        assert card.pull(client, "me/prices", tmp_path / "pulled") == json.loads(json.dumps(made))
        assert _contents(tmp_path / "pulled") == _contents(folder)
        server.files["me/prices"]["products.jsonl"] = b"{}\n"
        with pytest.raises(TrainingError, match="pull it again"):
            card.pull(client, "me/prices", tmp_path / "tampered")


def test_a_folder_that_was_not_built_is_told(tmp_path):
    with pytest.raises(TrainingError, match="data build"):
        report.read_report(tmp_path)


def test_the_rehearsal_is_the_same_from_anywhere():
    assert list(rehearsal_records(0, 90))[60:] == list(rehearsal_records(60, 30))
    assert list(rehearsal_records(0, 5, seed=1)) != list(rehearsal_records(0, 5))
