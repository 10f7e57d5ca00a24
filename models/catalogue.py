"""The catalogue: products with known prices, embedded in Chroma. With ``chroma_server`` the one owner of chromadb.

Chroma is only ever given vectors that our encoder made (``embedding_function=None``): its own default would download
a model. The default search breadth loses neighbours, so ours is wider (see ``_HNSW``).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import structlog
from pydantic import Field

from framework.deals import Similar, Value
from framework.errors import CatalogueUnavailable
from models.chroma_server import connect, without_login
from models.encoder import Vectors
from models.text import clean

log = structlog.get_logger("catalogue")

COLLECTION = "products"
BATCH = 1_000
QUERIES = 16  # at once: the texts of all their neighbours are in memory together
SERVER_SECONDS = 60.0
PAGE = 5_000  # Chroma binds one SQL variable per row it returns and fails beyond some tens of thousands
_HNSW = {"space": "cosine", "ef_search": 200, "ef_construction": 200, "max_neighbors": 24}
_T = TypeVar("_T")


class Embeds(Protocol):
    """Turns texts into unit vectors, and names itself (``models.encoder.Encoder``)."""

    @property
    def digest(self) -> str:
        """What tells its vectors from another one's."""
        ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One unit vector per text."""
        ...


class CatalogueItem(Value):
    """A product with a known price in US dollars; ``as_of`` is the year of the price, 0 where unknown."""

    id: str = Field(min_length=1, max_length=200)
    description: str = Field(min_length=1)
    price: float = Field(gt=0, le=1e9, allow_inf_nan=False)
    category: str = ""
    brand: str = ""
    currency: str = "USD"
    as_of: int = 0


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A catalogue item near to a query: its facts and the cosine of the two vectors."""

    id: str
    description: str
    category: str
    price: float
    as_of: int
    similarity: float

    def as_similar(self) -> Similar:
        """The part that travels with an estimate."""
        return Similar.model_validate(
            {"description": self.description, "price": round(self.price, 2), "similarity": self.similarity}
        )


@dataclass(frozen=True, slots=True)
class CatalogueInfo:
    """Where the catalogue is and how many products it holds."""

    location: str
    count: int
    shipped: int


