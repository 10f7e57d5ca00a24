"""The queue itself on a real PostgreSQL: its tables, the jobs of dead daemons, wishes, and how it is told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("procrastinate")

import psycopg
from procrastinate.jobs import Status
from procrastinate.schema import migrations_path
from sqlalchemy import make_url

from agents.assemble import Hound
from agents.doctor import _work
from agents.sharing.dead import MOST_TRIES
from agents.sharing.schema import ensure_schema
from agents.sharing.status import QueueStatus, queue_status
from agents.sharing.tasks import Interrupted, Pace, Tasks
from framework.errors import DatabaseUnavailable
from framework.health import CheckStatus
from framework.memory.records import EntryState, EntryVerdict
from framework.settings import Settings
from tests.fakes.postgres import Postgres
from tests.framework.memory_examples import entry, poll, reading

FAST = Pace(heartbeat=0.5, dead_after=2.0)


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.new_memory()


@pytest.fixture
def conninfo(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.fixture
def hound(url: str, tmp_path: Path) -> Iterator[Hound]:
    settings = Settings(
        home=tmp_path, database_url=url, feeds=("http://127.0.0.1:9/rss",), allow_hosts=("127.0.0.1:9",)
    )
    with Hound(settings) as opened:
        yield opened


@pytest.fixture
def tasks(hound: Hound, conninfo: str) -> Tasks:
    assert hound.store.feeds()
    ensure_schema(conninfo)
    return Tasks(hound, conninfo, FAST)


def run(tasks: Tasks, work: Callable[[], Awaitable[Any]]) -> Any:
    """Await something with the queue open."""

    async def opened() -> Any:
        async with tasks.app.open_async():
            return await work()

    return asyncio.run(opened())


def execute(conninfo: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(conninfo) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def die_at(tasks: Tasks, conninfo: str, job: str, tries: int = 0, **arguments: Any) -> None:
    """A job as a daemon that was killed leaves it: begun, and its worker no longer known."""
    run(tasks, lambda: tasks.app.configure_task(job).defer_async(**arguments))
    execute(conninfo, f"UPDATE procrastinate_jobs SET status = 'doing', attempts = {tries}")


def states(conninfo: str) -> list[tuple[Any, ...]]:
    return execute(conninfo, "SELECT task_name, status, args->'ids' FROM procrastinate_jobs ORDER BY id")


# --- tables -----------------------------------------------------------------------------------------------------------


def test_several_that_make_the_tables_at_once_all_succeed(hound: Hound, conninfo: str) -> None:
    assert hound.store.feeds()
    failures: list[Exception] = []

    def make() -> None:
        try:
            ensure_schema(conninfo)
        except DatabaseUnavailable as error:
            failures.append(error)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert execute(conninfo, "SELECT count(*) FROM procrastinate_jobs") == [(0,)]


def test_an_older_schema_gets_the_changes_since(hound: Hound, conninfo: str) -> None:
    for path in sorted(migrations_path.glob("*.sql")):
        if path.name < "03.04":
            execute(conninfo, path.read_text())
    hound.store.set_state("procrastinate.version", "3.3.0")
    for _ in range(2):
        ensure_schema(conninfo)
    assert hound.store.get_state("procrastinate.version") == version("procrastinate")
    tasks = Tasks(hound, conninfo, FAST)
    die_at(tasks, conninfo, "appraise", hunt_id="h", ids=["a"])
    run(tasks, tasks.take_over)  # by a function that 3.4.0 brought
    assert states(conninfo) == [("appraise", "todo", ["a"])]


def test_a_database_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(DatabaseUnavailable, match="tables of the work queue") as caught:
        ensure_schema("postgresql://deal:hunter2@127.0.0.1:9/deals")
    assert "hunter2" not in str(caught.value)


# --- dead daemons -----------------------------------------------------------------------------------------------------


def test_a_share_of_a_dead_daemon_goes_back_into_the_queue(tasks: Tasks, conninfo: str) -> None:
    die_at(tasks, conninfo, "appraise", hunt_id="h", ids=["a", "b"])
    run(tasks, tasks.take_over)
    assert states(conninfo) == [("appraise", "todo", ["a", "b"])]


def test_a_job_of_the_clock_is_dropped_with_its_lock(tasks: Tasks, conninfo: str) -> None:
    die_at(tasks, conninfo, "share_out")
    run(tasks, lambda: tasks.ask("share_out"))  # it waits behind the dead one's lock
    run(tasks, tasks.take_over)
    assert [state for _, state, _ in states(conninfo)] == ["todo"]


def test_the_job_of_a_daemon_that_lives_is_left_to_it(tasks: Tasks, conninfo: str) -> None:
    die_at(tasks, conninfo, "appraise", hunt_id="h", ids=["a"])
    execute(conninfo, "INSERT INTO procrastinate_workers DEFAULT VALUES")
    execute(conninfo, "UPDATE procrastinate_jobs SET worker_id = (SELECT id FROM procrastinate_workers)")
    run(tasks, tasks.take_over)
    assert states(conninfo) == [("appraise", "doing", ["a"])]


def test_entries_at_which_daemons_keep_dying_are_tried_alone(tasks: Tasks, conninfo: str) -> None:
    die_at(tasks, conninfo, "appraise", MOST_TRIES - 1, hunt_id="h", ids=["a", "b"])
    run(tasks, tasks.take_over)
    assert states(conninfo) == [
        ("appraise", "failed", ["a", "b"]),
        ("appraise", "todo", ["a"]),
        ("appraise", "todo", ["b"]),
    ]


def test_an_entry_that_kills_daemons_alone_is_given_up(tasks: Tasks, hound: Hound, conninfo: str) -> None:
    hound.store.record_poll(poll(entry(1)))
    die_at(tasks, conninfo, "read", MOST_TRIES - 1, hunt_id="h", ids=["entry-1"])
    run(tasks, tasks.take_over)
    record = hound.store.entry("entry-1")
    assert record is not None
    assert (record.state, record.verdict) == (EntryState.DONE, EntryVerdict.FAILED)
    assert "died" in record.reason
    assert [state for _, state, _ in states(conninfo)] == ["failed"]


# --- jobs -------------------------------------------------------------------------------------------------------------


def test_work_is_shared_out_once(tasks: Tasks, hound: Hound, conninfo: str) -> None:
    hound.store.record_poll(poll(entry(1), entry(2)), hound.store.start_hunt())
    hound.store.record_reading(reading(entry(2)))
    for _ in range(2):
        run(tasks, tasks.share_out)
    assert [(name, ids) for name, _, ids in states(conninfo)] == [("read", ["entry-1"]), ("appraise", ["entry-2"])]


def test_a_wish_made_twice_waits_once(tasks: Tasks, conninfo: str) -> None:
    assert run(tasks, lambda: tasks.ask("share_out"))
    assert [run(tasks, tasks.hunt_now) for _ in range(2)] == [True, False]  # not lost behind the job of the clock
    assert [name for name, _, _ in states(conninfo)] == ["share_out", "share_out"]


def test_a_daemon_that_stops_gives_its_jobs_back(tasks: Tasks, hound: Hound, conninfo: str) -> None:
    run(tasks, lambda: tasks.app.configure_task("poll").defer_async(hunt_id="h", host="127.0.0.1"))
    hound.planner.stop()
    run(tasks, lambda: tasks.app.run_worker_async(queues=["poll"], wait=False, install_signal_handlers=False))
    with pytest.raises(Interrupted):
        asyncio.run(tasks.appraise("h", ["a"]))
    assert ("poll", Status.TODO.value, None) in states(conninfo)


# --- how it is told ---------------------------------------------------------------------------------------------------


def test_the_doctor_tells_how_the_work_is_shared(tasks: Tasks, hound: Hound, url: str, conninfo: str) -> None:
    assert _work(hound).status is CheckStatus.DEGRADED  # no daemon runs
    for _ in range(6):
        execute(conninfo, "INSERT INTO procrastinate_workers DEFAULT VALUES")
    run(tasks, lambda: tasks.ask("deliver"))
    check = _work(hound)
    assert check.status is CheckStatus.OK
    assert "2 daemons at work; 1 jobs wait (the oldest for 0:0" in check.detail
    execute(conninfo, "UPDATE procrastinate_events SET at = at - interval '1 hour'")
    assert _work(hound).status is CheckStatus.DEGRADED
    status = queue_status(url)
    assert status is not None
    assert status.oldest == pytest.approx(3_600, abs=60)


def test_a_database_without_a_queue_has_no_status(hound: Hound, url: str) -> None:
    assert hound.store.feeds()
    assert queue_status(url) is None


def test_failed_jobs_are_counted() -> None:
    assert QueueStatus(daemons=1, waiting=0, running=2, failed=3).sentence == (
        "1 daemon at work; 0 jobs wait, 2 run, 3 failed"
    )


def test_on_sqlite_the_work_is_done_in_process(tmp_path: Path) -> None:
    with Hound(Settings(home=tmp_path)) as hound:
        assert _work(hound).detail == "in process: one daemon on SQLite"
