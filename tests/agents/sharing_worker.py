"""One daemon of several, for the sharing tests: the real queue, memory, reader and sender; the models are stood in for.

``HANG_AFTER=N`` in the environment: its N+1st batch of deals is never done, as if the process were stuck.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from agents.assemble import Hound
from agents.sharing.daemon import SharedDaemon
from agents.sharing.tasks import Pace
from framework.deals import Deal, Judgement, Valuation, Verdict
from framework.hunt import JudgedOffer
from framework.log import configure_logging
from framework.settings import load_settings

FAST = Pace(look=1, outbox=1, take_over=1, snapshot=1, heartbeat=0.5, dead_after=6.0)


class TwiceThePrice:
    """Every deal is worth twice its price."""

    def __init__(self, hang_after: int | None) -> None:
        self._left = hang_after

    def appraise(self, deals: Sequence[Deal]) -> list[JudgedOffer | str]:
        if self._left == 0:
            print("HANGS", flush=True)
            time.sleep(600)
        if self._left is not None:
            self._left -= 1
        return [self._offer(deal) for deal in deals]

    def _offer(self, deal: Deal) -> JudgedOffer:
        price = float(deal.price.amount)
        worth = (price, 2 * price, 3 * price)
        valuation = Valuation(value=worth[1], low=worth[0], high=worth[2], quantiles=worth)
        judgement = Judgement(
            verdict=Verdict.OPPORTUNITY, discount=price, discount_pct=50, probability=0.9, reason="half price"
        )
        return JudgedOffer(deal=deal, valuation=valuation, judgement=judgement)


class TestHound(Hound):
    @cached_property
    def appraiser(self) -> Any:
        hang_after = os.environ.get("HANG_AFTER")
        return TwiceThePrice(int(hang_after) if hang_after else None)


def main() -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    settings = load_settings()
    configure_logging("info", secrets=settings.secrets())
    with TestHound(settings) as hound:
        daemon = SharedDaemon(hound, FAST)
        daemon.start()
        print("STARTED", flush=True)
        stop.wait()
        raise SystemExit(0 if daemon.stop() else 3)


if __name__ == "__main__":
    main()
