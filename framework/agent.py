"""The base of all agents: a name, and a logger that speaks under it."""

from __future__ import annotations

from typing import ClassVar

import structlog


class Agent:
    """An actor of the hunt. Agents take their collaborators in the constructor and hold no global state."""

    name: ClassVar[str] = "agent"

    def __init__(self) -> None:
        self.log: structlog.stdlib.BoundLogger = structlog.get_logger("dealhound").bind(agent=self.name)
