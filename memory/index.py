"""The vector index: numbered Chroma collections of ids and vectors; the ledger has the texts and says whose.

The store is a folder that this process alone uses, or a Chroma server that others may use as well.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from itertools import count
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final, TypeVar

import anyio
from anyio.to_thread import run_sync

from configs.errors import DataFolderUnwritable, EmbeddingMismatch, VectorIndexDamaged
from memory.blank_memory import blank_memory

if TYPE_CHECKING:
    from chromadb import Collection
    from chromadb.api.client import Client
    from chromadb.api.collection_configuration import CreateHNSWConfiguration

T = TypeVar("T")
Vector = Sequence[float]

BATCH: Final = 256
"""Vectors in one call; while one runs, searches wait for it."""

NEAR: Final = 0.1
"""Cosine distance of texts that hardly differ; an approximate index may find one of them for another."""
LOOKED_AT: Final = 20
"""Neighbours among which a vector must find itself."""

HNSW: Final["CreateHNSWConfiguration"] = {
    "space": "cosine",
    "max_neighbors": 128,
    "ef_construction": 200,
    "ef_search": 200,
}
"""With Chroma's own numbers (16, 100, 100) three in ten of 10,000 sentences that differ by a name and a number do not
find themselves; with these three in two hundred, for a quarter more memory and no more time."""

_REMEDY: Final = "`tingshuo reindex` makes the vectors anew; no document needs to be ingested again."


class VectorIndex(ABC):
    """The vectors of passages and memories. Chroma is imported and opened when first needed, which takes a second.

    A collection made with another embedding model than the one named raises EmbeddingMismatch. Errors of the store:
    DataFolderUnwritable when the disk is full, IndexUnavailable when a server is away, else VectorIndexDamaged.
    """

    def __init__(self, prefix: str) -> None:
        """The name of each collection begins with `prefix`."""
        self._prefix = prefix
        self._client: Client | None = None
        self._opening = Lock()

    @abstractmethod
    async def set_aside(self) -> Path | None:
        """Takes a damaged store away, so that the next call begins an empty one; where it lies now, if anywhere."""

    @abstractmethod
    def _connected(self) -> "Client": ...

    def _disconnect(self, client: "Client") -> None:
        client.close()

    async def add(self, number: int, model: str, ids: Sequence[int], vectors: Sequence[Vector]) -> None:
        """Adds vectors to a collection, which is made where it is missing."""

        def step() -> None:
            collection = self._collection(number) or self._create(number, model, len(vectors[0]))
            _check(collection, model, len(vectors[0]))
            for at in range(0, len(ids), BATCH):
                names = [str(passage) for passage in ids[at : at + BATCH]]
                collection.upsert(ids=names, embeddings=list(vectors[at : at + BATCH]))

        await self._run(step)

    async def nearest(self, number: int, model: str, vector: Vector, limit: int) -> list[tuple[int, float]]:
        """The nearest passages, the nearest first, each with its cosine similarity, -1 to 1."""

        def step() -> list[tuple[int, float]]:
            collection = self._existing(number)
            _check(collection, model, len(vector))
            found = collection.query(query_embeddings=list(vector), n_results=limit, include=["distances"])
            distances = (found["distances"] or [[]])[0]
            return [(int(name), 1 - distance) for name, distance in zip(found["ids"][0], distances, strict=True)]

        return await self._run(step)

    async def check(self, number: int, model: str) -> None:
        """Raises EmbeddingMismatch for a collection of another model, VectorIndexDamaged where it is gone."""
        await self._run(lambda: _check(self._existing(number), model, None))

    async def model(self, number: int) -> str:
        """The embedding model that a collection was made with."""
        return await self._run(lambda: str(self._existing(number).metadata["embedding_model"]))

    async def ids(self, number: int) -> frozenset[int]:
        """Whose vectors a collection holds."""

        def step() -> frozenset[int]:
            return frozenset(map(int, self._existing(number).get(include=[])["ids"]))

        return await self._run(step)

    async def lost(self, number: int, ids: Sequence[int]) -> list[int]:
        """Those of these vectors that find neither themselves nor one that hardly differs."""

        def step() -> list[int]:
            collection = self._existing(number)
            found = collection.get(ids=[str(one) for one in ids], include=["embeddings"])
            pairs = zip(found["ids"], found["embeddings"] if found["embeddings"] is not None else [], strict=True)
            near = {name: _nearest(collection, vector) for name, vector in pairs if any(vector)}
            return [int(name) for name, (names, best) in near.items() if name not in names and best > NEAR]

        return await self._run(step)

    async def delete(self, number: int, ids: Sequence[int]) -> None:
        """Deletes vectors; those that are not there are no error."""

        def step() -> None:
            if collection := self._collection(number):
                for at in range(0, len(ids), BATCH):
                    collection.delete(ids=[str(passage) for passage in ids[at : at + BATCH]])

        await self._run(step)

    async def overwrite(self, number: int, ids: Sequence[int]) -> None:
        """Puts a vector that says nothing in the place of each of these that is there."""

        def step() -> None:
            collection = self._collection(number)
            there = collection.get(ids=[str(one) for one in ids], include=[])["ids"] if collection else []
            if collection and there:
                neutral: Vector = [1.0] + [0.0] * (collection.metadata["dimensions"] - 1)
                collection.update(ids=there, embeddings=[neutral] * len(there))

        await self._run(step)

    async def drop(self, number: int) -> None:
        """Deletes the whole collection, if there is one."""

        def step() -> None:
            if self._collection(number):
                self._open().delete_collection(self._name(number))

        await self._run(step)

    async def aclose(self) -> None:
        """Closes the store; no call may follow."""
        if self._client is not None:
            with anyio.CancelScope(shield=True):
                await self._run(partial(self._disconnect, self._client))

    async def _run(self, step: Callable[[], T]) -> T:
        def translated() -> T:
            with self._translated(), blank_memory():
                return step()

        return await run_sync(translated)

    def _open(self) -> "Client":
        with self._opening:
            if self._client is None:
                self._client = self._connected()
            return self._client

    def _collection(self, number: int) -> "Collection | None":
        from chromadb.errors import NotFoundError

        try:
            return self._open().get_collection(self._name(number), embedding_function=None)
        except NotFoundError:
            return None

    def _existing(self, number: int) -> "Collection":
        if collection := self._collection(number):
            return collection
        raise VectorIndexDamaged("the vectors of a knowledge base are missing", _REMEDY)

    def _create(self, number: int, model: str, dimensions: int) -> "Collection":
        return self._open().create_collection(
            self._name(number),
            embedding_function=None,
            metadata={"embedding_model": model, "dimensions": dimensions},
            configuration={"hnsw": HNSW},
        )

    def _name(self, number: int) -> str:
        return f"{self._prefix}-{number}"

    @contextmanager
    def _translated(self) -> Generator[None, None, None]:
        from chromadb.errors import ChromaError

        try:
            yield
        except (ChromaError, OSError) as error:
            text = " ".join(str(error).split())
            # Chroma tells a full disk by many names: while it compacts, as logs that could not be applied.
            if any(sign in text for sign in ("full", "No space", "readonly", "apply logs")):
                raise DataFolderUnwritable(
                    f"the vector index cannot be written: {text}", "Free some space on that disk, then try again."
                ) from error
            raise VectorIndexDamaged(f"the vector index failed: {text}", _REMEDY) from error


class EmbeddedIndex(VectorIndex):
    """The index in a folder that this process alone uses."""

    def __init__(self, path: Path) -> None:
        super().__init__("knowledge")
        self._path = path

    async def set_aside(self) -> Path:
        """Moves the folder away; where it lies now."""

        def step() -> Path:
            from chromadb.api.shared_system_client import SharedSystemClient
            from chromadb.errors import ChromaError

            with self._opening:
                if self._client is not None:
                    with suppress(ChromaError):
                        self._client.close()
                self._client = None
                # Else Chroma hands out the store that it failed to open once more.
                SharedSystemClient.clear_system_cache()
                aside = next(
                    path
                    for n in count(1)
                    if not (path := self._path.with_name(f"{self._path.name}.broken-{n}")).exists()
                )
                return self._path.rename(aside)

        return await self._run(step)

    def _connected(self) -> "Client":
        from chromadb.api.client import Client
        from chromadb.config import Settings

        settings = Settings(
            _env_file=None,  # else Chroma obeys any `.env` in the working folder
            is_persistent=True,
            persist_directory=str(self._path),
            anonymized_telemetry=False,
        )
        try:
            return Client(settings=settings)
        except (AttributeError, ValueError) as error:
            # Chroma's way of telling that its store does not open, whatever the cause.
            raise VectorIndexDamaged(
                f"the vector index {str(self._path)!r} cannot be opened",
                f"See that the disk has free space. If it has: {_REMEDY}",
            ) from error


def _nearest(collection: "Collection", vector: Vector) -> tuple[list[str], float]:
    found = collection.query(query_embeddings=[vector], n_results=LOOKED_AT, include=["distances"])
    return found["ids"][0], (found["distances"] or [[1.0]])[0][0]


@asynccontextmanager
async def open_index(path: Path) -> AsyncGenerator[VectorIndex, None]:
    """The index in that folder."""
    index = EmbeddedIndex(path)
    try:
        yield index
    finally:
        await index.aclose()


def _check(collection: "Collection", model: str, dimensions: int | None) -> None:
    made = collection.metadata["embedding_model"], collection.metadata["dimensions"]
    if made[0] != model or dimensions not in (None, made[1]):
        now = model if dimensions is None else f"{model} ({dimensions} dimensions)"
        raise EmbeddingMismatch(
            f"the knowledge base was made with the embedding model {made[0]} ({made[1]} dimensions), not with {now}",
            f"Choose that embedding model again. Or: {_REMEDY}",
        )
