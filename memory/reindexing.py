"""Reindexing: vectors and terms made anew from the ledger's texts; a collection is swapped when it is complete."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from sqlite3 import Connection
from typing import Protocol

import anyio
from anyio.to_thread import run_sync
from langchain_core.embeddings import Embeddings

from configs.errors import VectorIndexDamaged
from memory import catalogue, vector_collections
from memory.index import VectorIndex
from memory.ingestion import BATCH, model_of, with_context
from memory.ledger import Ledger
from memory.vector_collections import Owner


class Reindexable(Protocol):
    """What has a vector collection that can be made anew; each method runs inside one transaction of the ledger."""

    @property
    def name(self) -> str:
        """What progress and reports call it."""

    @property
    def owner(self) -> int:
        """Its number in the ledger."""

    @property
    def of(self) -> Owner:
        """What kind of owner that is."""

    def count(self, connection: Connection) -> int:
        """How many texts it has."""

    def texts(self, connection: Connection, after: int, limit: int) -> Mapping[int, str]:
        """What is embedded, by ids in order: at most `limit` that come after that id; none at the end."""

    def publish(self, connection: Connection, collection: int) -> None:
        """Its own part of the transaction in which the collection takes the place of the one before it."""


@dataclass(frozen=True, slots=True)
class KnowledgeBase:
    """The passages of a knowledge base."""

    name: str
    owner: int
    of: Owner = "knowledge_base"

    def count(self, connection: Connection) -> int:
        """The passages that can be found."""
        return catalogue.count_passages(connection, [self.owner])

    def texts(self, connection: Connection, after: int, limit: int) -> Mapping[int, str]:
        """The passages, each with its context."""
        batch = catalogue.texts(connection, self.owner, after, limit)
        return {number: with_context(*parts) for number, parts in batch.items()}

    def publish(self, connection: Connection, collection: int) -> None:
        """Makes the terms anew as well."""
        catalogue.rewrite_lexicon(connection, self.owner)


@dataclass(frozen=True, slots=True)
class Reindexed:
    """What has been indexed anew."""

    name: str
    of: Owner
    texts: int
    before: str | None
    """The embedding model that it had; None where that is not known."""
    model: str
    """The embedding model that it has now."""


@dataclass(frozen=True, slots=True)
class Reindexing:
    """What was done."""

    done: tuple[Reindexed, ...]
    aside: Path | None = None
    """Where the vector index that was damaged lies now."""


@dataclass(frozen=True, slots=True)
class ReindexProgress:
    """How far it is; told after each batch of texts."""

    name: str
    texts: int
    """Embedded so far."""
    of_texts: int


ReindexReport = Callable[[ReindexProgress], None]


class Reindexer:
    """Makes vectors anew. Callers see to it that nothing else changes what they are made from meanwhile."""

    def __init__(
        self, ledger: Ledger, index: VectorIndex, embeddings: Embeddings, sweep: Callable[[], Awaitable[None]]
    ) -> None:
        """`sweep` clears away what is to go of knowledge bases."""
        self._ledger = ledger
        self._index = index
        self._embeddings = embeddings
        self._sweep = sweep

    async def reindex(
        self, wanted: Sequence[Reindexable], everything: Sequence[Reindexable], report: ReindexReport | None
    ) -> Reindexing:
        """Where the index turns out to be damaged, it is moved aside, and `everything` is made anew."""
        try:
            return Reindexing(await self._all(wanted, report))
        except VectorIndexDamaged:
            aside = await self._index.set_aside()
        return Reindexing(await self._all(everything, report), aside)

    async def _all(self, wanted: Sequence[Reindexable], report: ReindexReport | None) -> tuple[Reindexed, ...]:
        await self._clear()
        try:
            return tuple([await self._one(one, report) for one in wanted])
        finally:
            with anyio.CancelScope(shield=True):
                await self._clear()

    async def _clear(self) -> None:
        await self._sweep()
        await vector_collections.sweep(self._ledger, self._index, of="memory_space")

    async def _one(self, one: Reindexable, report: ReindexReport | None) -> Reindexed:
        model = model_of(self._embeddings)
        total = await self._ledger.read(one.count)
        before = await self._ledger.read(partial(_model, one=one))
        add = partial(vector_collections.add_pending, owner=one.owner, model=model, of=one.of)
        collection = await self._ledger.write(add)
        done, last = 0, 0
        while batch := await self._ledger.read(partial(one.texts, after=last, limit=BATCH)):
            embed = partial(self._embeddings.embed_documents, list(batch.values()))
            vectors = await run_sync(embed, abandon_on_cancel=True)
            await self._index.add(collection, model, list(batch), vectors)
            done, last = done + len(batch), max(batch)
            if report is not None:
                report(ReindexProgress(one.name, done, total))
        await self._ledger.write(partial(_publish, one=one, collection=collection))
        return Reindexed(one.name, one.of, done, before, model)


def _model(connection: Connection, one: Reindexable) -> str | None:
    own = vector_collections.ready(connection, [one.owner], of=one.of)
    return vector_collections.models_in_use(connection, of=one.of).get(own[0]) if own else None


def _publish(connection: Connection, one: Reindexable, collection: int) -> None:
    one.publish(connection, collection)
    vector_collections.publish(connection, one.owner, collection, of=one.of)
