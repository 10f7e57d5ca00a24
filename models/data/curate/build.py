"""The whole curation: records are read in parallel, then judged together, then written.

    source --parts--> workers --work folder--> duplicates, balance, splits (numpy) --> products, prompts, report

Only numbers are held for all records, about 200 bytes each; texts stay in files. What the workers have done survives a
stop of any kind: the same command goes on from there. The files of the result appear together at the end.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import structlog

from framework.errors import TrainingError
from models.data.curate.part import Part, process
from models.data.curate.plan import Plan
from models.data.curate.report import FILE, PAGE, html_report
from models.data.curate.select import Selection, select
from models.data.curate.sources import Source
from models.data.curate.table import Table, load_table
from models.data.curate.window import TokenWindow
from models.data.curate.write import PRODUCTS, write_products
from models.data.products import file_sha256

WORK = ".work"
_log = structlog.get_logger("dealhound.curation")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the reading is: records so far, and per second in this run."""

    records: int
    rate: float


def build(
    source: Source,
    plan: Plan,
    out: Path,
    *,
    workers: int = 1,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> dict[str, Any]:
    """Curate ``source`` into the folder ``out`` and return the report, which also lies there as JSON.

    With ``workers`` of 1 all is done in this process. Raises ``TrainingError`` when nothing usable is left or a source
    cannot be read, ``ArtifactError`` for a wrong tokenizer.
    """
    started, spent = time.monotonic(), _processor_seconds()
    work = _work_folder(out, source, plan)
    read_now = _read_all(source, plan, work, workers, on_progress)
    read_in = time.monotonic() - started
    table = load_table(work)
    if not len(table.price):
        raise TrainingError(f"Nothing of {source.name} can be used: {_reasons(table)}")
    selection = select(table, plan)
    counts = write_products(work, out, table, selection)
    report = _report(source, plan, table, selection) | {
        "written": counts,
        "products_sha256": file_sha256(out / PRODUCTS),
        "cost": {
            "records_read_now": read_now,
            "workers": workers,
            "read_seconds": round(read_in, 1),
            "total_seconds": round(time.monotonic() - started, 1),
            "records_per_second": round(read_now / max(read_in, 1e-6)),
            "processor_seconds": round(_processor_seconds() - spent, 1),
            "peak_mib": round(_peak(resource.RUSAGE_SELF)),
            "peak_worker_mib": round(_peak(resource.RUSAGE_CHILDREN)) if workers > 1 else 0,
        },
    }
    (out / PAGE).write_text(html_report(report), encoding="utf-8")
    temporary = out / f"{FILE}.tmp"
    temporary.write_text(json.dumps(report, indent=1), encoding="utf-8")
    os.replace(temporary, out / FILE)  # last: a folder with a report is whole
    del table  # the signatures are mapped from the folder that goes now
    shutil.rmtree(work)
    return report


def _work_folder(out: Path, source: Source, plan: Plan) -> Path:
    """The work folder, with what an earlier run of the same task left in it, else empty."""
    work = out / WORK
    task = json.dumps([source.identity, plan.reading()])
    if (work / "task.json").is_file() and (work / "task.json").read_text(encoding="utf-8") != task:
        _log.info("starting afresh", reason="the source or the settings of the reading changed")
        shutil.rmtree(work)
    work.mkdir(parents=True, exist_ok=True)
    (work / "task.json").write_text(task, encoding="utf-8")
    return work


def _read_all(source: Source, plan: Plan, work: Path, workers: int, on_progress: Callable[[Progress], None]) -> int:
    """Have every part worked on that is not done yet; returns the number of records read now."""
    started, records = time.monotonic(), 0
    waiting = ((part, number) for number, part in enumerate(source.parts()) if not _is_done(work, number))
    for read in _in_processes(waiting, work, plan, workers) if workers > 1 else _here(waiting, work, plan):
        records += read
        on_progress(Progress(records, records / max(time.monotonic() - started, 1e-6)))
    return records


def _is_done(work: Path, number: int) -> bool:
    return (work / f"{number:05}.npz").exists()


def _here(waiting: Iterator[tuple[Part, int]], work: Path, plan: Plan) -> Iterator[int]:
    window = TokenWindow(plan.tokens[1], plan.tokenizer)
    return (process(part, number, work, plan, window) for part, number in waiting)


def _in_processes(waiting: Iterator[tuple[Part, int]], work: Path, plan: Plan, workers: int) -> Iterator[int]:
    """At most two parts per worker are under way, so that memory does not grow with the source."""
    TokenWindow(plan.tokens[1], plan.tokenizer)  # a wrong tokenizer is told here, not by every worker
    pool = ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_begin_worker, initargs=(work, plan)
    )
    with pool:
        running: set[Future[int]] = set()
        try:
            for part, number in waiting:
                running.add(pool.submit(_process, part, number))
                if len(running) >= 2 * workers:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            yield from (future.result() for future in running)
        except BrokenProcessPool as error:
            raise TrainingError(
                "A worker process was killed, most likely for want of memory; start again with fewer --workers"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


_worker: tuple[Path, Plan, TokenWindow]


def _begin_worker(work: Path, plan: Plan) -> None:
    global _worker  # one process, one window: it is not sent with every part
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the processes are the parallelism
    _worker = (work, plan, TokenWindow(plan.tokens[1], plan.tokenizer))


def _process(part: Part, number: int) -> int:
    work, plan, window = _worker
    return process(part, number, work, plan, window)


def _reasons(table: Table) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in table.tally.dropped.most_common()) or "it is empty"


def _report(source: Source, plan: Plan, table: Table, selection: Selection) -> dict[str, Any]:
    tally = table.tally
    return {
        "source": source.name,
        "settings": {
            "prices": plan.prices,
            "tokens": plan.tokens,
            "tokenizer": plan.tokenizer.name,
            "size": plan.size,
            "strength": plan.strength,
            "similar": plan.similar,
            "seed": plan.seed,
        },
        "records": tally.records,
        "dropped": dict(tally.dropped) | selection.dropped,
        "before": {"prices": tally.prices, "tokens": tally.tokens, "categories": dict(tally.categories.most_common())},
        "after": selection.shape(table),
    }


def _processor_seconds() -> float:
    """What this process and the children that ended have used of the processors."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _peak(who: int) -> float:
    """Most resident memory in MiB of this process, or of the largest child."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(who).ru_maxrss / unit
