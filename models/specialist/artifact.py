"""The specialist's artifact: an ONNX graph over the encoder's states, and what its inputs are made by."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from framework.errors import ArtifactError
from models.artifact import read_artifact

NAME = "specialist"
FILE = f"{NAME}.onnx"


class InputSettings(BaseModel):
    """What the graph expects, from its manifest's settings."""

    model_config = ConfigDict(frozen=True)

    encoder_sha256: str  # of the encoder whose states it was trained on
    table: int = Field(ge=2)  # rows of the table of hashed features, a power of two
    linear_share: float = Field(ge=0, le=1)  # of the ridge regression in the log price


def load_specialist(folder: Path, encoder: str) -> tuple[InputSettings, bytes]:
    """The verified graph and its settings; ``encoder`` is the SHA-256 of the encoder that is at work.

    Raises ``ArtifactError`` when the artifact is missing, changed, or was trained on the states of another encoder.
    """
    content, manifest = read_artifact(NAME, folder)
    try:
        settings = InputSettings.model_validate(manifest.settings)
    except ValidationError as error:
        raise ArtifactError(
            manifest.file, "The specialist is of an older release; run ./dealhound train specialist"
        ) from error
    if settings.encoder_sha256 != encoder:
        raise ArtifactError(
            manifest.file, "The specialist was trained with another encoder; run ./dealhound train specialist"
        )
    return settings, content
