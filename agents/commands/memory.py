"""``memory show, import, export``."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agents.assemble import Hound
from agents.commands.rows import opportunity_row
from framework.memory.snapshot import read
from framework.memory.snapshot_format import to_json


def listing(hound: Hound, limit: int) -> list[dict[str, Any]]:
    """The newest opportunities, the newest first."""
    return [opportunity_row(record.opportunity) for record in hound.store.opportunities(limit)]


def import_json(hound: Hound, file: Path) -> dict[str, Any]:
    """Import opportunities from a file in ``memory.json``'s format, the reference's plain one included.

    Those that are known already are left alone. Raises ``SnapshotError`` when the file is no such list.
    """
    found, unusable = read(file, datetime.now(UTC))
    imported = hound.store.import_opportunities(found)
    hound.snapshot.write()
    return {"file": str(file), "imported": imported, "known": len(found) - imported, "unusable": unusable}


def export_json(hound: Hound) -> str:
    """Every opportunity in ``memory.json``'s format, the newest last."""
    rows = [to_json(opportunity) for opportunity in hound.store.all_opportunities_json()]
    return json.dumps(rows, ensure_ascii=False, indent=1)
