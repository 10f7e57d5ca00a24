"""Rate and memory of a curation, on a file that is made first.

    python -m benchmarks.curation --rows 1000000 --folder /tmp/curation [--workers 2]

The file holds the rehearsal's made-up products as JSON lines; the build reads it as it would any other. Prints what
the report says of the cost, and how many records were told apart. ``--data FILE`` measures a file of your own instead.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from models.data.curate import sources
from models.data.curate.build import build
from models.data.curate.plan import Plan
from models.data.curate.rehearsal import rehearsal_records


def made(folder: Path, rows: int) -> Path:
    """The file of made-up products, made once."""
    path = folder / f"made-up-{rows}.jsonl"
    if not path.exists():
        temporary = path.with_suffix(".tmp")
        with temporary.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(record) + "\n" for record in rehearsal_records(0, rows))
        temporary.rename(path)
    return path


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    path = args.data or made(args.folder, args.rows)
    report = build(sources.files([path]), Plan(), args.folder / "out", workers=args.workers)
    print(json.dumps({name: report[name] for name in ("source", "records", "dropped", "written", "cost")}))


if __name__ == "__main__":
    main()
