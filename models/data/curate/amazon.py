"""Amazon Reviews 2023 (McAuley Lab, arXiv:2403.03952): the product metadata of a category, from the hub.

``datasets`` no longer runs the script that this data set is loaded with, so its files are read as they lie there:
Parquet in ``raw_meta_<Category>/`` where the category was converted, else lines in
``raw/meta_categories/meta_<Category>.jsonl``.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator

from framework.errors import SettingsError
from models.data.curate.part import Part
from models.data.curate.sources import Source, files
from models.data.hub import Hub, HubFile

REPOSITORY = "McAuley-Lab/Amazon-Reviews-2023"
_LINES = "raw/meta_categories"


def amazon(hub: Hub, category: str) -> Source:
    """The products of a category, such as ``Appliances`` or ``Home and Kitchen``; fetched file by file as it is read.

    Raises ``SettingsError`` for a category that is not there, ``HubError`` when the hub cannot be asked.
    """
    name = category.strip().replace(" ", "_").removeprefix("raw_meta_")
    found = [file for file in hub.listing(REPOSITORY, f"raw_meta_{name}") or () if file.path.endswith(".parquet")]
    found = found or _as_lines(hub, name)
    return Source(
        f"Amazon Reviews 2023: {name.replace('_', ' ')}",
        json.dumps([REPOSITORY, *([file.path, file.version] for file in found)]),
        lambda: _parts(hub, found, name.replace("_", " ")),
    )


def _parts(hub: Hub, found: list[HubFile], category: str) -> Iterator[Part]:
    for file in found:
        yield from files([hub.fetch(REPOSITORY, file.path)], category).parts()


def _as_lines(hub: Hub, name: str) -> list[HubFile]:
    offered = {file.path: file for file in hub.listing(REPOSITORY, _LINES) or ()}
    wanted = f"{_LINES}/meta_{name}.jsonl"
    if wanted in offered:
        return [offered[wanted]]
    names = [path.removeprefix(f"{_LINES}/meta_").removesuffix(".jsonl") for path in offered]
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(sorted(names))}"
    raise SettingsError(f"Amazon Reviews 2023 has no category {name}; {hint}")
