"""The daily digest: what was not urgent, in one message at a set hour, also when there was nothing."""

from __future__ import annotations

from collections.abc import Sequence

from agents.messaging.base import Message
from agents.messaging.limits import plain, shorten
from framework.deals import Opportunity
from framework.memory.base import Clock, utc_now
from framework.memory.store import Store
from framework.outbox import LOCAL_CHANNELS, Plan, latest_at, priority_of

_TEXT_CHARS = 950  # below every channel's limit, with room for the last line
_LINE_CHARS = 120


class DigestWriter:
    """Puts one digest per channel and day into the outbox, in place of the messages that waited for it."""

    def __init__(self, store: Store, channels: Sequence[str], plan: Plan, *, clock: Clock = utc_now) -> None:
        self._store, self._plan, self._clock = store, plan, clock
        self._channels = [channel for channel in channels if channel not in LOCAL_CHANNELS]

    def write_due(self) -> int:
        """Write the digests whose hour has come; returns how many. The first hour after the set-up only begins."""
        if self._plan.digest_at is None:
            return 0
        slot = latest_at(self._clock(), self._plan.digest_at, self._plan.zone).isoformat()
        return sum(self._write(channel, slot) for channel in self._channels)

    def _write(self, channel: str, slot: str) -> bool:
        mark = f"digest.{channel}"
        last = self._store.get_state(mark)
        if last == slot:
            return False
        if last is None:
            self._store.set_state(mark, slot)
            return False
        waiting = {
            notification.id: notification.opportunity
            for notification in self._store.waiting_opportunities(channel)
            if notification.opportunity is not None and priority_of(notification.opportunity) <= 0
        }
        message = digest_message(list(waiting.values())).model_dump(mode="json")
        self._store.fold(channel, f"digest:{slot}", list(waiting), message, mark=(mark, slot))
        return True


def digest_message(opportunities: Sequence[Opportunity]) -> Message:
    """All of them by probability, as many lines as fit; the link is the likeliest one's."""
    if not opportunities:
        return Message(
            title="No bargains today", text="Dealhound hunted and found nothing worth your time.", priority=-1
        )
    ranked = sorted(opportunities, key=lambda opportunity: -opportunity.judgement.probability)
    lines: list[str] = []
    for opportunity in ranked:
        line = _line(opportunity)
        if sum(map(len, lines)) + len(lines) + len(line) > _TEXT_CHARS:
            break
        lines.append(line)
    if len(lines) < len(ranked):
        lines.append(f"and {len(ranked) - len(lines)} more on the dashboard")
    count = len(ranked)
    return Message(
        title="1 bargain today" if count == 1 else f"{count} bargains today",
        text="\n".join(lines),
        url=ranked[0].deal.url,
        url_title="Open the first one",
    )


def _line(opportunity: Opportunity) -> str:
    deal, judgement = opportunity.deal, opportunity.judgement
    return f"{deal.price} (-{judgement.discount_pct:.0f}%) {shorten(plain(deal.title), _LINE_CHARS)}"
