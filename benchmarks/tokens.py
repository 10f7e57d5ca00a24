"""Count what a language model would cost: tokens per hunt and per day, beside the usual way.

    DEALHOUND_SHARED=... python -m benchmarks.tokens

A stand-in for the model answers every item with a record of ordinary length; what is sent and what comes back is
counted with the shipped WordPiece tokenizer (30,522 tokens; the larger vocabularies of current models need fewer for
the same text). Money is at gpt-4o-mini's listed prices. Two measures:

* the 31 reconstructed days, one hunt each, beside a scanner that sends all entries of the feed each time;
* the recorded stream of arrivals, a hunt every 15 minutes, as tokens and dollars per day, for reading and for pricing
  the deals with comparables of ordinary length.
"""

from __future__ import annotations

import json
import os
import re
import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import structlog

from agents.llm_frontier import FrontierEstimator
from agents.llm_reader import LlmReader, source_of
from agents.prompts import READ, DealSelection
from framework.chat.base import Completion, Request, Usage
from framework.chat.budget import Budget, Limits
from framework.chat.client import Chat
from framework.chat.factory import _KNOWN_PRICES, DEFAULT_MODEL
from framework.deals import Entry, MemberEstimate, Similar
from framework.feeds import parse_feed
from framework.reading.extractive import ExtractiveReader
from tests.fakes.ledger import Ledger

_ITEM = re.compile(r"<item (\d+) [0-9a-f]{16}>\nTitle: (.*)")
_PRODUCT = re.compile(r"<product (\d+) [0-9a-f]{16}>")
_PRICE = re.compile(r"\$(\d+(?:\.\d\d)?)")
_HUNTS_PER_DAY = 96


class Counter:
    """Counts tokens with the shipped tokenizer, without its cap."""

    def __init__(self) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(Path(__file__).parent.parent / "models/artifacts/tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def __call__(self, text: str) -> int:
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)


class StandIn:
    """Answers every item with a record of ordinary length and counts the tokens of both sides."""

    model = DEFAULT_MODEL

    def __init__(self, count: Counter) -> None:
        self._count = count

    def send(self, request: Request) -> Completion:
        asked = request.messages[-1].content
        items = _ITEM.findall(asked)
        prices = [{"item": int(n), "price": 119.99, "low": 89.99, "high": 149.99} for n in _PRODUCT.findall(asked)]
        text = json.dumps({"deals": [_record(int(n), title) for n, title in items]} if items else {"prices": prices})
        sent = "".join(message.content for message in request.messages) + json.dumps(request.schema)
        return Completion(text, Usage(self._count(sent), self._count(text)))

    def stream(self, request: Request) -> Iterator[str | Completion]:
        yield self.send(request)

    def close(self) -> None:
        pass


def _record(number: int, title: str) -> dict[str, object]:
    price = _PRICE.search(title)
    product = title[: price.start()] if price else title
    return {
        "item": number,
        "kind": "product",
        "product": product[:200],
        "price": float(price[1]) if price else None,
        "arithmetic": "",
        "list_price": None,
        "quantity": 1,
        "condition": None,
    }


class UsualWay:
    """All entries of the feed in one prompt, as the course's scanner does; the reply names five deals."""

    def __init__(self, count: Counter) -> None:
        self._count = count
        self._fixed = count(READ.system) + count(json.dumps(DealSelection.model_json_schema()))
        self._known: dict[str, tuple[int, int]] = {}

    def __call__(self, entries: Sequence[Entry]) -> Usage:
        sizes = [self._size(entry) for entry in entries]
        return Usage(self._fixed + sum(sent for sent, _ in sizes), sum(reply for _, reply in sizes[:5]))

    def _size(self, entry: Entry) -> tuple[int, int]:
        if entry.id not in self._known:
            text = f"{source_of(entry, None).text}\nURL: {entry.url}"
            self._known[entry.id] = (self._count(text), self._count(json.dumps(_record(1, entry.title))))
        return self._known[entry.id]


def entries_of(folder: Path) -> list[Entry]:
    """The recorded stream as entries; ``published`` is when the poll saw them."""
    rows = [json.loads(line) for line in (folder / "slickdeals-stream/entries.jsonl").read_text("utf-8").splitlines()]
    return [
        Entry(
            id=row["guid"],
            feed_url="https://slickdeals.net/rss",
            url=row["link"],
            title=row["title"] or "untitled",
            content=row.get("content_encoded") or row.get("description") or "",
            published=row["first_seen"],
        )
        for row in rows
    ]


