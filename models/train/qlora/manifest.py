"""What ``dealhound.json`` beside an adapter says of it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from framework.errors import ArtifactError

MANIFEST = "dealhound.json"


class AdapterManifest(BaseModel):
    """A fine-tuned adapter: what it stands on, how it was made, and how well it did."""

    model_config = ConfigDict(frozen=True)

    base: str  # folder or hub name of the base model
    created: date
    data_sha256: str
    products: int  # trained on
    max_tokens: int = Field(ge=1)  # of a description: pricing cuts at the same place as training did
    settings: dict[str, Any] = Field(default_factory=dict)
    metrics: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write it into the adapter's folder."""
        (folder / MANIFEST).write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> AdapterManifest:
        """The manifest in the adapter's folder. Raises ``ArtifactError`` when it is missing or damaged."""
        path = folder / MANIFEST
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            fix = "There is no fine-tuned adapter; run ./dealhound train specialist --method qlora"
            raise ArtifactError(str(path), fix) from error
        except ValidationError as error:
            raise ArtifactError(str(path), "The adapter's manifest is damaged; restore it or train again") from error
