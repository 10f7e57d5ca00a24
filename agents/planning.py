"""The planning agent: one hunt from feeds to messages, by the fixed workflow or driven by a language model."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime

from agents.autonomous import AutonomousPlanner
from agents.workflow import Parts, Workflow
from framework.agent import Agent
from framework.feedstate import FeedState
from framework.hunt import HuntReport
from framework.log import hunt_context


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

    def _run(self, workflow: Workflow) -> None:
        if self._autonomous is None or not self._let_the_model_plan(self._autonomous, workflow):
            workflow.timed("poll", workflow.poll)
            workflow.timed("scan", workflow.read)
        workflow.timed("estimate", lambda: workflow.appraise(workflow.pending_deals()))
        workflow.timed("judge", workflow.record_all)
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
        **workflow.counts,
    )
