"""The shared tokenizer: ids, truncation, the cache, hostile texts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from framework.errors import ArtifactError
from models.tokenizer import MAX_TOKENS, Tokenizer, shared_tokenizer

CLS, SEP = 101, 102


def test_a_text_is_framed_by_its_special_tokens() -> None:
    (ids,) = Tokenizer().encode_batch(["Sony headphones"])
    assert ids[0] == CLS
    assert ids[-1] == SEP
    assert len(ids) >= 4


def test_a_long_text_is_cut_and_still_closed() -> None:
    (ids,) = Tokenizer().encode_batch(["kettle " * 200_000])
    assert len(ids) == MAX_TOKENS
    assert ids[-1] == SEP


@pytest.mark.parametrize("text", ["", "\x00\x01\x1b", "\ud800", "電気ケトル", "🫖" * 50, "a\u0301" * 3_000])
def test_any_text_has_ids(text: str) -> None:
    (ids,) = Tokenizer().encode_batch([text])
    assert 2 <= len(ids) <= MAX_TOKENS


def test_a_text_is_tokenized_once() -> None:
    tokenizer = Tokenizer()
    first = tokenizer.encode_batch(["Kettle", "Toaster"])
    again = tokenizer.encode_batch(["Toaster", "Kettle"])
    assert again[0] is first[1]
    assert again[1] is first[0]


def test_the_cache_forgets_the_oldest() -> None:
    tokenizer = Tokenizer(cache_size=2)
    (kept,) = tokenizer.encode_batch(["one"])
    tokenizer.encode_batch(["two", "three"])
    assert tokenizer.encode_batch(["one"])[0] is not kept
    assert np.array_equal(tokenizer.encode_batch(["one"])[0], kept)


def test_cached_ids_cannot_be_changed_by_a_caller() -> None:
    (ids,) = Tokenizer().encode_batch(["Kettle"])
    with pytest.raises(ValueError, match="read-only"):
        ids[0] = 0


def test_threads_get_the_same_ids_as_one_alone() -> None:
    tokenizer = Tokenizer(cache_size=8)
    texts = [f"Kettle number {index}" for index in range(40)]
    alone = Tokenizer().encode_batch(texts)
    with ThreadPoolExecutor(4) as pool:
        for batch in pool.map(tokenizer.encode_batch, [texts] * 8):
            assert all(np.array_equal(one, other) for one, other in zip(batch, alone, strict=True))


def test_the_process_has_one_shared_tokenizer() -> None:
    assert shared_tokenizer() is shared_tokenizer()
    assert shared_tokenizer().vocabulary_size == 30_522


def test_a_missing_vocabulary_is_an_artifact_error(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="cannot be read"):
        Tokenizer(tmp_path / "none.json")


def test_a_damaged_vocabulary_is_an_artifact_error(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text("{}")
    with pytest.raises(ArtifactError, match="damaged"):
        Tokenizer(path)
