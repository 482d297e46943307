"""Ingestion: files into a knowledge base, each all or not at all; the ledger decides what counts as in."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from sqlite3 import Connection
from typing import Final, Literal

import anyio
from anyio.to_thread import run_sync
from langchain_core.embeddings import Embeddings

from configs.errors import AssistantError, EngineError, RequestError
from configs.settings import Limits
from memory import catalogue, vector_collections
from memory.catalogue import NewDocument, Pending
from memory.chunking import chunk
from memory.documents import Document, Found, SourceFile, Transcribe, find_files, load, read
from memory.formats.kinds import KINDS
from memory.formats.parser import open_parser
from memory.index import VectorIndex
from memory.job_queue import Upload
from memory.ledger import Ledger
from memory.missing import Missing, find_missing
from memory.passages import PATH_SEPARATOR
from memory.uploads import Uploads

BATCH: Final = 64
"""Passages that are embedded in one call."""

IngestionOutcome = Literal["added", "replaced", "unchanged", "removed", "failed"]


@dataclass(frozen=True, slots=True)
class IngestedFile:
    """What became of one file."""

    path: Path
    outcome: IngestionOutcome
    passages: int = 0
    error: AssistantError | None = None
    """Why it failed."""


@dataclass(frozen=True, slots=True)
class Ingestion:
    """What became of all files, in their order."""

    knowledge: str
    files: tuple[IngestedFile, ...]
    others: int = 0
    """Files in the folders that are of no kind that can be read; they were left out."""

    def count(self, outcome: IngestionOutcome) -> int:
        """How many files came to that."""
        return Counter(file.outcome for file in self.files)[outcome]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an ingestion is; told after each batch of passages, and at the end of each file with its outcome."""

    path: Path
    file: int
    """Its number, from 1."""
    files: int
    passages: int
    """Of this file, embedded so far."""
    of_passages: int
    outcome: IngestionOutcome | None = None
    error: AssistantError | None = None
    """Why it failed."""


Report = Callable[[Progress], None]


def model_of(embeddings: Embeddings) -> str:
    """What a collection remembers the embeddings by: their `model`, or the name of their class."""
    return str(getattr(embeddings, "model", type(embeddings).__name__))


