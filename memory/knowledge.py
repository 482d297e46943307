"""Knowledge: documents in, passages out; the one door to knowledge bases, behind which ledger and index agree."""

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from sqlite3 import Connection
from typing import Final

import anyio
from langchain_core.embeddings import Embeddings

from configs.errors import IndexUnavailable, KnowledgeBaseNotFound, RequestError, VectorIndexDamaged
from configs.settings import Grounding, Limits
from memory import catalogue, job_queue, vector_collections
from memory.catalogue import StoredDocument
from memory.documents import Transcribe
from memory.folder import DataFolder
from memory.index import VectorIndex
from memory.ingestion import Ingestion, Ingestor, Report
from memory.job_queue import Upload
from memory.ledger import Ledger
from memory.reindexing import KnowledgeBase, Reindexable, Reindexer, Reindexing, ReindexReport
from memory.search import NOTHING, Rankers, Retrieval, Searcher
from memory.uploads import Uploads

__all__ = ["Ingestion", "Knowledge", "Reindexing", "Retrieval", "StoredDocument", "models_in_use", "open_knowledge"]

SHOWN: Final = 20
"""Documents that an error lists."""


class Knowledge:
    """All knowledge bases in one ledger and one index.

    `similarity` is the cosine from which a passage counts as answering, for embeddings that know meaning; at 1 they
    only rank. None stands for those that only compare characters.
    """

    def __init__(
        self,
        ledger: Ledger,
        index: VectorIndex,
        embeddings: Embeddings,
        grounding: Grounding,
        limits: Limits,
        *,
        similarity: float | None = None,
    ) -> None:
        self._ledger = ledger
        self._changing = anyio.Lock()
        self.uploads = Uploads(DataFolder(ledger.folder).uploads, ledger, limits)
        self._ingestor = Ingestor(ledger, index, embeddings, limits, self.uploads, self._changing)
        self._searcher = Searcher(ledger, index, embeddings, grounding, similarity)
        self._reindexer = Reindexer(ledger, index, embeddings, self._ingestor.sweep)

    async def recover(self) -> None:
        """Clears away what an ingestion that was killed has left; no part of it could be found.

        Where the index is damaged or away that waits until it is not: what needs no vectors can go on. Terms that an
        earlier version of this program has made are brought up to date.
        """
        async with self._changing:
            if await self._ledger.read(catalogue.is_outdated):
                await self._ledger.write(catalogue.refresh_lexicon)
            with suppress(VectorIndexDamaged, IndexUnavailable):
                await self._ingestor.sweep()

    async def ingest(
        self,
        paths: Sequence[Path],
        *,
        knowledge: str = "default",
        progress: Report | None = None,
        transcribe: Transcribe | None = None,
    ) -> Ingestion:
        """Takes in files, and all files in folders; what cannot be read is told and does not stop the rest.

        A file that is there already is replaced, or left alone if it has not changed. A document that was taken in from
        one of the folders goes when its file has gone, unless the folder now holds none at all, which is told as its
        failure. Documents that are in stay in when the call is cancelled; others may be removed meanwhile.

        `transcribe` hears recordings. Raises RequestTooLarge for too many files, RequestError for a name that cannot be
        used, EmbeddingMismatch, EngineError and StorageError.
        """
        check_name(knowledge)
        return await self._ingestor.ingest(paths, knowledge, progress, transcribe)

    async def ingest_upload(
        self,
        upload: Upload,
        *,
        knowledge: str = "default",
        progress: Report | None = None,
        transcribe: Transcribe | None = None,
    ) -> Ingestion:
        """Takes in a file that was sent, as `ingest` does; it takes the place of an earlier upload of its name.

        The file is kept while its document is. Of bytes that are known under that name already nothing is done.
        """
        check_name(knowledge)
        return await self._ingestor.ingest_upload(upload, knowledge, progress, transcribe)

    async def reindex(
        self,
        names: Collection[str] = (),
        *,
        others: Sequence[Reindexable] = (),
        progress: ReindexReport | None = None,
    ) -> Reindexing:
        """Makes the vectors and terms of these knowledge bases anew from the ledger, or of all and of `others`.

        `others` is what else has vectors in the index. Until a knowledge base is done it stays as it was, also when the
        call is cancelled. An index that is damaged is moved aside, and everything that was in it is made anew. Raises
        KnowledgeBaseNotFound, EngineError and StorageError.
        """
        async with self._changing:
            await self.require(tuple(names))
            there = await self._ledger.read(catalogue.knowledge_bases)
            bases = [KnowledgeBase(name, number) for name, number in there.items()]
            everything = [*bases, *others]
            wanted = [base for base in bases if base.name in names] if names else everything
            return await self._reindexer.reindex(wanted, everything, progress)

    async def knowledge_bases(self) -> tuple[str, ...]:
        """The names of the knowledge bases that hold a document, in order."""
        return tuple(await self._ledger.read(catalogue.knowledge_bases))

    async def documents(self, knowledge: str | None = None) -> tuple[StoredDocument, ...]:
        """The documents of one knowledge base, or of all. Raises KnowledgeBaseNotFound."""
        if knowledge is not None:
            await self.require([knowledge])
        return await self._ledger.read(lambda connection: catalogue.documents(connection, knowledge))

    async def document(self, number: int) -> StoredDocument:
        """The document with that id. Raises KnowledgeBaseNotFound."""
        found = await self._ledger.read(partial(catalogue.document, number=number))
        if found is None:
            raise KnowledgeBaseNotFound(f"there is no document {number}", "It may have been replaced; list them.")
        return found

    async def remove(self, document: str | None = None, *, knowledge: str) -> tuple[StoredDocument, ...]:
        """Deletes the document with this path, file name or title, or with None all of them; tells which.

        The files of those that were uploaded go as well, and the jobs that name them; the knowledge base goes with its
        last document. Raises KnowledgeBaseNotFound, and RequestError where a name means several documents.
        """
        async with self._changing:
            there = await self.documents(knowledge)
            going = there if document is None else _meant(there, document, knowledge)
            await self._ledger.write(partial(_retire, knowledge=knowledge, going=going))
            await self._ingestor.sweep()
        return going

    async def search(
        self, question: str, *, knowledge: Sequence[str], limit: int | None = None, rankers: Rankers = "both"
    ) -> Retrieval:
        """The passages that answer a question, the best first; none where the documents do not answer it.

        `limit` is `grounding.passages` unless given; `rankers` leaves one of the two searches out, for comparison.
        Raises KnowledgeBaseNotFound and EmbeddingMismatch.
        """
        if not knowledge:
            return NOTHING
        bases = await self.require(knowledge)
        return await self._searcher.search(question, bases, limit, rankers)

    async def require(self, names: Sequence[str]) -> list[int]:
        """The numbers of the knowledge bases with these names. Raises KnowledgeBaseNotFound, which says what exists."""
        there = await self._ledger.read(catalogue.knowledge_bases)
        for name in names:
            if name not in there:
                raise KnowledgeBaseNotFound(
                    f"there is no knowledge base {name!r}",
                    f"There are: {', '.join(there) or 'none yet'}. `tingshuo ingest` makes one.",
                )
        return [there[name] for name in dict.fromkeys(names)]


