"""The planning agent: one hunt from feeds to messages, by the fixed workflow or driven by a language model."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime

from agents import jobs
from agents.autonomous import AutonomousPlanner
from agents.workflow import Parts, Workflow
from framework.agent import Agent
from framework.feedstate import FeedState
from framework.hunt import HuntReport
from framework.log import hunt_context
from framework.progress import ProgressBoard


class PlanningAgent(Agent):
    """Runs hunts, one at a time."""

    name = "planner"

    def __init__(
        self,
        parts: Parts,
        *,
        deliver: Callable[[], int],
        save_snapshot: Callable[[], object],
        autonomous: AutonomousPlanner | None = None,
        budget: Callable[[str], AbstractContextManager[object]] = lambda hunt_id: nullcontext(),
        reading_problem: Callable[[], str | None] = lambda: None,
    ) -> None:
        """``deliver`` sends what the outbox holds and says how many messages were accepted; ``save_snapshot`` rewrites
        memory.json where something changed; ``autonomous`` drives the hunt where the owner wants that; ``budget``
        encloses a hunt for the language model's sake; ``reading_problem`` says why a model did not read everything.
        """
        super().__init__()
        self._parts, self._deliver, self._save_snapshot = parts, deliver, save_snapshot
        self._autonomous, self._budget, self._reading_problem = autonomous, budget, reading_problem

    def stop(self) -> None:
        """Ask a running hunt to end after the item in hand; what is left waits for the next one."""
        self._parts.stop.set()

    def hunt(self, feeds: Sequence[FeedState] | None = None) -> HuntReport:
        """One hunt over the feeds that are due, or over ``feeds`` alone. Raises only ``MemoryStoreError``."""
        started, clock = datetime.now(UTC), time.perf_counter()
        store, progress = self._parts.store, self._parts.progress
        hunt_id = store.start_hunt()
        workflow = Workflow(hunt_id, self._parts, feeds)
        progress.begin(hunt_id)
        with hunt_context(hunt_id), self._budget(hunt_id):
            self.log.info("hunt begins")
            error: str | None = "it was interrupted"
            try:
                self._run(workflow)
                error = None
            finally:
                progress.end()
                report = _report(workflow, started, time.perf_counter() - clock)
                store.finish_hunt(hunt_id, report.counts(), error)
            self.log.info("hunt ends", seconds=round(report.seconds, 1), **report.counts())
        return report

    def share(
        self, hunt_id: str, job: jobs.Job, *, feeds: Sequence[FeedState] = (), only: Sequence[str] = ()
    ) -> Workflow:
        """Do one job over a share of a hunt that others may take part in: these feeds, the entries with these ids.

        Its figures are added to the hunt's. Shares of feeds may run side by side, shares of entries one at a time.
        """
        started, clock = datetime.now(UTC), time.perf_counter()
        # The board shows one thing at a time, and the model's budget counts for one: both follow the entries.
        progress = self._parts.progress if only else ProgressBoard()
        share = Workflow(hunt_id, replace(self._parts, progress=progress), feeds, only=only)
        error: str | None = "a share of it was interrupted"
        with hunt_context(hunt_id), self._budget(hunt_id) if only else nullcontext():
            progress.begin(hunt_id)
            try:
                job(share)
                error = None
            finally:
                progress.end()
                report = _report(share, started, time.perf_counter() - clock)
                self._parts.store.add_to_hunt(hunt_id, report.counts(), error)
        return share

    def _run(self, workflow: Workflow) -> None:
        if self._autonomous is None or not self._let_the_model_plan(self._autonomous, workflow):
            jobs.poll(workflow)
            jobs.read(workflow)
        jobs.appraise(workflow)
        problem = self._reading_problem()
        if problem:
            workflow.problems.append(problem)
        self._parts.progress.stage("notify")
        workflow.counts["sent"] = workflow.timed("notify", self._deliver)
        self._save_snapshot()

    def _let_the_model_plan(self, autonomous: AutonomousPlanner, workflow: Workflow) -> bool:
        """Whether the model scanned. What it leaves undone, the workflow finishes."""
        report = autonomous.hunt(workflow)
        if not report.complete:
            workflow.problems.append(
                f"The language model left its hunt unfinished ({report.ending.value}); the workflow finished it."
            )
        return "feeds_polled" in workflow.counts


def _report(workflow: Workflow, started: datetime, seconds: float) -> HuntReport:
    return HuntReport(
        hunt_id=workflow.hunt_id,
        started=started,
        seconds=seconds,
        sample=workflow.sample,
        judged=tuple(workflow.judged),
        opportunities=tuple(workflow.opportunities),
        problems=tuple(workflow.problems),
        stage_ms=workflow.stage_ms,
        members=workflow.tally.drain(),
        **workflow.counts,
    )