def days(folder: Path, count: Counter) -> dict[str, object]:
    """The reconstructed days, one hunt each, over one memory."""
    ledger, seen = Ledger(), set[str]()
    chat = Chat(StandIn(count), Budget(ledger, Limits()))
    reader = LlmReader(chat, ExtractiveReader(), ledger)
    ours, usual = [], []
    usual_way = UsualWay(count)
    for file in sorted(folder.glob("recon-*.xml")):
        entries = list(parse_feed(file.read_bytes(), "https://slickdeals.net/rss").entries)
        before = sum(row[2] + row[3] for row in ledger.rows)
        reader.read([entry for entry in entries if entry.id not in seen], {})
        seen |= {entry.id for entry in entries}
        ours.append(sum(row[2] + row[3] for row in ledger.rows) - before)
        usual.append(usual_way(entries).total)
    total = reader.total
    again = LlmReader(chat, ExtractiveReader(), ledger)
    calls_before = len(ledger.rows)
    for file in sorted(folder.glob("recon-*.xml")):
        again.read(list(parse_feed(file.read_bytes(), "https://slickdeals.net/rss").entries), {})
    return {
        "hunts": len(ours),
        "tokens_per_hunt": round(statistics.mean(ours)),
        "median": statistics.median(ours),
        "usual_tokens_per_hunt": round(statistics.mean(usual)),
        **total.counts(),
        "calls_when_all_days_are_hunted_again": len(ledger.rows) - calls_before,
    }


def stream(folder: Path, count: Counter) -> dict[str, object]:
    """Hunts every 15 minutes over the recorded arrivals: what a day costs."""
    hunts: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries_of(folder):
        hunts[_hunt_of(entry)].append(entry)
    ledger = Ledger()
    reader = LlmReader(Chat(StandIn(count), Budget(ledger, Limits())), ExtractiveReader(), ledger)
    newest: list[Entry] = []
    usual, usual_way = Usage(), UsualWay(count)
    for hunt in sorted(hunts):
        reader.read(hunts[hunt], {})
        newest = [*hunts[hunt], *newest][:25]
        usual += usual_way(newest)
    dates = len({hunt[:10] for hunt in hunts})
    spent = Usage(sum(row[2] for row in ledger.rows), sum(row[3] for row in ledger.rows))
    per_usual_hunt = Usage(usual.prompt // len(hunts), usual.completion // len(hunts))
    everyday = Usage(per_usual_hunt.prompt * _HUNTS_PER_DAY, per_usual_hunt.completion * _HUNTS_PER_DAY)
    return {
        "days": dates,
        "hunts_with_news": len(hunts),
        **reader.total.counts(),
        "tokens_per_day": spent.total // dates,
        "dollars_per_day": round(_dollars(spent) / dates, 5),
        "usual_tokens_per_day": everyday.total,
        "usual_dollars_per_day": round(_dollars(everyday), 3),
    }


class OtherDeals:
    """Comparables of ordinary length: the descriptions of the deals that came before."""

    name = "frontier"

    def __init__(self) -> None:
        self._before = ["A product of ordinary length " * 4] * 5

    def estimate(self, descriptions: Sequence[str]) -> list[MemberEstimate]:
        estimates = []
        for text in descriptions:
            near = tuple(Similar(description=other, price=Decimal(100), similarity=0.6) for other in self._before)
            estimates.append(MemberEstimate(member="frontier", value=100.0, similar=near))
            self._before = [*self._before[1:], text]
        return estimates


def pricing(folder: Path, count: Counter) -> dict[str, object]:
    """The deals of the recorded stream, priced hunt by hunt."""
    hunts: dict[str, list[str]] = defaultdict(list)
    for entry in entries_of(folder):
        deal = ExtractiveReader().read_one(entry).deal
        if deal is not None:
            hunts[_hunt_of(entry)].append(deal.description)
    ledger = Ledger()
    frontier = FrontierEstimator(OtherDeals(), Chat(StandIn(count), Budget(ledger, Limits())), ledger)
    for hunt in sorted(hunts):
        frontier.estimate(hunts[hunt])
    dates = len({hunt[:10] for hunt in hunts})
    spent = Usage(sum(row[2] for row in ledger.rows), sum(row[3] for row in ledger.rows))
    return {
        "deals_per_day": sum(map(len, hunts.values())) // dates,
        "calls_per_day": len(ledger.rows) // dates,
        "tokens_per_day": spent.total // dates,
        "dollars_per_day": round(_dollars(spent) / dates, 5),
    }


def _hunt_of(entry: Entry) -> str:
    """The quarter of an hour in which an entry was first seen."""
    assert entry.published is not None
    return f"{entry.published:%Y-%m-%d %H}:{entry.published.minute // 15}"


def _dollars(usage: Usage) -> float:
    price_in, price_out = (float(price) for price in _KNOWN_PRICES[DEFAULT_MODEL])
    return (usage.prompt * price_in + usage.completion * price_out) / 1e6


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    folder = Path(os.environ["DEALHOUND_SHARED"]) / "corpus/feeds"
    count = Counter()
    parts = {"days": days, "stream": stream, "pricing": pricing}
    print(json.dumps({name: part(folder, count) for name, part in parts.items()}, indent=1, default=str))


if __name__ == "__main__":
    main()
