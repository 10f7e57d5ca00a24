"""Hunts, and what language models cost in them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, insert, select, update

from framework.memory.base import Repository, put
from framework.memory.records import HuntRecord, Usage
from framework.memory.state import HUNT_TOTALS, add_up
from framework.memory.tables import hunts, llm_cache, llm_usage, state

_LLM_TOTALS = "llm.totals"


class Hunts(Repository):
    """Runs of the pipeline, LLM usage and the LLM reply cache."""

    def start_hunt(self, hunt_id: str | None = None) -> str:
        """Note that a hunt began; returns its id (a new one unless given)."""
        hunt_id = hunt_id or uuid.uuid4().hex[:12]
        row = {"id": hunt_id, "started": self._clock(), "finished": None, "counts": {}, "error": None}
        with self._database.write() as connection:
            put(connection, hunts, "id", row)
        return hunt_id

    def finish_hunt(self, hunt_id: str, counts: Mapping[str, int] | None = None, error: str | None = None) -> None:
        """Note that a hunt ended, with its counts, and the reason when it ended early."""
        values: dict[str, Any] = {"finished": self._clock(), "counts": dict(counts or {}), "error": error}
        with self._database.write() as connection:
            connection.execute(update(hunts).where(hunts.c.id == hunt_id).values(**values))
            add_up(connection, HUNT_TOTALS, values["counts"], self._clock())

    def add_to_hunt(self, hunt_id: str, counts: Mapping[str, int], error: str | None = None) -> None:
        """Add the figures of one share to its hunt, which is finished as of now."""
        now = self._clock()
        this = hunts.c.id == hunt_id
        with self._database.write() as connection:
            row = connection.execute(select(hunts.c.counts, hunts.c.error).where(this).with_for_update()).first()
            if row is None:
                return
            added = {name: row.counts.get(name, 0) + counts.get(name, 0) for name in {**row.counts, **counts}}
            values = {"counts": added, "finished": now, "error": error or row.error}
            connection.execute(update(hunts).where(this).values(**values))
            add_up(connection, HUNT_TOTALS, counts, now)

    def hunt_totals(self) -> dict[str, int]:
        """The counts of all hunts ever, added up."""
        with self._database.read() as connection:
            return dict(connection.execute(select(state.c.value).where(state.c.key == HUNT_TOTALS)).scalar() or {})

    def hunts(self, limit: int = 50) -> list[HuntRecord]:
        """The last hunts, newest first."""
        with self._database.read() as connection:
            rows = connection.execute(select(hunts).order_by(hunts.c.started.desc(), hunts.c.id).limit(limit))
            return [HuntRecord(**row) for row in rows.mappings()]

    def add_usage(
        self,
        model: str,
        tokens_in: int,
        tokens_out: int,
        usd: Decimal | float = 0,
        *,
        purpose: str = "",
        hunt_id: str | None = None,
    ) -> None:
        """Note what one call of a language model took."""
        row: dict[str, Any] = {
            "at": self._clock(),
            "hunt_id": hunt_id,
            "model": model,
            "purpose": purpose,
            "tokens_in": tokens_in,
            "tokens_out": tokens_out,
            "usd": float(usd),
        }
        with self._database.write() as connection:
            connection.execute(insert(llm_usage).values(**row))
            used = {"calls": 1, "tokens_in": tokens_in, "tokens_out": tokens_out, "micro_usd": round(row["usd"] * 1e6)}
            add_up(connection, _LLM_TOTALS, used, row["at"])

    def usage_totals(self) -> dict[str, int]:
        """All usage ever, that which was forgotten since included: calls, tokens_in, tokens_out, micro_usd."""
        with self._database.read() as connection:
            return dict(connection.execute(select(state.c.value).where(state.c.key == _LLM_TOTALS)).scalar() or {})

    def usage_since(self, since: datetime, *, model: str | None = None, hunt_id: str | None = None) -> Usage:
        """What language models took since a moment, of one model or one hunt where given."""
        query = select(
            func.count(),
            func.coalesce(func.sum(llm_usage.c.tokens_in), 0),
            func.coalesce(func.sum(llm_usage.c.tokens_out), 0),
            func.coalesce(func.sum(llm_usage.c.usd), 0.0),
        ).where(llm_usage.c.at >= since)
        if model is not None:
            query = query.where(llm_usage.c.model == model)
        if hunt_id is not None:
            query = query.where(llm_usage.c.hunt_id == hunt_id)
        with self._database.read() as connection:
            calls, tokens_in, tokens_out, usd = connection.execute(query).one()
        return Usage(
            calls=calls, tokens_in=tokens_in, tokens_out=tokens_out, usd=Decimal(str(usd)).quantize(Decimal("1e-8"))
        )

    def cached_reply(self, key: str) -> str | None:
        """The reply stored under a content hash, ``None`` when there is none."""
        with self._database.read() as connection:
            return connection.execute(select(llm_cache.c.reply).where(llm_cache.c.key == key)).scalar()

    def store_reply(self, key: str, reply: str, *, model: str) -> None:
        """Keep a reply under a content hash."""
        row = {"key": key, "model": model, "reply": reply, "created": self._clock()}
        with self._database.write() as connection:
            put(connection, llm_cache, "key", row)