class Ingestor:
    """Brings documents in and clears out what is to go.

    `changing` is held while a knowledge base changes, but not between two files, so that others may change one too.
    """

    def __init__(
        self,
        ledger: Ledger,
        index: VectorIndex,
        embeddings: Embeddings,
        limits: Limits,
        uploads: Uploads,
        changing: anyio.Lock,
    ) -> None:
        self._changing = changing
        self._uploads = uploads
        self._ledger = ledger
        self._index = index
        self._embeddings = embeddings
        self._limits = limits

    async def ingest(
        self,
        paths: Sequence[Path],
        knowledge: str,
        progress: Report | None,
        transcribe: Transcribe | None = None,
    ) -> Ingestion:
        """See Knowledge.ingest."""
        found = await run_sync(find_files, paths, self._limits)
        return await self._ingest(paths, found, knowledge, progress, transcribe)

    async def ingest_upload(
        self, upload: Upload, knowledge: str, progress: Report | None, transcribe: Transcribe | None = None
    ) -> Ingestion:
        """See Knowledge.ingest_upload."""
        found = Found((Path(upload.name),), 0, ())
        return await self._ingest((), found, knowledge, progress, transcribe, self._uploads.path(upload))

    async def _ingest(
        self,
        paths: Sequence[Path],
        found: Found,
        knowledge: str,
        progress: Report | None,
        transcribe: Transcribe | None,
        upload: Path | None = None,
    ) -> Ingestion:
        async with self._changing:
            known, missing = await self._begin(paths, found, knowledge)
        done = [IngestedFile(path, "failed", error=error) for path, error in (*found.failed, *missing.doubtful)]
        done += [IngestedFile(path, "removed") for path in missing.gone]
        files = len(done) + len(found.files)
        for number, file in enumerate(done, 1):
            _tell(progress, file.path, number, files, 0, 0, file)
        try:
            async with open_parser(self._limits) as parser:
                reader = partial(read, limits=self._limits, parser=parser, transcribe=transcribe)
                group: list[_Looked] = []
                for number, path in enumerate(found.files, len(done) + 1):
                    if _is_full(group) or not _is_quick(path):
                        done += await self._take_in(group, knowledge)
                        group = []
                    tell = partial(_tell, progress, path, number, files)
                    group.append(_Looked(tell, *await self._look(path, known.get(str(path)), reader, upload)))
                done += await self._take_in(group, knowledge)
        finally:
            with anyio.CancelScope(shield=True):
                async with self._changing:
                    await self.sweep()
        return Ingestion(knowledge, tuple(done), found.others)

    async def _begin(self, paths: Sequence[Path], found: Found, knowledge: str) -> tuple[dict[str, str], Missing]:
        """The digests of the documents that are known, by source; those whose files are gone are taken out."""
        bases = await self._ledger.read(catalogue.knowledge_bases)
        if knowledge in bases:
            for collection in await self._ledger.read(partial(vector_collections.ready, owners=[bases[knowledge]])):
                await self._index.check(collection, model_of(self._embeddings))
        documents = await self._ledger.read(partial(catalogue.documents, knowledge=knowledge))
        known = {document.source: document for document in documents}
        missing = await run_sync(find_missing, paths, found, known)
        going = [known[str(path)].id for path in missing.gone]
        await self._ledger.write(partial(catalogue.retire, ids=going))
        await self.sweep()
        return {source: document.digest for source, document in known.items()}, missing

    async def sweep(self) -> None:
        """Deletes pending and retired documents and collections off the disk: files first, rows last.

        Callers hold the lock.
        """
        await self._uploads.sweep()
        await vector_collections.sweep(self._ledger, self._index)
        leftovers = await self._ledger.read(catalogue.leftovers)
        for leftover in leftovers:
            if leftover.collection is not None and leftover.whole:
                await self._index.drop(leftover.collection)
            elif leftover.collection is not None:
                await self._index.delete(leftover.collection, leftover.passages)
            await self._ledger.write(partial(catalogue.purge, leftover=leftover))
        if leftovers:
            await self._ledger.scrub()

    async def _look(
        self, path: Path, digest: str | None, reader: "_Reader", upload: Path | None
    ) -> tuple[IngestedFile, NewDocument | None]:
        """What is to become of a file, which may be an upload, and the document to take in."""
        try:
            file = await load(path, self._limits, lies_at=upload)
            if file.digest == digest:
                return IngestedFile(path, "unchanged"), None
            document = await reader(file)
        except (EngineError, RequestError) as error:  # a recording may fail for want of an engine
            return IngestedFile(path, "failed", error=error), None
        new = await run_sync(_prepared, document, upload.name if upload else None)
        return IngestedFile(path, "added", len(new.chunks)), new

    async def _take_in(self, group: Sequence["_Looked"], knowledge: str) -> list[IngestedFile]:
        """What became of the files, told in their order."""
        coming = [(looked.new, looked.tell) for looked in group if looked.new]
        if coming:
            async with self._changing:
                replaced = iter(await self._store(coming, knowledge))
        files = []
        for looked in group:
            file = replace(looked.file, outcome="replaced") if looked.new and next(replaced) else looked.file
            looked.tell(file.passages, file.passages, file)
            files.append(file)
        return files

    async def _store(self, coming: "_Coming", knowledge: str) -> list[bool]:
        """Three steps, of which the last alone makes the documents findable; whether each took another's place."""
        model = model_of(self._embeddings)

        def add(connection: Connection) -> list[Pending]:
            return [catalogue.add_pending(connection, knowledge, model, new) for new, _ in coming]

        def publish(connection: Connection) -> list[bool]:
            pairs = zip(pending, coming, strict=True)
            return [catalogue.publish(connection, one, new.lexicon) for one, (new, _) in pairs]

        pending = await self._ledger.write(add)
        ids = [passage for one in pending for passage in one.passages]
        texts = [with_context(new.title, chunk.heading, chunk.text) for new, _ in coming for chunk in new.chunks]
        for at in range(0, len(ids), BATCH):
            embed = partial(self._embeddings.embed_documents, texts[at : at + BATCH])
            vectors = await run_sync(embed, abandon_on_cancel=True)
            await self._index.add(pending[0].collection, model, ids[at : at + BATCH], vectors)
            _tell_embedded(coming, at, min(at + BATCH, len(ids)))
        return await self._ledger.write(publish)


_Reader = Callable[[SourceFile], Awaitable[Document]]
_Tell = Callable[[int, int, IngestedFile | None], None]
_Coming = Sequence[tuple[NewDocument, _Tell]]


@dataclass(frozen=True, slots=True)
class _Looked:
    """A file that has been read, before what it holds is taken in."""

    tell: _Tell
    file: IngestedFile
    new: NewDocument | None


def _is_full(group: Sequence[_Looked]) -> bool:
    """Small documents are taken in together, as many as are embedded in one call, but not beside what took its time."""
    coming = [looked for looked in group if looked.new]
    passages = sum(max(1, looked.file.passages) for looked in coming)
    return not coming or passages >= BATCH or not _is_quick(coming[-1].file.path)


def _is_quick(path: Path) -> bool:
    """Whether nothing needs to wait for a file to be read."""
    return KINDS.get(path.suffix.lower()) in ("text", "markdown")


def _tell_embedded(coming: _Coming, before: int, now: int) -> None:
    """Tells of each document some of whose passages were in this batch, counted over all of them."""
    begin = 0
    for new, tell in coming:
        end = begin + len(new.chunks)
        if begin < now and end > before:
            tell(min(now, end) - begin, len(new.chunks), None)
        begin = end


def _tell(
    progress: Report | None,
    path: Path,
    file: int,
    files: int,
    passages: int,
    of_passages: int,
    ended: IngestedFile | None,
) -> None:
    if progress is not None:
        outcome, error = (ended.outcome, ended.error) if ended else (None, None)
        progress(Progress(path, file, files, passages, of_passages, outcome, error))


def _prepared(document: Document, upload: str | None) -> NewDocument:
    title, chunks = chunk(
        document.text,
        markdown=document.markdown,
        fallback_title=document.path.stem,
        pages=document.pages,
        records=document.records,
    )
    return catalogue.prepared(str(document.path), title, document.digest, document.text, chunks, upload)


def with_context(title: str, heading: str, text: str) -> str:
    """What is embedded of a passage."""
    return f"{title}{PATH_SEPARATOR if heading else ''}{heading}\n\n{text}"