class Catalogue:
    """Products with prices in a Chroma folder (``path``) or on a Chroma server (``url``). Safe to call from threads.

    Opened at first use. With ``shipped`` (see ``models.shipped``) a fresh or outdated catalogue first receives the
    products that come with the release. Every method raises ``CatalogueUnavailable`` when Chroma fails.
    """

    def __init__(
        self,
        encoder: Embeds,
        *,
        path: Path | None = None,
        url: str | None = None,
        shipped: Callable[[], ShippedCatalogue] | None = None,
        timeout: float = SERVER_SECONDS,
    ) -> None:
        """``timeout``: seconds that a server may take for one answer."""
        if (path is None) == (url is None):
            raise ValueError("Give the catalogue either a folder or the URL of a Chroma server")
        self._encoder = encoder
        self._path = path
        self._url = url
        self._shipped = shipped
        self._timeout = timeout
        self._chroma: Any = None
        self._opened: Any = None
        self._lock = threading.RLock()

    @property
    def location(self) -> str:
        """Folder or server, without credentials."""
        if self._url is None:
            return str(self._path)
        return without_login(self._url)

    def add(
        self, items: Iterable[CatalogueItem], *, source: str = "added", progress: Callable[[int], None] | None = None
    ) -> int:
        """Insert or update by id; rows that are already there unchanged cost a look-up only.

        Returns the number of rows written. ``progress`` hears how many items were seen so far.
        """
        written = seen = 0
        stream = iter(items)
        while batch := list(islice(stream, BATCH)):
            new = self._changed(batch)
            if new:
                vectors = self._encoder.encode([clean(item.description) for item in new])
                self._write(self._collection(), new, vectors, source)
            seen += len(batch)
            written += len(new)
            if progress is not None:
                progress(seen)
        return written

    def query(self, vectors: Vectors, k: int) -> list[list[Neighbour]]:
        """The ``k`` nearest items of each vector, nearest first; fewer when the catalogue is smaller, [] when empty."""
        if len(vectors) == 0:
            return []
        collection = self._collection()
        size = min(k, self._call(collection.count))
        if size < 1:
            return [[] for _ in vectors]
        wanted = ["metadatas", "documents", "distances"]
        rows: list[list[Neighbour]] = []
        for start in range(0, len(vectors), QUERIES):
            asked = np.asarray(vectors[start : start + QUERIES], np.float32)
            found = self._call(partial(collection.query, query_embeddings=asked, n_results=size, include=wanted))
            columns = zip(found["ids"], found["documents"], found["metadatas"], found["distances"], strict=True)
            rows.extend([_neighbour(*row) for row in zip(*column, strict=True)] for column in columns)
        return rows

    def items(self, limit: int = PAGE, offset: int = 0) -> list[tuple[CatalogueItem, Vectors]]:
        """One page of items with their vectors, in order of insertion; [] past the end."""
        collection = self._collection()
        page = self._call(
            lambda: collection.get(
                limit=min(limit, PAGE), offset=offset, include=["metadatas", "documents", "embeddings"]
            )
        )
        rows = zip(page["ids"], page["documents"], page["metadatas"], page["embeddings"], strict=True)
        return [(_item(*row[:3]), np.asarray(row[3], np.float32)) for row in rows]

    def count(self) -> int:
        """Number of products."""
        return int(self._call(self._collection().count))

    def info(self) -> CatalogueInfo:
        """Where it is and what it holds."""
        collection = self._collection()
        shipped = (collection.metadata or {}).get("shipped_count", 0)
        return CatalogueInfo(self.location, self.count(), int(shipped))

    def version(self) -> str:
        """Chroma's version: on a server, a way to see whether it answers without changing anything."""
        return str(self._call(lambda: self._client().get_version()))

    def _changed(self, batch: list[CatalogueItem]) -> list[CatalogueItem]:
        """The items that are new or differ from their row; of one id given twice the last counts."""
        by_id = {item.id: item for item in batch}
        collection = self._collection()
        rows = self._call(lambda: collection.get(ids=list(by_id), include=["metadatas"]))
        known = {id_: row.get("hash") for id_, row in zip(rows["ids"], rows["metadatas"], strict=True)}
        return [item for item in by_id.values() if known.get(item.id) != _digest(item)]

    def _write(self, collection: Any, items: Sequence[CatalogueItem], vectors: Vectors, source: str) -> None:
        self._call(
            lambda: collection.upsert(
                ids=[item.id for item in items],
                embeddings=vectors,
                documents=[clean(item.description) for item in items],
                metadatas=[_metadata(item, source) for item in items],
            )
        )

    def _collection(self) -> Any:
        with self._lock:
            collection = self._opened
            if collection is None:
                collection = self._call(self._open)
                self._renew_vectors(collection)
                if self._shipped is not None:
                    self._receive_shipped(collection, self._shipped())
                self._opened = collection
            return collection

    def clear(self) -> None:
        """Remove every product, the owner's too; the shipped ones come back at the next use."""
        with self._lock:
            self._call(lambda: self._client().delete_collection(COLLECTION))
            self._opened = None

    def _open(self) -> Any:
        return self._client().get_or_create_collection(
            COLLECTION, embedding_function=None, configuration={"hnsw": _HNSW}
        )

    def _renew_vectors(self, collection: Any) -> None:
        """Encode all products again where another encoder made their vectors; once, in place, page by page."""
        known = collection.metadata or {}
        if known.get("encoder") == self._encoder.digest:
            return
        count = self._call(collection.count)
        if count:
            log.warning("catalogue_renewing_vectors", products=count, reason="the encoder is another one")
        for offset in range(0, count, BATCH):
            page = self._call(partial(collection.get, limit=BATCH, offset=offset, include=["documents"]))
            vectors = self._encoder.encode([document or "" for document in page["documents"]])
            self._call(partial(collection.update, ids=page["ids"], embeddings=vectors))
        self._mark(collection, encoder=self._encoder.digest)

    def _mark(self, collection: Any, **marks: str | int) -> None:
        """Add to what the collection says of itself (Chroma replaces the whole)."""
        self._call(partial(collection.modify, metadata={**(collection.metadata or {}), **marks}))

    def _client(self) -> Any:
        """Chroma, opened once."""
        if self._chroma is None:
            self._chroma = self._folder() if self._url is None else connect(self._url, self._timeout)
        return self._chroma

    def _folder(self) -> Any:
        import chromadb
        from chromadb.config import Settings

        folder = self._path or Path()
        folder.mkdir(parents=True, exist_ok=True)
        return chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))

    def _receive_shipped(self, collection: Any, shipped: ShippedCatalogue) -> None:
        """Bring the release's products up to date, once per release; what the owner added stays.

        Several processes may do so at the same time on one server, and any may die: each first writes what is new
        and only then removes what is old, so that in the end all are there, once.
        """
        known = collection.metadata or {}
        if known.get("shipped") == shipped.digest or not shipped.items:
            return
        vectors = shipped.vectors
        if vectors is None:
            vectors = self._encoder.encode([item.description for item in shipped.items])
        self._write(collection, shipped.items, vectors, "shipped")
        if known.get("shipped"):
            self._remove_shipped(collection, keep={item.id for item in shipped.items})
        self._mark(collection, shipped=shipped.digest, shipped_count=len(shipped.items))
        log.info("catalogue_received_shipped", products=len(shipped.items), where=self.location)

    def _remove_shipped(self, collection: Any, keep: set[str]) -> None:
        rows = self._call(lambda: collection.get(where={"source": "shipped"}, include=[]))
        old = [id_ for id_ in rows["ids"] if id_ not in keep]
        if old:
            self._call(lambda: collection.delete(ids=old))

    def _call(self, action: Callable[[], _T]) -> _T:
        try:
            return action()
        except Exception as error:
            # Chroma raises its own errors, httpx's, sqlite's and the Rust core's; none tells the owner what to do.
            self._opened = None  # opened anew at the next use: a server may have come back without its data
            reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            raise CatalogueUnavailable(self.location, f"The catalogue does not answer: {reason}") from error


