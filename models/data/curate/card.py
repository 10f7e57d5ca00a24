"""What a curated folder is on the hub: its files, and the card that lets ``datasets`` load them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from framework.errors import TrainingError
from models.data.curate.report import FILE, PAGE, read_report, text_report
from models.data.curate.write import PRODUCTS, prompts_file
from models.data.hub import Hub
from models.data.products import file_sha256

CARD = "README.md"
_SPLITS = {"train": "train", "dev": "validation", "test": "test"}  # ours, and what the hub calls them
FILES = (CARD, FILE, PAGE, PRODUCTS, *(prompts_file(split) for split in _SPLITS))


def push(hub: Hub, folder: Path, repository: str, *, private: bool) -> str:
    """Put a curated folder on the hub; returns its address there. Raises ``TrainingError`` where it is none."""
    report = read_report(folder)
    (folder / CARD).write_text(_card(report), encoding="utf-8")
    return hub.push(folder, repository, FILES, private=private, message=f"Products from {report['source']}")


def pull(hub: Hub, repository: str, folder: Path) -> dict[str, Any]:
    """Fetch a curated folder from the hub and return its report.

    Raises ``TrainingError`` when the products are not those of the report.
    """
    folder.mkdir(parents=True, exist_ok=True)
    hub.pull(repository, folder, FILES)
    report = read_report(folder)
    products = folder / PRODUCTS
    if not products.is_file() or file_sha256(products) != report.get("products_sha256"):
        raise TrainingError(f"{products} is not what the report in {repository} was written for; pull it again")
    return report


def _card(report: Mapping[str, Any]) -> str:
    splits = "".join(
        f"  - split: {name}\n    path: {prompts_file(split)}\n"
        for split, name in _SPLITS.items()
        if report["written"][split]  # an empty file has no columns to load
    )
    return (
        f"---\nconfigs:\n- config_name: prompts\n  default: true\n  data_files:\n{splits}"
        f"- config_name: products\n  data_files: {PRODUCTS}\n---\n\n# Priced products\n\n"
        f"Curated by Dealhound. The texts belong to their shops and makers.\n\n```\n{text_report(report)}\n```\n"
    )
