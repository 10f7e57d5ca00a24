"""Where raw records come from: files, a category of Amazon Reviews 2023, or the rehearsal; each as a stream of parts.

Files are JSON lines, CSV (either may be gzipped) or Parquet. One process reads lines and hands blocks of them on
unparsed; Parquet files are read by the workers themselves, one row group each.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from framework.errors import SettingsError, TrainingError
from models.data.curate.part import Part
from models.data.curate.rehearsal import rehearsal_records

PART_RECORDS = 4_000
_MOST_LINE = 4_000_000  # bytes; a longer line is no product
# Those that ``read`` looks at. Images and reviews are most of the bytes of Amazon's files.
_COLUMNS = frozenset(
    {"id", "parent_asin", "asin", "sku", "title", "name", "description", "text", "features", "details", "price"}
    | {"category", "main_category", "brand", "store", "desc_kind", "vintage", "used", "group", "split"}
)


@dataclass(frozen=True, slots=True)
class Source:
    """``identity`` says what exactly is read: when it changes, results of an earlier run are worth nothing."""

    name: str
    identity: str
    parts: Callable[[], Iterator[Part]]


@dataclass(frozen=True, slots=True)
class Lines:
    """A block of JSON lines."""

    lines: Sequence[bytes]
    category: str = ""

    def records(self) -> Iterator[object]:
        """See ``Part``."""
        for line in self.lines:
            try:
                yield json.loads(line)
            except (ValueError, RecursionError):  # broken JSON, or bytes that are no UTF-8
                yield None


@dataclass(frozen=True, slots=True)
class Rows:
    """A block of rows of a CSV file."""

    rows: Sequence[dict[str, Any]]
    category: str = ""

    def records(self) -> Iterator[object]:
        """See ``Part``."""
        return iter(self.rows)


@dataclass(frozen=True, slots=True)
class RowGroup:
    """One row group of a Parquet file."""

    path: Path
    number: int
    category: str = ""

    def records(self) -> Iterator[object]:
        """See ``Part``."""
        file = _parquet(self.path)
        columns = [name for name in file.schema_arrow.names if name in _COLUMNS]
        for batch in file.iter_batches(batch_size=1_000, row_groups=[self.number], columns=columns):
            yield from batch.to_pylist()


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """Records ``first`` to ``first + count`` of the rehearsal."""

    first: int
    count: int
    seed: int
    category: str = ""

    def records(self) -> Iterator[object]:
        """See ``Part``."""
        return rehearsal_records(self.first, self.count, self.seed)


def files(paths: Sequence[Path], category: str = "", name: str = "") -> Source:
    """JSONL, CSV and Parquet files. ``category`` is for records without one.

    Raises ``SettingsError`` for a file of another kind or one that is not there.
    """
    readers = [_reader(path) for path in paths]
    stamps = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
    return Source(
        name or ", ".join(path.name for path in paths),
        json.dumps([stamps, category]),
        lambda: (part for path, reader in zip(paths, readers, strict=True) for part in reader(path, category)),
    )


def rehearsal(count: int, seed: int = 0) -> Source:
    """Made-up products, the same for the same ``seed``, with every fault that real ones have."""
    return Source(
        f"rehearsal of {count:,} made-up products",
        json.dumps(["rehearsal", count, seed]),
        lambda: (Rehearsed(first, min(PART_RECORDS, count - first), seed) for first in range(0, count, PART_RECORDS)),
    )


def joined(sources: Sequence[Source]) -> Source:
    """Several sources, one after the other."""
    return Source(
        ", ".join(source.name for source in sources),
        json.dumps([source.identity for source in sources]),
        lambda: (part for source in sources for part in source.parts()),
    )


def _reader(path: Path) -> Callable[[Path, str], Iterator[Part]]:
    if not path.is_file():
        raise SettingsError(f"{path} is not there; give a JSONL, CSV or Parquet file")
    kinds: dict[str, Callable[[Path, str], Iterator[Part]]] = {
        ".jsonl": _line_parts,
        ".ndjson": _line_parts,
        ".csv": _csv_parts,
        ".parquet": _parquet_parts,
    }
    kind = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    if kind.lower() not in kinds:
        raise SettingsError(f"{path} is no kind of file that can be read; give .jsonl, .csv (or .gz of it) or .parquet")
    return kinds[kind.lower()]


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _line_parts(path: Path, category: str) -> Iterator[Part]:
    try:
        with _open(path) as file:
            yield from (Lines(block, category) for block in _blocks(_lines(file)))
    except (OSError, EOFError) as error:
        raise TrainingError(f"{path} cannot be read to its end ({error}); fetch it again") from error


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    while line := file.readline(_MOST_LINE):
        if line.strip():
            yield line


def _csv_parts(path: Path, category: str) -> Iterator[Part]:
    csv.field_size_limit(_MOST_LINE)
    try:
        with io.TextIOWrapper(_open(path), encoding="utf-8-sig", errors="replace", newline="") as file:
            rows = csv.DictReader(file)
            if "price" not in (names := rows.fieldnames or ()) or not {"title", "name"} & set(names):
                raise TrainingError(f"{path} needs a first line that names its columns, title and price among them")
            yield from (Rows(block, category) for block in _blocks(rows))
    except (OSError, EOFError, csv.Error) as error:
        raise TrainingError(f"{path} cannot be read to its end ({error}); fetch it again") from error


def _blocks(items: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(items)
    while block := list(islice(iterator, PART_RECORDS)):
        yield block


def _parquet_parts(path: Path, category: str) -> Iterator[Part]:
    return (RowGroup(path, number, category) for number in range(_parquet(path).num_row_groups))


def _parquet(path: Path) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise SettingsError("Reading Parquet needs pyarrow: run ./dealhound setup train") from error
    try:
        return parquet.ParquetFile(path)
    except (OSError, pyarrow.ArrowInvalid) as error:
        raise TrainingError(f"{path} is no Parquet file; fetch it again") from error
