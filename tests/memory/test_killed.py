"""A process killed at every step of an ingestion: what was acknowledged is there, nothing else can be found."""

import signal
import sys
from pathlib import Path

import anyio
import pytest

from configs.settings import Grounding, Limits
from memory.folder import open_data_folder
from memory.index import VectorIndex, open_index
from memory.knowledge import Knowledge, open_knowledge
from memory.ledger import Ledger, open_ledger
from models.engines.hashed import HashedEmbeddings

pytestmark = pytest.mark.anyio

VICTIM = """
import os, signal, sys
from pathlib import Path
import anyio
from configs.settings import Grounding, Limits
from memory import catalogue
from memory.folder import open_data_folder
from memory.index import VectorIndex, open_index
from memory.knowledge import open_knowledge
from memory.ledger import open_ledger
from models.engines.hashed import HashedEmbeddings

data, documents, step = sys.argv[1:]

def kill(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

def arm():
    if step == "adding vectors": VectorIndex.add = kill
    if step == "publishing": catalogue.publish = kill
    if step == "inside publishing": catalogue.retire = kill
    if step == "deleting vectors": VectorIndex.delete = kill
    if step == "purging": catalogue.purge = kill

async def main():
    async with (
        open_data_folder(Path(data)) as folder,
        open_ledger(folder.ledger) as ledger,
        open_index(folder.index) as index,
        open_knowledge(ledger, index, HashedEmbeddings(64), Grounding(), Limits()) as knowledge,
    ):
        for file in await knowledge.ingest([Path(documents)]) and sorted(Path(documents).iterdir()):
            print(file.name, flush=True)
        changed = Path(documents) / "b.md"
        changed.write_text(changed.read_text().replace("mountain", "volcano"))
        arm()
        await knowledge.ingest([Path(documents)])
        print("survived", flush=True)

anyio.run(main)
"""

STEPS = {
    "adding vectors": "mountain",
    "publishing": "mountain",
    "inside publishing": "mountain",
    "deleting vectors": "volcano",
    "purging": "volcano",
}
"""Where the process dies, and which version of the changed document must be found afterwards."""


async def found(knowledge: Knowledge, question: str) -> list[str]:
    return [p.document for p in (await knowledge.search(question, knowledge=["default"])).passages]


async def stored(ledger: Ledger, table: str) -> int:
    return int(await ledger.read(lambda c: c.execute(f"SELECT count(*) FROM {table}").fetchone()[0]))


@pytest.mark.parametrize("step", STEPS)
async def test_what_was_acknowledged_is_there_and_nothing_half_written(tmp_path: Path, step: str) -> None:
    documents, data = tmp_path / "documents", tmp_path / "data"
    documents.mkdir()
    for name, word in (("a", "river"), ("b", "mountain"), ("c", "desert")):
        (documents / f"{name}.md").write_text(f"# Title {name}\n\nThis is about a {word}.\n")
    command = [sys.executable, "-c", VICTIM, str(data), str(documents), step]
    victim = await anyio.run_process(command, check=False)
    assert victim.returncode == -signal.SIGKILL, victim.stderr.decode()
    assert victim.stdout.split() == [b"a.md", b"b.md", b"c.md"]
    async with (
        open_data_folder(data) as folder,
        open_ledger(folder.ledger) as ledger,
        open_index(folder.index) as index,
        open_knowledge(ledger, index, HashedEmbeddings(64), Grounding(), Limits()) as knowledge,
    ):
        assert [document.title for document in await knowledge.documents()] == ["Title a", "Title b", "Title c"]
        assert await found(knowledge, "river") == ["Title a"]
        assert await found(knowledge, "desert") == ["Title c"]
        for word in ("mountain", "volcano"):
            assert await found(knowledge, word) == (["Title b"] if word == STEPS[step] else [])
        for table in ("documents", "passages", "lexicon"):
            assert await stored(ledger, table) == 3
        assert await vectors(index) == 3
        await knowledge.ingest([documents])
        assert await found(knowledge, "volcano") == ["Title b"]
        assert await found(knowledge, "mountain") == []


async def vectors(index: VectorIndex) -> int:
    """How many vectors there are, of passages or not."""
    return len(await index.nearest(1, HashedEmbeddings.model, HashedEmbeddings(64).embed_query("river"), 100))
