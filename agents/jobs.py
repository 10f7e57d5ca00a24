"""The jobs of a hunt as plain functions over a share of it: one machine runs them in process, several from a queue.

In process the share is the whole hunt and one job follows the other (see ``agents.planning``). On a queue (see
``agents.sharing``) a share is one host's feeds or some entries. Either way each item is recorded in a transaction of
its own, and what is recorded already is left out: a job may be run again, by anyone, at any time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agents.assemble import Hound
    from agents.workflow import Workflow

Job = Callable[["Workflow"], None]


def poll(share: Workflow) -> None:
    """Poll the share's feeds and store what is new."""
    share.timed("poll", share.poll)


def read(share: Workflow) -> None:
    """Read the share's pending entries into deals."""
    share.timed("scan", share.read)


def appraise(share: Workflow) -> None:
    """Value, judge and record the share's deals, and put what is to be sent into the outbox."""
    share.timed("estimate", lambda: share.appraise(share.pending_deals()))
    share.timed("judge", share.record_all)


def deliver(hound: Hound) -> None:
    """Send what the outbox holds and is due."""
    hound.deliver()


def upkeep(hound: Hound) -> None:
    """Forget what is long past."""
    hound.upkeep()


def watch(hound: Hound) -> None:
    """Tell the owner of trouble with the daemon itself, and of its end."""
    hound.watch.look()


def recheck(hound: Hound) -> None:
    """See whether recent opportunities are over."""
    hound.recheck()
