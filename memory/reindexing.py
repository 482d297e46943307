"""Reindexing: vectors and terms made anew from the ledger's passages; a collection is swapped when it is complete."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from sqlite3 import Connection

import anyio
from anyio.to_thread import run_sync
from langchain_core.embeddings import Embeddings

from configs.errors import VectorIndexDamaged
from memory import catalogue, vector_collections
from memory.index import VectorIndex
from memory.ingestion import BATCH, model_of, with_context
from memory.ledger import Ledger


@dataclass(frozen=True, slots=True)
class ReindexedBase:
    """A knowledge base that has been indexed anew."""

    knowledge: str
    passages: int
    before: str | None
    """The embedding model that it had; None where that is not known."""
    model: str
    """The embedding model that it has now."""


@dataclass(frozen=True, slots=True)
class Reindexing:
    """What was done."""

    bases: tuple[ReindexedBase, ...]
    aside: Path | None = None
    """Where the vector index that was damaged lies now."""


@dataclass(frozen=True, slots=True)
class ReindexProgress:
    """How far it is; told after each batch of passages."""

    knowledge: str
    passages: int
    """Embedded so far."""
    of_passages: int


ReindexReport = Callable[[ReindexProgress], None]


class Reindexer:
    """Makes the vectors of knowledge bases anew. Callers see to it that nothing else changes them meanwhile."""

    def __init__(
        self, ledger: Ledger, index: VectorIndex, embeddings: Embeddings, sweep: Callable[[], Awaitable[None]]
    ) -> None:
        self._ledger = ledger
        self._index = index
        self._embeddings = embeddings
        self._sweep = sweep

    async def reindex(
        self, wanted: Mapping[str, int], everything: Mapping[str, int], report: ReindexReport | None
    ) -> Reindexing:
        """Knowledge bases by name and id; a damaged index is moved aside, and then `everything` is made anew."""
        try:
            return Reindexing(await self._all(wanted, report))
        except VectorIndexDamaged:
            aside = await self._index.set_aside()
        return Reindexing(await self._all(everything, report), aside)

    async def _all(self, bases: Mapping[str, int], report: ReindexReport | None) -> tuple[ReindexedBase, ...]:
        await self._sweep()
        try:
            return tuple([await self._base(name, base, report) for name, base in bases.items()])
        finally:
            with anyio.CancelScope(shield=True):
                await self._sweep()

    async def _base(self, name: str, base: int, report: ReindexReport | None) -> ReindexedBase:
        model = model_of(self._embeddings)
        total = await self._ledger.read(partial(catalogue.count_passages, bases=[base]))
        before = await self._ledger.read(partial(_model, base=base))
        collection = await self._ledger.write(partial(vector_collections.add_pending, owner=base, model=model))
        done, last = 0, 0
        while batch := await self._ledger.read(partial(catalogue.texts, base=base, after=last, limit=BATCH)):
            texts = [with_context(*parts) for parts in batch.values()]
            vectors = await run_sync(partial(self._embeddings.embed_documents, texts), abandon_on_cancel=True)
            await self._index.add(collection, model, list(batch), vectors)
            done, last = done + len(batch), max(batch)
            if report is not None:
                report(ReindexProgress(name, done, total))
        await self._ledger.write(partial(_publish, base=base, collection=collection))
        return ReindexedBase(name, done, before, model)


def _model(connection: Connection, base: int) -> str | None:
    own = vector_collections.ready(connection, [base])
    return vector_collections.models_in_use(connection).get(own[0]) if own else None


def _publish(connection: Connection, base: int, collection: int) -> None:
    catalogue.rewrite_lexicon(connection, base)
    vector_collections.publish(connection, base, collection)
