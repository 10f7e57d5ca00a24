"""The whole daemon, again and again, for ``crash.py``: one process imports, and forks a daemon for each line it reads.

Importing takes longer than a victim lives. The child runs what ``./dealhound run`` runs, ``scheduler.main``, with the
settings of the environment; nothing but modules is loaded before the fork.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable

_USED = (
    "agents.assemble",
    "agents.jobs",
    "agents.messaging.apprise",
    "agents.messaging.pushover_session",
    "alembic.command",
    "apscheduler.schedulers.background",
    "chromadb",
    "dashboard",
    "framework.web.server",
    "gradio",
    "onnxruntime",
    "pushover_complete",
    "scheduler",
)


def fork_when_asked(modules: tuple[str, ...], victim: Callable[[], None]) -> None:
    """Import, then for each line of the input fork a ``victim``, print its pid and wait for its end."""
    for name in modules:
        importlib.import_module(name)
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # log lines are not for the driver
            victim()
        print(pid, flush=True)
        os.waitpid(pid, 0)


def main() -> None:
    """One daemon, until it is killed or told to stop."""
    import scheduler

    os._exit(scheduler.main())


if __name__ == "__main__":
    fork_when_asked(_USED, main)
