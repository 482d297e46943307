"""Real parts throughout: SQLite, Chroma and hashed embeddings in a folder of the test's own."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from configs.settings import Grounding, Limits
from memory.folder import DataFolder
from memory.index import open_index
from memory.knowledge import Knowledge, open_knowledge
from memory.ledger import Ledger, open_ledger
from models.engines.hashed import HashedEmbeddings


@pytest.fixture
def folder(data_folder: Path) -> DataFolder:
    data_folder.mkdir()
    return DataFolder(data_folder)


@pytest.fixture
async def ledger(folder: DataFolder) -> AsyncGenerator[Ledger, None]:
    async with open_ledger(folder.ledger) as ledger:
        yield ledger


@pytest.fixture
async def knowledge(folder: DataFolder, ledger: Ledger) -> AsyncGenerator[Knowledge, None]:
    async with (
        open_index(folder.index) as index,
        open_knowledge(ledger, index, HashedEmbeddings(256), Grounding(), Limits()) as knowledge,
    ):
        yield knowledge
