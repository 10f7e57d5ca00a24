"""Wait only so long for a call that cannot be interrupted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def call_within(seconds: float, call: Callable[[], T], name: str) -> T:
    """Run ``call`` in a daemon thread called ``name`` and wait at most ``seconds``.

    Raises ``TimeoutError`` when the time is over (the thread is left behind: Python cannot stop it, and being a daemon
    it does not keep the process alive), else what the call raised.
    """
    outcome: list[T] = []
    fault: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(call())
        except BaseException as error:  # noqa: BLE001 - handed to the waiting thread, which raises it
            fault.append(error)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    thread.join(seconds)
    if fault:
        raise fault[0]
    if not outcome:
        raise TimeoutError(f"no answer within {seconds:g} s")
    return outcome[0]
