"""The specialist agent: the model fine-tuned to say what a product is worth."""

from __future__ import annotations

from agents.member import MemberAgent


class SpecialistAgent(MemberAgent):
    """Asks the specialist model that the settings choose: bundled, on Modal, or a GGUF file."""

    name = "specialist"
