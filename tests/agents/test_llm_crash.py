"""No call is made twice: not in a second hunt, not after kill -9 in the middle of the first."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from framework.memory.store import Store
from tests.agents.llm_crash_worker import read
from tests.fakes.openai_server import Body, Reply, answering, gives
from tests.framework.memory_examples import fresh_url

_TITLE = re.compile(r"number (\d)")


def claims(body: Body) -> Reply:
    count = len(_TITLE.findall(body["messages"][1]["content"]))
    record = {
        "kind": "product",
        "product": "Lumo Lamp",
        "price": None,
        "arithmetic": "",
        "list_price": None,
        "quantity": 1,
        "condition": None,
    }
    return gives({"deals": [record | {"item": n} for n in range(1, count + 1)]})


def test_what_was_paid_for_before_a_kill_is_never_asked_again(tmp_path: Path) -> None:
    database, victim = fresh_url(tmp_path), []

    def kills_at_the_third(body: Body) -> Reply:
        if len(server.requests) == 3 and victim:
            os.kill(victim.pop().pid, signal.SIGKILL)
            return Reply(status=500)
        return claims(body)

    with answering(kills_at_the_third) as server:
        worker = [sys.executable, "-m", "tests.agents.llm_crash_worker", database, server.url]
        victim.append(subprocess.Popen(worker, cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL))
        process = victim[0]
        assert process.wait(90) == -signal.SIGKILL
        second = read(database, server.url)
        third = read(database, server.url)
    asked = [_TITLE.findall(body["messages"][1]["content"]) for body in server.requests]
    assert asked == [["0", "1"], ["2", "3"], ["4", "5"], ["4", "5"], ["6", "7"]]
    assert (second.last.cached, second.last.calls) == (4, 2)
    assert (third.last.cached, third.last.calls) == (8, 0)
    with Store.open(database) as store:
        assert store.usage_since(datetime(2020, 1, 1, tzinfo=UTC)).calls == 4
