"""What is kept, opened together: the locked data folder, the ledger, the turns and the knowledge."""

import shlex
from collections.abc import AsyncGenerator, Collection, Generator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

import anyio
from langchain_core.embeddings import Embeddings

from configs.errors import EngineUnavailable, ModelNotFound
from configs.settings import Settings
from memory.folder import DataFolder, open_data_folder
from memory.index import VectorIndex, open_index
from memory.jobs import Jobs
from memory.knowledge import Knowledge, models_in_use, open_knowledge
from memory.ledger import Ledger, open_ledger
from memory.memories import Memories
from memory.served_index import open_served_index
from memory.summaries import SummaryStore
from memory.turns import Turns
from models.readiness import embedding_candidates, embedding_model
from models.registry import open_embeddings
from models.selection import Candidate, Choice, choose

REINDEX: Final = "tingshuo reindex"


@dataclass(frozen=True, slots=True)
class Store:
    """Everything that outlives a turn."""

    folder: Path
    knowledge: Knowledge
    turns: Turns
    memories: Memories
    summaries: SummaryStore
    jobs: Jobs
    embeddings: Choice
    vectors: Embeddings
    """The embeddings in force."""


@asynccontextmanager
async def open_store(
    settings: Settings, folder: Path | None = None, *, reindexing: bool = False
) -> AsyncGenerator[Store, None]:
    """Opens the data folder, or another one, for this process alone. Raises DataFolderLocked where another has it.

    "auto" embeddings keep to the model that the knowledge bases were made with, unless they are to be made anew.
    """
    wanted, candidates = settings.embeddings.engine, await embedding_candidates(settings)
    best = choose("embeddings", wanted, candidates)
    async with (
        open_data_folder(folder or settings.data) as opened,
        open_ledger(opened.ledger) as ledger,
        _index(settings.index.url, opened, ledger) as index,
    ):
        free = reindexing or wanted != "auto"
        in_use = frozenset() if free else await models_in_use(ledger, index)
        engines = {one.engine for one in candidates if embedding_model(one.engine, settings) in in_use}
        choice = kept(best, candidates, engines)
        similarity, nearness = _cosines(choice, settings)
        async with _opened(choice, settings) as served:
            embeddings = ReindexingHint(served, _remedy(folder)) if choice.engine in engines else served
            memories = Memories(ledger, index, embeddings, settings.memory, similarity=nearness)
            await memories.recover()
            async with open_knowledge(
                ledger, index, embeddings, settings.grounding, settings.limits, similarity=similarity
            ) as knowledge:
                yield Store(
                    opened.path,
                    knowledge,
                    Turns(ledger),
                    memories,
                    SummaryStore(ledger),
                    Jobs(ledger, knowledge),
                    choice,
                    embeddings,
                )


def _index(url: str, folder: DataFolder, ledger: Ledger) -> AbstractAsyncContextManager[VectorIndex]:
    return open_served_index(url, ledger) if url else open_index(folder.index)


@asynccontextmanager
async def _opened(choice: Choice, settings: Settings) -> AsyncGenerator[Embeddings, None]:
    embeddings = open_embeddings(choice, settings)
    try:
        yield embeddings
    finally:
        if isinstance(embeddings, _Connected):
            with anyio.CancelScope(shield=True):
                await embeddings.aclose()


def _cosines(choice: Choice, settings: Settings) -> tuple[float | None, float | None]:
    """From where on a passage, and a memory, counts as answering; None for embeddings that only compare characters."""
    match choice.engine:
        case "ollama":
            # Memories are short, and as such nearer to a question than passages are.
            return settings.embeddings.ollama.similarity, settings.memory.similarity
        case "onnx":
            return settings.embeddings.onnx.similarity, settings.embeddings.onnx.memory_similarity
        case _:
            return None, None


@runtime_checkable
class _Connected(Protocol):
    async def aclose(self) -> None: ...


def kept(best: Choice, candidates: Sequence[Candidate], in_use: Collection[str]) -> Choice:
    """The best engine, unless the knowledge bases were made with others: then one of those, even one that is away."""
    made_with = [candidate for candidate in candidates if candidate.engine in in_use]
    if not made_with or best.engine in in_use:
        return best
    found = next((candidate for candidate in made_with if candidate.ready), None)
    if found is None:
        absent = made_with[0]
        why = f"the knowledge bases were indexed with it, but {absent.reason}"
        remedy = f"{absent.remedy}; or {REINDEX} to go on with {best.engine}"
        return Choice(best.slot, absent.engine, why, absent.embedded, f"{absent.engine} that answers", remedy)
    why = f"the knowledge bases were indexed with it; {found.reason}"
    better = f"{best.engine} ({best.why})"
    return Choice(best.slot, found.engine, why, found.embedded, better, REINDEX, found.model)


class ReindexingHint(Embeddings):
    """Embeddings of a server; where it is away, the error also tells how to go on without it."""

    def __init__(self, embeddings: Embeddings, remedy: str) -> None:
        self._embeddings = embeddings
        self._remedy = remedy
        self.model = str(getattr(embeddings, "model", type(embeddings).__name__))

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """As the embeddings do."""
        with self._hinted():
            return self._embeddings.embed_documents(texts)

    def embed_query(self, text: str) -> list[float]:
        """As the embeddings do."""
        with self._hinted():
            return self._embeddings.embed_query(text)

    @contextmanager
    def _hinted(self) -> Generator[None, None, None]:
        try:
            yield
        except (EngineUnavailable, ModelNotFound) as error:
            raise type(error)(
                f"the knowledge bases were indexed with {self.model}; {error.message}",
                f"{error.hint} Or: `{self._remedy}` goes on with the best embeddings that are ready.".strip(),
            ) from error


def _remedy(folder: Path | None) -> str:
    return REINDEX if folder is None else f"TINGSHUO_DATA={shlex.quote(str(folder))} {REINDEX}"
