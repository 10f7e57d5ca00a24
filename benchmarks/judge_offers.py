"""The judge on offers drawn from known prices, by the command line as a user calls it.

    python -m benchmarks.judge_offers TOOL PRODUCTS.jsonl[.gz] [--split dev] [--core] [--no-claims] [--limit N]
        [--limit N]

``TOOL`` is a script with ``make`` and ``score`` (the protocol is in models/evaluate/replay.py, which replays the same
inside ``./dealhound evaluate``). Offers go through ``./dealhound judge --file``; what it says is scored, cut to the
fields that the tool reads: a tool that lays verdicts over its own truth would take our ``discount`` (in dollars, and
our opinion) for the true one, and call nearly every alert right.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCORED = ("id", "verdict", "value", "probability")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool")
    parser.add_argument("products")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--core", action="store_true")
    parser.add_argument("--no-claims", action="store_true")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--limit")
    parser.add_argument("--home", help="a home whose catalogue is used; a fresh one else")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        offers, truth, said = (str(Path(folder) / name) for name in ("offers.jsonl", "truth.jsonl", "said.jsonl"))
        make = [sys.executable, args.tool, "make", args.products, "--seed", args.seed, "--split", args.split]
        make += ["--offers", offers, "--truth", truth, *(["--limit", args.limit] if args.limit else [])]
        make += [flag for flag, wanted in (("--core", args.core), ("--no-claims", args.no_claims)) if wanted]
        subprocess.run(make, check=True)
        start = time.perf_counter()
        with open(said, "w") as out:
            home = args.home or str(Path(folder) / "home")
            command = ["./dealhound", "judge", "--file", offers, "--json", "--home", home]
            subprocess.run(command, check=True, stdout=out)
        print(f"judged in {time.perf_counter() - start:.1f} s")
        lines = [json.loads(line) for line in Path(said).read_text().splitlines()]
        kept = [json.dumps({name: line.get(name) for name in SCORED}) for line in lines]
        Path(said).write_text("\n".join(kept))
        subprocess.run([sys.executable, args.tool, "score", truth, said], check=True)


if __name__ == "__main__":
    main()
