"""The hub by its real client, against a stand-in on loopback."""

import io
import json

import pytest

from framework.errors import HubError, SettingsError
from models.data.curate.amazon import REPOSITORY, amazon
from models.data.curate.rehearsal import rehearsal_records
from models.data.hub import Hub
from tests.fakes.hub import hub


@pytest.fixture(autouse=True)
def _by_lfs(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)  # its storage is no plain HTTP


@pytest.fixture
def _impatient(monkeypatch):
    """The client waits half a minute in all between its tries."""
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _seconds: None)


def _lines(records):
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def _parquet(records, rows):
    import pyarrow
    import pyarrow.parquet

    columns = [{**record, "price": str(record["price"]), "images": {"large": []}} for record in records]
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(columns), buffer, row_group_size=rows)
    return buffer.getvalue()


def _prices(source):
    return [record.get("price") for part in source.parts() for record in part.records()]


def test_a_category_in_parquet_is_read_row_group_by_row_group(tmp_path):
    pytest.importorskip("pyarrow")
    records = list(rehearsal_records(0, 60))
    files = {
        "raw_meta_Appliances/full-00000-of-00002.parquet": _parquet(records[:40], 25),
        "raw_meta_Appliances/full-00001-of-00002.parquet": _parquet(records[40:], 25),
        "raw/meta_categories/meta_Appliances.jsonl": b"",
    }
    with hub({REPOSITORY: files}) as server:
        source = amazon(Hub(endpoint=server.url, cache=tmp_path), "Appliances")
        parts = list(source.parts())
        assert [len(list(part.records())) for part in parts] == [25, 15, 20]
        assert {part.category for part in parts} == {"Appliances"}
        assert _prices(source) == [str(record["price"]) for record in records]
        fetched = [line for line in server.seen if line.startswith("GET /datasets/")]
        assert len(fetched) == 2, "what was fetched once is read from the cache"


def test_a_category_without_parquet_is_read_from_its_lines(tmp_path):
    records = list(rehearsal_records(0, 7))
    files = {"raw/meta_categories/meta_Home_and_Kitchen.jsonl": _lines(records)}
    with hub({REPOSITORY: files}) as server:
        source = amazon(Hub(endpoint=server.url, cache=tmp_path), "Home and Kitchen")
        assert source.name == "Amazon Reviews 2023: Home and Kitchen"
        assert _prices(source) == [record["price"] for record in records]


def test_an_unknown_category_is_told_with_the_nearest(tmp_path):
    files = {f"raw/meta_categories/meta_{name}.jsonl": b"{}\n" for name in ("Appliances", "Software")}
    with hub({REPOSITORY: files}) as server, pytest.raises(SettingsError, match="did you mean Appliances"):
        amazon(Hub(endpoint=server.url, cache=tmp_path), "Aplliances")


def test_push_and_pull_give_the_same_files(tmp_path):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    contents = {"products.jsonl": b"x" * 5_000, "report.json": b"{}", "README.md": "---\nß\n".encode()}
    for name, content in contents.items():
        (ours / name).write_bytes(content)
    (ours / "private.env").write_text("secret")
    with hub() as server:
        client = Hub("hf_right", endpoint=server.url)
        for _ in range(2):  # pushing again changes nothing and is no error
            address = client.push(ours, "me/prices", list(contents), private=True, message="Products")
        assert address.endswith("/datasets/me/prices")
        assert server.files["me/prices"].items() >= contents.items()
        assert "private.env" not in server.files["me/prices"]
        client.pull("me/prices", theirs, list(contents))
    assert {name: (theirs / name).read_bytes() for name in contents} == contents


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize(
    ("status", "sentence"), [(401, "refuses"), (403, "refuses"), (404, "no such"), (500, "failed")]
)
def test_a_refusal_is_one_sentence_without_the_token(tmp_path, status, sentence):
    with hub({"me/prices": {}}) as server:
        server.refuse = status
        with pytest.raises(HubError, match=sentence) as caught:
            Hub("hf_very_secret", endpoint=server.url).listing("me/prices", "data")
    assert "hf_very_secret" not in str(caught.value)
    assert caught.value.repository == "me/prices"


def test_a_wrong_token_may_not_push(tmp_path):
    (tmp_path / "report.json").write_text("{}")
    with hub() as server, pytest.raises(HubError, match="HF_TOKEN"):
        Hub("hf_wrong", endpoint=server.url).push(tmp_path, "me/x", ["report.json"], private=True, message="x")


@pytest.mark.parametrize("name", ["a/b/c", "spaces in it", "..", "--"])
def test_a_name_that_is_none_is_told(name):
    with pytest.raises(HubError, match="OWNER/NAME"):
        Hub(endpoint="http://127.0.0.1:9").listing(name, "data")


@pytest.mark.usefixtures("_impatient")
def test_a_hub_that_is_not_there_is_told(tmp_path):
    with pytest.raises(HubError, match="cannot be reached"):
        Hub(endpoint="http://127.0.0.1:9", cache=tmp_path).fetch("me/prices", "x.jsonl")
