"""What is kept, opened together: the locked data folder, the ledger, the turns and the knowledge."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from configs.settings import Settings
from memory.folder import open_data_folder
from memory.knowledge import Knowledge, open_knowledge
from memory.ledger import open_ledger
from memory.turns import Turns
from models.readiness import embedding_candidates
from models.registry import open_embeddings
from models.selection import Choice, choose


@dataclass(frozen=True, slots=True)
class Store:
    """Everything that outlives a turn."""

    folder: Path
    knowledge: Knowledge
    turns: Turns
    embeddings: Choice


@asynccontextmanager
async def open_store(settings: Settings, folder: Path | None = None) -> AsyncGenerator[Store, None]:
    """Opens the data folder, or another one, for this process alone. Raises DataFolderLocked where another has it."""
    choice = choose("embeddings", settings.embeddings.engine, await embedding_candidates(settings))
    embeddings = open_embeddings(choice, settings)
    similarity = settings.embeddings.ollama.similarity if choice.engine == "ollama" else None
    async with (
        open_data_folder(folder or settings.data) as opened,
        open_ledger(opened.ledger) as ledger,
        open_knowledge(
            ledger, opened.index, embeddings, settings.grounding, settings.limits, similarity=similarity
        ) as knowledge,
    ):
        yield Store(opened.path, knowledge, Turns(ledger), choice)
