"""Artifacts: model files that are shipped or trained, each beside a manifest that says what it is.

An artifact called ``forest`` is ``forest.json`` (the manifest) and the file that the manifest names (``forest.onnx``).
The file is used only when its SHA-256 is the manifest's, and is ONNX, JSON, safetensors or plain numbers, never a
pickle: loading a model cannot run code.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from framework.errors import ArtifactError

SHIPPED = Path(__file__).parent / "artifacts"


class Manifest(BaseModel):
    """What an artifact is, where it comes from and how well it did when it was made."""

    model_config = ConfigDict(frozen=True)

    name: str
    file: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int
    created: date
    source: str = ""  # what it was made from, in words
    data_sha256: str | None = None  # of the training data's file
    metrics: dict[str, Any] = Field(default_factory=dict)
    settings: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)


def read_manifest(name: str, folder: Path = SHIPPED) -> Manifest:
    """The manifest of artifact ``name``.

    Raises ``ArtifactError`` when it is missing or no manifest.
    """
    path = folder / f"{name}.json"
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ArtifactError(str(path), f"The manifest cannot be read: {error.strerror}; restore it or train") from error
    except ValidationError as error:
        raise ArtifactError(str(path), "The manifest is not valid JSON of the expected fields; restore it") from error


def read_artifact(name: str, folder: Path = SHIPPED) -> tuple[bytes, Manifest]:
    """The verified bytes of artifact ``name`` and its manifest.

    Raises ``ArtifactError`` when a file is missing or the hash is not the manifest's.
    """
    manifest = read_manifest(name, folder)
    path = folder / Path(manifest.file).name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArtifactError(str(path), f"The artifact cannot be read: {error.strerror}; restore it or train") from error
    if hashlib.sha256(content).hexdigest() != manifest.sha256:
        raise ArtifactError(str(path), "The artifact is not the one its manifest names; restore both or train again")
    return content, manifest


def write_artifact(
    name: str,
    content: bytes,
    *,
    suffix: str,
    folder: Path = SHIPPED,
    source: str = "",
    data_sha256: str | None = None,
    metrics: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    libraries: tuple[str, ...] = (),
) -> Manifest:
    """Write the file ``name + suffix``, then its manifest, each by replacement so that no reader sees half a file."""
    manifest = Manifest(
        name=name,
        file=f"{name}{suffix}",
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        created=datetime.now(UTC).date(),
        source=source,
        data_sha256=data_sha256,
        metrics=dict(metrics or {}),
        settings=dict(settings or {}),
        versions=_versions(libraries),
    )
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / manifest.file, content)
    _replace(folder / f"{name}.json", (manifest.model_dump_json(indent=2) + "\n").encode())
    return manifest


def as_json(value: object) -> bytes:
    """``value`` as stable JSON bytes for an artifact."""
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.replace(path)


def _versions(libraries: tuple[str, ...]) -> dict[str, str]:
    from importlib.metadata import version

    return {"python": platform.python_version(), **{library: version(library) for library in libraries}}
