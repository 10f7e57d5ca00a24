"""The products that come with the release: ``artifacts/catalogue.jsonl`` and their vectors.

The vectors are an artifact of their own (half precision), so that a fresh home answers within seconds. When the
catalogue's file has changed since they were made, they are left aside and the encoder does the work at first use.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import structlog
from pydantic import ValidationError

from framework.errors import ArtifactError
from models.artifact import SHIPPED, Manifest, read_artifact, read_manifest, write_artifact
from models.catalogue import CatalogueItem, ShippedCatalogue
from models.encoder import Encoder, Vectors

log = structlog.get_logger("catalogue")

FILE = "catalogue.jsonl"
VECTORS = "catalogue_vectors"


def load_shipped(folder: Path = SHIPPED) -> ShippedCatalogue:
    """The release's products.

    Raises ``ArtifactError`` when the file is missing or a line of it is no product.
    """
    content = _content(folder)
    digest = hashlib.sha256(content).hexdigest()
    return ShippedCatalogue(digest, _items(content, folder / FILE), _vectors(folder, digest))


def embed_shipped(encoder: Encoder, folder: Path = SHIPPED) -> Manifest:
    """Write the vectors of the release's products (a step of making a release)."""
    content = _content(folder)
    vectors = encoder.encode([item.description for item in _items(content, folder / FILE)])
    buffer = io.BytesIO()
    np.save(buffer, vectors.astype(np.float16), allow_pickle=False)
    encoder_hash = read_manifest("encoder", folder).sha256
    return write_artifact(
        VECTORS,
        buffer.getvalue(),
        suffix=".npy",
        folder=folder,
        source=f"{FILE} through the encoder",
        data_sha256=hashlib.sha256(content).hexdigest(),
        settings={"encoder_sha256": encoder_hash},
    )


def _content(folder: Path) -> bytes:
    try:
        return (folder / FILE).read_bytes()
    except OSError as error:
        raise ArtifactError(str(folder / FILE), f"The shipped catalogue cannot be read: {error.strerror}") from error


def _items(content: bytes, path: Path) -> list[CatalogueItem]:
    try:
        return [CatalogueItem.model_validate_json(line) for line in content.splitlines() if line.strip()]
    except ValidationError as error:
        raise ArtifactError(str(path), "A line of the shipped catalogue is no product; restore the file") from error


def _vectors(folder: Path, digest: str) -> Vectors | None:
    """The shipped vectors if they were made from this very file by this very encoder."""
    try:
        manifest = read_manifest(VECTORS, folder)
        encoder_hash = read_manifest("encoder", folder).sha256
        if manifest.data_sha256 != digest or manifest.settings.get("encoder_sha256") != encoder_hash:
            log.warning("catalogue_vectors_outdated", fix="./dealhound train catalogue")
            return None
        content, _ = read_artifact(VECTORS, folder)
    except ArtifactError as error:
        log.warning("catalogue_vectors_unusable", reason=str(error))
        return None
    return np.load(io.BytesIO(content), allow_pickle=False).astype(np.float32)  # type: ignore[no-any-return]
