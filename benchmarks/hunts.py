"""One hunt over each recorded deal feed, then the same again: what is found, how long it takes, what is done twice.

    DEALHOUND_SHARED=... .venv/bin/python -m benchmarks.hunts [--pages 0]

Every feed is hunted as ``./dealhound hunt --feed FILE`` does it, in one home and one process. Prints a line per feed
and what the second round did. Exit status 1 when that read, fetched or priced anything a second time.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

from agents.assemble import Hound
from agents.commands import hunting
from framework.hunt import HuntReport
from framework.log import configure_logging
from framework.settings import load_settings


def main() -> int:
    """Hunt every feed twice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--pages", type=int, default=0, help="pages fetched per hunt; without a network every one fails"
    )
    options = parser.parse_args()
    folder = Path(os.environ["DEALHOUND_SHARED"]) / "corpus" / "feeds"
    feeds = sorted([*folder.glob("deal-*"), *folder.glob("reddit-*"), *folder.glob("recon-*")])
    with tempfile.TemporaryDirectory() as home:
        settings = load_settings(Path(home), environ={}, max_pages=options.pages)
        configure_logging("error", console=False)
        with Hound(settings) as hound:
            hound.ensemble.estimate(["a first estimate, so that loading the models is in no feed's time"])
            done = sum(show(feed, hunting.hunt(hound, [str(feed)])) for feed in feeds)
            print(f"{done} entries judged in the first round")
            return second_round(hound, feeds)


def show(feed: Path, report: HuntReport) -> int:
    """Print one line; the number of entries that were judged."""
    print(
        f"{feed.name:<52} entries {report.entries_new:>3}  deals {report.deals:>3}  skipped {report.skipped:>3}  "
        f"unreadable {report.failed:>2}  opportunities {len(report.opportunities):>2}  {report.seconds:6.2f} s"
    )
    return len(report.judged)


def second_round(hound: Hound, feeds: list[Path]) -> int:
    """Hunt all feeds again. Entries that could not be read are tried again, up to three times; all else is known."""
    unreadable = hound.store.count_by_verdict().get("pending", 0)
    totals = Counter[str]()
    for feed in feeds:
        totals.update(hunting.hunt(hound, [str(feed)]).counts())
    print(f"second round: {dict(totals)}; {unreadable} unreadable entries were waiting for another try")
    again = totals["entries_new"] + totals["judged"] + totals["pages_fetched"] + totals["deals"]
    return 1 if again else 0


if __name__ == "__main__":
    sys.exit(main())
