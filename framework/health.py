"""What works, what is degraded and how to mend it: the words of doctor, dashboard and health endpoint."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from framework.deals import Value


class CheckStatus(StrEnum):
    """How one part is doing, from best to worst."""

    OK = "ok"
    DEGRADED = "degraded"  # it works, but not in full; ``fix`` says how to get the rest
    FAILED = "failed"


class Check(Value):
    """One part looked at: its name, how it is doing, what was seen, and what the owner can do about it."""

    name: str
    status: CheckStatus
    detail: str = ""
    fix: str = ""


def ok(name: str, detail: str) -> Check:
    """A part that is well."""
    return Check(name=name, status=CheckStatus.OK, detail=detail)


def degraded(name: str, detail: str, fix: str) -> Check:
    """A part that works, but not in full."""
    return Check(name=name, status=CheckStatus.DEGRADED, detail=detail, fix=fix)


def failed(name: str, detail: str, fix: str) -> Check:
    """A part that does not work."""
    return Check(name=name, status=CheckStatus.FAILED, detail=detail, fix=fix)


def worst(checks: Iterable[Check]) -> CheckStatus:
    """The status of the whole: that of its worst part, ``OK`` when there is none."""
    ranks = list(CheckStatus)
    return max((check.status for check in checks), key=ranks.index, default=CheckStatus.OK)
