"""The random forest agent: a forest over embeddings."""

from __future__ import annotations

from agents.member import MemberAgent


class RandomForestAgent(MemberAgent):
    """Prices by a random forest trained on embeddings of known products."""

    name = "random_forest"
