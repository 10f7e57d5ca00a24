"""Loading priced products: what is used, what is skipped, what is refused."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from framework.errors import TrainingError
from models.data.products import MAX_TEXT, Product, file_sha256, load_products


def write(path: Path, *records: object) -> Path:
    path.write_text("\n".join(json.dumps(record) for record in records), "utf-8")
    return path


def test_a_product_has_its_title_and_description_as_one_text(tmp_path: Path) -> None:
    path = write(tmp_path / "p.jsonl", {"id": "1", "title": "Kettle", "description": "1.7 l, steel", "price": 39.5})
    (product,) = load_products(path)
    assert product.text == "Kettle\n1.7 l, steel"
    assert product.price == 39.5


def test_a_gzipped_file_reads_like_a_plain_one(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"title": "Kettle", "price": 20}\n'))
    assert [product.title for product in load_products(path)] == ["Kettle"]


@pytest.mark.parametrize("price", [None, 0, -3, "free", float("nan"), float("inf")])
def test_a_line_without_a_positive_price_is_left_out(tmp_path: Path, price: object) -> None:
    path = write(tmp_path / "p.jsonl", {"title": "Bad", "price": price}, {"title": "Good", "price": 5})
    assert [product.title for product in load_products(path)] == ["Good"]


def test_only_the_split_asked_for_is_read(tmp_path: Path) -> None:
    rows = [{"title": split, "price": 5, "split": split} for split in ("train", "dev")]
    assert [product.title for product in load_products(write(tmp_path / "p.jsonl", *rows), "dev")] == ["dev"]


def test_a_missing_file_is_a_training_error(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="cannot be read"):
        load_products(tmp_path / "none.jsonl")


def test_a_file_that_is_no_json_lines_is_a_training_error(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text("title,price\nKettle,5\n")
    with pytest.raises(TrainingError, match="JSON lines"):
        load_products(path)


def test_a_truncated_gzip_file_is_a_training_error(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"title": "Kettle", "price": 20}\n' * 50)[:-12])
    with pytest.raises(TrainingError):
        load_products(path)


def test_a_file_without_usable_products_is_a_training_error(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no usable product"):
        load_products(write(tmp_path / "p.jsonl", {"title": "", "price": 5}, ["not", "an", "object"]))


@pytest.mark.parametrize(
    ("kind", "vintage", "core"),
    [("prose", 2023, True), ("llm_summary", 2015, True), ("prose", 2008, False), ("attributes", 2025, False)],
)
def test_core_is_a_shops_own_words_since_2015(kind: str, vintage: int, core: bool) -> None:
    product = Product("1", "Kettle", "", 5.0, kind, vintage, "g", "train", "")
    assert product.core is core


def test_a_text_is_cut(tmp_path: Path) -> None:
    path = write(tmp_path / "p.jsonl", {"title": "Kettle", "description": "x" * 9_000, "price": 5})
    assert len(load_products(path)[0].text) == MAX_TEXT


def test_a_files_hash_is_that_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert file_sha256(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