def check_name(knowledge: str) -> None:
    """Raises RequestError for what cannot name a knowledge base."""
    if not knowledge.strip() or not knowledge.isprintable() or len(knowledge) > 200:
        raise RequestError(
            f"{knowledge!r} cannot name a knowledge base", "Use 1 to 200 characters that can be seen.", "knowledge"
        )


@asynccontextmanager
async def open_knowledge(
    ledger: Ledger,
    index: VectorIndex,
    embeddings: Embeddings,
    grounding: Grounding,
    limits: Limits,
    *,
    similarity: float | None = None,
) -> AsyncGenerator[Knowledge, None]:
    """The knowledge in a data folder that this process has locked, cleared of what was left unfinished."""
    knowledge = Knowledge(ledger, index, embeddings, grounding, limits, similarity=similarity)
    await knowledge.recover()
    yield knowledge


async def models_in_use(ledger: Ledger, index: VectorIndex) -> frozenset[str]:
    """The embedding models that knowledge and memories were indexed with, as far as ledger or index can tell."""

    def recorded(connection: Connection) -> dict[int, str | None]:
        spaces = vector_collections.models_in_use(connection, of="memory_space")
        return {**vector_collections.models_in_use(connection), **spaces}

    known = await ledger.read(recorded)
    if None not in known.values():
        return frozenset(model for model in known.values() if model)
    # Ledgers of the first version leave it to the index.
    for collection in [collection for collection, model in known.items() if model is None]:
        with suppress(VectorIndexDamaged, IndexUnavailable):
            known[collection] = model = await index.model(collection)
            await ledger.write(partial(vector_collections.remember, collection=collection, model=model))
    return frozenset(model for model in known.values() if model)


def _retire(connection: Connection, knowledge: str, going: Sequence[StoredDocument]) -> None:
    catalogue.retire(connection, [document.id for document in going])
    job_queue.forget(connection, knowledge, [document.source for document in going if document.uploaded])


def _path(name: str) -> str | None:
    """The path that somebody may mean by a name."""
    try:
        return str(Path(name).expanduser().resolve())
    except (OSError, RuntimeError, ValueError):  # a user that is not there, a zero byte
        return None


def _meant(there: Sequence[StoredDocument], name: str, knowledge: str) -> tuple[StoredDocument, ...]:
    path = _path(name)
    found = (
        [document for document in there if document.source == name]
        or [document for document in there if document.source == path]
        or [document for document in there if name in (document.title, Path(document.source).name)]
    )
    if not found:
        raise KnowledgeBaseNotFound(
            f"there is no document {name!r} in the knowledge base {knowledge!r}",
            f"There are: {', '.join(document.title for document in there[:SHOWN])}{', …' * (len(there) > SHOWN)}.",
        )
    if len(found) > 1:
        raise RequestError(
            f"{len(found)} documents are called {name!r}",
            f"Name one by its path: {', '.join(document.source for document in found)}.",
        )
    return tuple(found)
