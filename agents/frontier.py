"""The frontier agent: reasons over the nearest products of the catalogue."""

from __future__ import annotations

from agents.member import MemberAgent


class FrontierAgent(MemberAgent):
    """Retrieves comparables from the catalogue and prices by them: with a language model where one is set up, else by
    the neighbours' prices alone, which its estimates then say."""

    name = "frontier"