@dataclass(frozen=True, slots=True)
class ShippedCatalogue:
    """The release's products: a digest of their file, the items, and their vectors where these were shipped too."""

    digest: str
    items: Sequence[CatalogueItem]
    vectors: Vectors | None


def pages(catalogue: Catalogue) -> Iterator[list[tuple[CatalogueItem, Vectors]]]:
    """All items of a catalogue, page by page."""
    offset = 0
    while page := catalogue.items(PAGE, offset):
        yield page
        offset += len(page)


def _digest(item: CatalogueItem) -> str:
    return blake2b(item.model_dump_json().encode("utf-8", "replace"), digest_size=8).hexdigest()


def _metadata(item: CatalogueItem, source: str) -> dict[str, str | float | int]:
    return {
        "price": item.price,
        "category": item.category,
        "brand": item.brand,
        "currency": item.currency,
        "as_of": item.as_of,
        "source": source,
        "hash": _digest(item),
    }


def _item(id_: str, document: str | None, row: dict[str, Any]) -> CatalogueItem:
    facts = {name: row[name] for name in ("price", "category", "brand", "currency", "as_of") if name in row}
    return CatalogueItem(id=id_, description=document or id_, **facts)


def _neighbour(id_: str, document: str | None, row: dict[str, Any], distance: float) -> Neighbour:
    similarity = max(-1.0, min(1.0, 1.0 - float(distance)))
    category, as_of = str(row.get("category", "")), int(row.get("as_of", 0))
    return Neighbour(id_, document or "", category, float(row["price"]), as_of, similarity)
