"""The specialist's artifact: an ONNX graph and the manifest that says what it is and proves that it is unchanged."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from framework.errors import ArtifactError

GRAPH = "specialist.onnx"
MANIFEST = "specialist.json"


class Manifest(BaseModel):
    """What ``specialist.json`` says of ``specialist.onnx``."""

    model_config = ConfigDict(frozen=True)

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")  # of the graph
    data_sha256: str  # of the products it was trained on
    created: str  # ISO date
    max_tokens: int = Field(ge=8, le=512)
    table: int = Field(ge=2)  # rows of the table of hashed features, a power of two
    linear_share: float = Field(ge=0, le=1)  # of the ridge regression in the log price
    settings: dict[str, Any] = Field(default_factory=dict)  # of the training
    metrics: dict[str, float] = Field(default_factory=dict)  # on the dev split, of the int8 graph
    versions: dict[str, str] = Field(default_factory=dict)  # of the libraries that made it


def load_artifact(folder: Path) -> tuple[Manifest, bytes]:
    """The manifest and the graph's bytes, the bytes being those that the manifest describes.

    Raises ``ArtifactError`` when either is missing or unreadable, or when the hash differs.
    """
    manifest_path, graph_path = folder / MANIFEST, folder / GRAPH
    try:
        manifest = Manifest.model_validate_json(manifest_path.read_bytes())
        content = graph_path.read_bytes()
    except OSError as error:
        raise ArtifactError(
            str(error.filename), "The specialist is missing; run ./dealhound train specialist"
        ) from error
    except ValidationError as error:
        raise ArtifactError(str(manifest_path), "The specialist's manifest is damaged; restore it") from error
    if hashlib.sha256(content).hexdigest() != manifest.sha256:
        raise ArtifactError(
            str(graph_path), "The specialist is not the file its manifest describes; restore or retrain it"
        )
    return manifest, content


def open_session(folder: Path, content: bytes, threads: int) -> Any:
    """An onnxruntime session over the graph; ``threads`` 0 means the processors this process may use.

    Raises ``ArtifactError`` when onnxruntime cannot read the graph.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or len(os.sched_getaffinity(0))
    options.inter_op_num_threads = 1
    # Batches differ in length, so arenas sized for the largest would stay: memory is given back instead.
    options.enable_mem_pattern = False
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no public base class
        raise ArtifactError(str(folder / GRAPH), "onnxruntime cannot read the specialist; retrain it") from error
