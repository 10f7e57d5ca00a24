"""The kinds of specialist, built from the settings: bundled, on Modal, or a GGUF file. They are interchangeable."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from agents.specialist import SpecialistAgent
from framework.settings import Settings
from models.base import Estimator, Named

if TYPE_CHECKING:
    from models.specialist.remote import ModalSpecialist

BESIDE = "specialist ({kind})"  # the name of one that is compared with the one in use


class Specialists:
    """Builds what is asked for. ``bundled`` builds the bundled one; ``own`` is the folder of the owner's models."""

    def __init__(self, settings: Settings, bundled: Callable[[], Estimator], own: Path) -> None:
        self._settings, self._bundled, self._own = settings, bundled, own
        self._open = ExitStack()

    @cached_property
    def agent(self) -> SpecialistAgent:
        """The agent over the one that the settings choose."""
        settings = self._settings
        if settings.specialist != "modal":
            return SpecialistAgent(self.build(settings.specialist))
        model = self._modal()
        return SpecialistAgent(model, deadline=settings.modal_deadline, slow_start=model)

    def build(self, kind: str) -> Estimator:
        """The estimator of one kind, by the name that the setting ``specialist`` has for it."""
        if kind == "modal":
            return self._modal()
        if kind == "llama_cpp":
            from models.specialist.llama_cpp import LlamaCppSpecialist

            gguf = LlamaCppSpecialist(self.gguf)
            self._open.callback(gguf.close)
            return gguf
        return self._bundled()

    def _modal(self) -> ModalSpecialist:
        from models.specialist.remote import ModalSpecialist, modal_connection

        return ModalSpecialist(modal_connection(self._settings.modal_app, self._settings.modal_token))

    def others(self) -> list[Estimator]:
        """Those that are set up and not chosen, each under a name of its own: to be compared with the one that is."""
        ready = {
            "bundled": True,
            "modal": self._settings.modal_token is not None,
            "llama_cpp": self.gguf.is_file() and importlib.util.find_spec("llama_cpp") is not None,
        }
        chosen = self._settings.specialist
        kinds = [kind for kind, is_ready in ready.items() if is_ready and kind != chosen]
        return [Named(BESIDE.format(kind=kind), self.build(kind)) for kind in kinds]

    @property
    def gguf(self) -> Path:
        """The GGUF file, made or yet to be made."""
        return self._settings.specialist_gguf or self._own / "specialist.gguf"

    @property
    def adapter(self) -> Path:
        """The folder of the owner's fine-tuned adapter, made or yet to be made."""
        return self._own / "specialist-adapter"

    def close(self) -> None:
        """Free the memory of the models that were loaded."""
        self._open.close()
