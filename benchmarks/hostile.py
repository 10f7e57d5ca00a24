"""Every hostile document is read or refused with a typed error, in bounded time and memory, and expectations hold.

    DEALHOUND_SHARED=... .venv/bin/python -m benchmarks.hostile [--verbose]

Reads ``corpus/hostile`` (feedparser's and the W3C validator's test cases, bombs, broken feeds) and all open feeds.
What is counted per set:

* read or refused: ``parse_feed`` returned entries, or raised ``FeedError``; anything else is a defect;
* feedparser's own expressions, evaluated on the result as Dealhound calls the library (on UTF-8, no sanitising and no
  resolving inside HTML, since content is kept as published and escaped where it is shown); then on the raw bytes (for
  what they say of the encoding); then with sanitising and resolving on;
* the validator's cases: those it calls valid must be read, those that are no XML must be read or refused;
* the stated expectations of the rest, each in words of its own below.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import sys
import tarfile
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import feedparser
import structlog

from framework.errors import FeedError
from framework.feeds import ParsedFeed, parse_feed
from framework.feeds.encoding import to_utf8
from framework.feeds.guard import guarded

_SECONDS, _MEGABYTES = 2.0, 200
_HEADER = re.compile(r"^Header:\s+([^:]+):(.+)$", re.MULTILINE)
_NOT_PLAIN = re.compile(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069\u200b\ufeff]")


@dataclass
class Tally:
    """Counts of one set of documents."""

    documents: int = 0
    read: int = 0
    refused: int = 0
    slowest: float = 0.0
    expectations: Counter[str] = field(default_factory=Counter)
    misses: list[str] = field(default_factory=list)

    def expect(self, held: bool, miss: str) -> None:
        """Count one expectation, and keep what was missed."""
        self.expectations["held" if held else "missed"] += 1
        if not held:
            self.misses.append(miss)


def main() -> int:
    """Run all sets and print the figures; exit status 1 when a bar is broken."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--verbose", action="store_true", help="print every miss")
    options = arguments.parse_args()
    warnings.simplefilter("ignore")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    corpus = Path(os.environ["DEALHOUND_SHARED"]) / "corpus"
    tallies = run_hostile(corpus / "hostile")
    tallies["open feeds"] = run_open_feeds(corpus / "feeds")
    for name, tally in tallies.items():
        counts = ", ".join(f"{kind} {count}" for kind, count in sorted(tally.expectations.items()))
        print(
            f"{name:40} documents {tally.documents:5} read {tally.read:5} refused {tally.refused:4} "
            f"slowest {tally.slowest * 1000:6.0f} ms | expectations: {counts or 'none stated'}"
        )
        for miss in tally.misses if options.verbose else tally.misses[:5]:
            print(f"    miss: {miss}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    slowest = max(tally.slowest for tally in tallies.values())
    print(f"peak memory of the process {peak:.0f} MB, slowest document {slowest * 1000:.0f} ms of processor time")
    return int(peak > _MEGABYTES or slowest > _SECONDS)


def run_hostile(folder: Path) -> dict[str, Tally]:
    """Every document of the hostile folder, by set."""
    stated = {row["file"]: row for row in map(json.loads, (folder / "expectations.jsonl").open())}
    tallies: defaultdict[str, Tally] = defaultdict(Tally)
    for name, data in documents(folder):
        parts = name.split("/")
        tally = tallies["/".join(parts[:2]) if parts[0] == "feedparser" else parts[0]]
        parsed = measured(tally, name, data)
        if parsed is not None:
            check_invariants(tally, name, parsed)
        check_stated(tally, name, data, parsed, stated.get(name, {}).get("expect"))
    return dict(tallies)


def documents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each document."""
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.suffix not in (".jsonl", ".gz"):
            yield str(file.relative_to(folder)), file.read_bytes()
    with tarfile.open(folder / "feedvalidator.tar.gz") as archive:
        for member in archive:
            if member.isfile() and (stream := archive.extractfile(member)):
                yield member.name, stream.read()


def measured(tally: Tally, name: str, data: bytes) -> ParsedFeed | None:
    """Parse one document; ``None`` when it was refused."""
    tally.documents += 1
    started = time.process_time()
    try:
        parsed = parse_feed(data, f"https://feeds.example/{name}", content_type=headers(data).get("content-type", ""))
        tally.read += 1
    except FeedError:
        parsed = None
        tally.refused += 1
    tally.slowest = max(tally.slowest, time.process_time() - started)
    return parsed


def headers(data: bytes) -> dict[str, str]:
    """The HTTP headers that a feedparser test case states in its comment."""
    return {name.lower(): value.strip() for name, value in _HEADER.findall(data[:4000].decode("latin-1"))}


def check_invariants(tally: Tally, name: str, parsed: ParsedFeed) -> None:
    """What must be true of every entry, whatever it was read from."""
    for entry in parsed.entries:
        plain = not _NOT_PLAIN.search(entry.title) and 0 < len(entry.title) <= 300
        web = all(url is None or url.startswith(("http://", "https://")) for url in (entry.url, entry.image))
        if not (plain and web and re.fullmatch("[0-9a-f]{32}", entry.id)):
            tally.expect(False, f"{name}: entry breaks an invariant: {entry.title[:60]!r} {entry.url!r}")


def check_stated(tally: Tally, name: str, data: bytes, parsed: ParsedFeed | None, expected: str | None) -> None:
    """Judge what is stated of a document, in the language of its set."""
    if expected is None:
        return
    kind = name.split("/")[0]
    titles = [entry.title for entry in parsed.entries] if parsed else []
    if kind == "feedparser":
        check_expression(tally, name, data, expected)
    elif kind == "feedvalidator":
        if expected.startswith(("!Error", "Valid")):
            tally.expect(parsed is not None, f"{name}: valid, but refused")
    elif kind == "synthetic-items":
        tally.expect("Good $1" in titles, f"{name}: the good entry was not read")
    elif kind == "xss":
        tally.expect(len(titles) == 300, f"{name}: {len(titles)} entries")
    elif kind == "big":
        tally.expect(bool(titles), f"{name}: not read")
    elif kind == "blocked":
        tally.expect(parsed is None, f"{name}: taken for a feed")
    elif "hostname content" in expected:
        text = json.dumps([entry.model_dump(mode="json") for entry in parsed.entries] if parsed else [])
        tally.expect(Path("/etc/hostname").read_text().strip() not in text, f"{name}: local file leaked")
    else:  # bombs and broken feeds: getting here within the limits is the expectation
        tally.expect(True, name)


def check_expression(tally: Tally, name: str, data: bytes, expression: str) -> None:
    """feedparser's own expression on the library's result, as called here and as called by its authors."""
    if holds(expression, library(data, resolve=False)):
        tally.expectations["held"] += 1
    elif holds(expression, library(data, resolve=False, prepared=False)):
        tally.expectations["held before conversion to UTF-8"] += 1
    elif holds(expression, library(data, resolve=True)):
        tally.expectations["held with sanitising and resolving on"] += 1
    elif not holds(expression, library(data, resolve=True, prepared=False)):
        tally.expectations["not held by feedparser alone"] += 1
    else:
        tally.expect(False, f"{name}: {expression[:150]}")


def library(data: bytes, *, resolve: bool, prepared: bool = True) -> Any:
    """feedparser's result on the bytes as ``parse_feed`` prepares them."""
    import io

    stated = {"content-location": "http://127.0.0.1:8097/", "content-type": "application/xml", **headers(data)}
    if prepared:
        data = guarded(to_utf8(data, stated["content-type"]), "benchmark")
        stated["content-type"] = "application/xml; charset=utf-8"
    return feedparser.parse(
        io.BytesIO(data), response_headers=stated, resolve_relative_uris=resolve, sanitize_html=resolve
    )


def holds(expression: str, result: Any) -> bool:
    """Evaluate a test case's expression."""
    scope = {"feedparser": feedparser, "__builtins__": __builtins__, **result}
    try:
        return bool(eval(expression, {**scope, "bozo": result.get("bozo", 0)}))
    except (LookupError, AttributeError, TypeError, NameError, SyntaxError, ValueError):
        return False


def run_open_feeds(folder: Path) -> Tally:
    """Entry counts equal feedparser's on every well-formed document."""
    import io

    tally = Tally()
    for file in sorted([*folder.glob("*.xml"), *folder.glob("*.rss")]):
        data = file.read_bytes()
        parsed = measured(tally, file.name, data)
        result = feedparser.parse(io.BytesIO(data))
        if parsed is not None:
            check_invariants(tally, file.name, parsed)
        if not result.bozo:
            ours = parsed.items if parsed else 0
            tally.expect(ours == len(result.entries), f"{file.name}: {ours} entries, feedparser {len(result.entries)}")
    return tally


if __name__ == "__main__":
    sys.exit(main())
