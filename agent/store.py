"""What is kept, opened together: the locked data folder, the ledger, the turns and the knowledge."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from configs.settings import Settings
from memory.folder import open_data_folder
from memory.index import open_index
from memory.knowledge import Knowledge
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
async def open_store(settings: Settings) -> AsyncGenerator[Store, None]:
    """Opens the data folder for this process alone. Raises DataFolderLocked where another has it."""
    choice = choose("embeddings", settings.embeddings.engine, await embedding_candidates(settings))
    embeddings = open_embeddings(choice, settings)
    similarity = settings.embeddings.ollama.similarity if choice.engine == "ollama" else None
    async with open_data_folder(settings.data), open_ledger(settings.data / "ledger.sqlite") as ledger:
        index = await open_index(settings.data / "chroma")
        knowledge = Knowledge(
            ledger, index, embeddings, grounding=settings.grounding, limits=settings.limits, similarity=similarity
        )
        yield Store(settings.data, knowledge, Turns(ledger), choice)
