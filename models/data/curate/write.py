"""Writes what was selected: products as ``models.data.products`` reads them, and prompts with their completions."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from models.data.curate.part import SPLITS
from models.data.curate.select import Selection
from models.data.curate.table import Table, part_files
from models.data.products import join_text
from models.data.prompts import completion, prompt

PRODUCTS = "products.jsonl"


def prompts_file(split: str) -> str:
    """The name of the file of prompts of a split."""
    return f"prompts-{split}.jsonl"


def write_products(work: Path, out: Path, table: Table, selection: Selection) -> dict[str, int]:
    """Write the selected records into ``out``; returns their number by split.

    All files are written under other names first: what stood in ``out`` stays whole until the new ones are.
    """
    counts = dict.fromkeys(SPLITS[1:], 0)
    names = [PRODUCTS, *(prompts_file(split) for split in counts)]
    with ExitStack() as stack:
        files = {name: stack.enter_context((out / f"{name}.tmp").open("w", encoding="utf-8")) for name in names}
        for number, line in enumerate(_lines(work)):
            if not selection.kept[number]:
                continue
            split = SPLITS[selection.split[number]]
            record = _record(line, f"{table.exact[number]:016x}", f"{table.exact[selection.line[number]]:016x}", split)
            counts[split] += 1
            _put(files[PRODUCTS], record)
            text = join_text(record["title"], record["description"])
            _put(files[prompts_file(split)], {"prompt": prompt(text), "completion": completion(record["price"])})
    for name in names:
        os.replace(out / f"{name}.tmp", out / name)
    return counts


def _record(line: str, own: str, group: str, split: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(line)
    record["desc_kind"] = record.pop("kind")
    return record | {"id": record["id"] or own, "group": group, "split": split}


def _put(file: IO[str], record: dict[str, Any]) -> None:
    file.write(json.dumps(record, ensure_ascii=False) + "\n")


def _lines(work: Path) -> Iterator[str]:
    for path in part_files(work, "jsonl"):
        with path.open(encoding="utf-8", newline="\n") as file:
            yield from file
