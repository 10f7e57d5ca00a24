"""The ensemble agent: asks every member what the products are worth and blends their answers."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from agents.member import MemberAgent
from framework.agent import Agent
from framework.deals import Estimate, MemberEstimate
from framework.tally import Tally
from models.blender import Blender, Unpriced


class EnsembleAgent(Agent):
    """All members, called side by side, then the blender."""

    name = "ensemble"

    def __init__(self, members: Sequence[MemberAgent], blender: Blender, tally: Tally | None = None) -> None:
        """``tally`` counts "estimates.MEMBER" and "errors.MEMBER"."""
        super().__init__()
        self.members = tuple(members)
        self._blender = blender
        self._tally = tally or Tally()

    def estimate(self, descriptions: Sequence[str]) -> list[Estimate | Unpriced]:
        """Price a batch: per description an estimate, or the reason why there is none.

        A member that is down costs the others nothing: the blender has coefficients for every subset.
        """
        if not descriptions:
            return []
        started = time.perf_counter()
        by_member = self._ask(descriptions)
        self._count(by_member)
        estimates = self._blender.combine(descriptions, by_member)
        priced = sum(isinstance(estimate, Estimate) for estimate in estimates)
        self.log.info(
            "estimated", items=len(descriptions), priced=priced, ms=round((time.perf_counter() - started) * 1000)
        )
        return estimates

    def _count(self, by_member: Mapping[str, Sequence[MemberEstimate]]) -> None:
        for name, answers in by_member.items():
            priced = sum(answer.value is not None for answer in answers)
            self._tally.add(f"estimates.{name}", priced)
            self._tally.add(f"errors.{name}", len(answers) - priced)

    def _ask(self, descriptions: Sequence[str]) -> dict[str, list[MemberEstimate]]:
        """Local members share the processor and each other's encoding: they run in turn, remote ones beside them."""
        remote = [member for member in self.members if member.is_remote]
        with ThreadPoolExecutor(max_workers=max(1, len(remote))) as pool:
            waiting = {member.name: pool.submit(member.estimate, descriptions) for member in remote}
            answers = {member.name: member.estimate(descriptions) for member in self.members if not member.is_remote}
            answers |= {name: future.result() for name, future in waiting.items()}
        return {member.name: answers[member.name] for member in self.members}
