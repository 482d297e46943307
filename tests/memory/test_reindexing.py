"""Indexing anew: with other embeddings, from any damage, and killed or cancelled half-way."""

import shutil
import signal
import sqlite3
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import anyio
import pytest
from langchain_core.embeddings import Embeddings

from configs.errors import EmbeddingMismatch, KnowledgeBaseNotFound, VectorIndexDamaged
from configs.settings import Grounding, Limits
from memory.folder import DataFolder
from memory.index import open_index
from memory.knowledge import Knowledge, models_in_use, open_knowledge
from memory.ledger import Ledger, open_ledger
from memory.reindexing import ReindexProgress
from memory.schema import MIGRATIONS
from models.engines.hashed import HashedEmbeddings

pytestmark = pytest.mark.anyio


class Other(HashedEmbeddings):
    """Another model of another width."""

    model = "other"

    def __init__(self) -> None:
        super().__init__(64)


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    documents = tmp_path / "documents"
    documents.mkdir()
    for name, word in (("a", "river"), ("b", "mountain")):
        (documents / f"{name}.md").write_text(f"# Title {name}\n\nThis is about a {word}.\n")
    return documents


@asynccontextmanager
async def opened(folder: DataFolder, ledger: Ledger, embeddings: Embeddings) -> AsyncGenerator[Knowledge, None]:
    async with (
        open_index(folder.index) as index,
        open_knowledge(ledger, index, embeddings, Grounding(), Limits()) as knowledge,
    ):
        yield knowledge


async def in_use(folder: DataFolder, ledger: Ledger) -> frozenset[str]:
    async with open_index(folder.index) as index:
        return await models_in_use(ledger, index)


async def found(knowledge: Knowledge, question: str, name: str = "default") -> list[str]:
    return [p.document for p in (await knowledge.search(question, knowledge=[name])).passages]


async def rows(ledger: Ledger, table: str) -> int:
    return int(await ledger.read(lambda c: c.execute(f"SELECT count(*) FROM {table}").fetchone()[0]))


def collections(folder: DataFolder) -> int:
    connection = sqlite3.connect(folder.index / "chroma.sqlite3")
    try:
        return int(connection.execute("SELECT count(*) FROM collections").fetchone()[0])
    finally:
        connection.close()


async def test_other_embeddings_are_taken_up(folder: DataFolder, ledger: Ledger, documents: Path) -> None:
    async with opened(folder, ledger, HashedEmbeddings(256)) as knowledge:
        await knowledge.ingest([documents])
        assert await in_use(folder, ledger) == {"hashed-ngrams-1"}
    told: list[ReindexProgress] = []
    async with opened(folder, ledger, Other()) as knowledge:
        with pytest.raises(EmbeddingMismatch, match="hashed-ngrams-1"):
            await found(knowledge, "river")
        done = await knowledge.reindex(progress=told.append)
        assert [(one.name, one.texts, one.before, one.model) for one in done.done] == [
            ("default", 2, "hashed-ngrams-1", "other")
        ]
        assert [(p.name, p.texts, p.of_texts) for p in told] == [("default", 2, 2)]
        assert await found(knowledge, "river") == ["Title a"]
        assert (await knowledge.ingest([documents])).count("unchanged") == 2
        (documents / "b.md").write_text("# Title b\n\nThis is about a volcano.\n")
        assert (await knowledge.ingest([documents])).count("replaced") == 1
        assert await found(knowledge, "volcano") == ["Title b"]
    assert await in_use(folder, ledger) == {"other"}
    assert (collections(folder), await rows(ledger, "collections"), await rows(ledger, "lexicon")) == (1, 1, 2)


async def test_one_knowledge_base_alone(folder: DataFolder, ledger: Ledger, documents: Path) -> None:
    async with opened(folder, ledger, HashedEmbeddings(256)) as knowledge:
        await knowledge.ingest([documents / "a.md"], knowledge="one")
        await knowledge.ingest([documents / "b.md"], knowledge="two")
    async with opened(folder, ledger, Other()) as knowledge:
        with pytest.raises(KnowledgeBaseNotFound, match="three"):
            await knowledge.reindex(["three"])
        assert [base.name for base in (await knowledge.reindex(["two"])).done] == ["two"]
        assert await found(knowledge, "mountain", "two") == ["Title b"]
        with pytest.raises(EmbeddingMismatch):
            await found(knowledge, "river", "one")
    assert await in_use(folder, ledger) == {"hashed-ngrams-1", "other"}


async def test_nothing_to_index_is_no_error(folder: DataFolder, ledger: Ledger) -> None:
    async with opened(folder, ledger, Other()) as knowledge:
        assert (await knowledge.reindex()).done == ()


def garbage(index: Path) -> None:
    (index / "chroma.sqlite3").write_bytes(b"This is a shopping list. " * 1000)


def cut(index: Path) -> None:
    content = (index / "chroma.sqlite3").read_bytes()
    (index / "chroma.sqlite3").write_bytes(content[: len(content) // 2])


def scribbled(index: Path) -> None:
    content = (index / "chroma.sqlite3").read_bytes()
    (index / "chroma.sqlite3").write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))


def emptied(index: Path) -> None:
    connection = sqlite3.connect(index / "chroma.sqlite3")
    connection.execute("DROP TABLE segments")
    connection.close()


def gone(index: Path) -> None:
    shutil.rmtree(index)


def replaced_by_a_file(index: Path) -> None:
    shutil.rmtree(index)
    index.write_text("not a folder")


@pytest.mark.parametrize("damage", [garbage, cut, scribbled, emptied, gone, replaced_by_a_file])
async def test_every_damage_can_be_mended(
    folder: DataFolder, ledger: Ledger, documents: Path, damage: Callable[[Path], None]
) -> None:
    async with opened(folder, ledger, HashedEmbeddings(256)) as knowledge:
        await knowledge.ingest([documents / "a.md"], knowledge="one")
        await knowledge.ingest([documents / "b.md"], knowledge="two")
    damage(folder.index)
    async with opened(folder, ledger, HashedEmbeddings(256)) as knowledge:
        assert len(await knowledge.documents()) == 2
        for attempt in (
            lambda: found(knowledge, "river", "one"),
            lambda: knowledge.ingest([documents], knowledge="one"),
        ):
            with pytest.raises(VectorIndexDamaged) as caught:
                await attempt()
            assert "`tingshuo reindex`" in caught.value.hint
        done = await knowledge.reindex()
        assert [base.name for base in done.done] == ["one", "two"]
        assert (done.aside is None) == (damage is gone)
        assert done.aside is None or (done.aside.exists() and done.aside.name == "chroma.broken-1")
        assert await found(knowledge, "river", "one") == ["Title a"]
        assert await found(knowledge, "mountain", "two") == ["Title b"]
    async with opened(folder, ledger, HashedEmbeddings(256)) as knowledge:
        assert await found(knowledge, "river", "one") == ["Title a"]


async def test_leftovers_wait_while_the_index_is_damaged(folder: DataFolder, ledger: Ledger, documents: Path) -> None:
    async with opened(folder, ledger, HashedEmbeddings(256)) as knowledge:
        await knowledge.ingest([documents])
    garbage(folder.index)
    async with opened(folder, ledger, HashedEmbeddings(256)) as knowledge:
        with pytest.raises(VectorIndexDamaged):
            await knowledge.remove("Title a", knowledge="default")
    async with opened(folder, ledger, HashedEmbeddings(256)) as knowledge:
        assert [document.title for document in await knowledge.documents()] == ["Title b"]
        await knowledge.reindex()
        assert await rows(ledger, "documents") == 1
        assert await found(knowledge, "mountain") == ["Title b"]


class Gated(Other):
    """Never comes to the end of what it embeds."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped = anyio.Event()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        if len(texts) < 64:
            anyio.from_thread.run_sync(self.stopped.set)
            anyio.from_thread.run(anyio.sleep_forever)
        return super().embed_documents(texts)


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_cancelled_it_leaves_all_as_it_was(folder: DataFolder, ledger: Ledger, documents: Path) -> None:
    (documents / "long.md").write_text("".join(f"# H{n}\n\ntext {n}\n\n" for n in range(70)))
    async with opened(folder, ledger, HashedEmbeddings(256)) as knowledge:
        await knowledge.ingest([documents])
    embeddings = Gated()
    async with opened(folder, ledger, embeddings) as knowledge, anyio.create_task_group() as tasks:
        tasks.start_soon(knowledge.reindex)
        await embeddings.stopped.wait()
        tasks.cancel_scope.cancel()
    assert (collections(folder), await rows(ledger, "collections")) == (1, 1)
    async with opened(folder, ledger, HashedEmbeddings(256)) as knowledge:
        assert await found(knowledge, "river") == ["Title a"]


VICTIM = """
import os, signal, sys
from pathlib import Path
import anyio
from configs.settings import Grounding, Limits
from memory import catalogue, vector_collections
from memory.index import VectorIndex, open_index
from memory.knowledge import open_knowledge
from memory.ledger import open_ledger
from models.engines.hashed import HashedEmbeddings

data, step = Path(sys.argv[1]), sys.argv[2]

def kill(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

if step == "adding vectors": VectorIndex.add = kill
if step == "swapping": vector_collections.publish = kill
if step == "dropping the old": VectorIndex.drop = kill
if step == "forgetting the old": vector_collections.purge = kill
HashedEmbeddings.model = "other"

async def main():
    async with (
        open_ledger(data / "ledger.sqlite3") as ledger,
        open_index(data / "chroma") as index,
        open_knowledge(ledger, index, HashedEmbeddings(64), Grounding(), Limits()) as knowledge,
    ):
        await knowledge.reindex()

anyio.run(main)
"""

STEPS = {
    "adding vectors": "hashed-ngrams-1",
    "swapping": "hashed-ngrams-1",
    "dropping the old": "other",
    "forgetting the old": "other",
}
"""Where the process dies, and which model's vectors must be in use afterwards."""


@pytest.mark.parametrize("step", STEPS)
async def test_killed_it_leaves_the_old_or_the_new(folder: DataFolder, documents: Path, step: str) -> None:
    async with open_ledger(folder.ledger) as ledger, opened(folder, ledger, HashedEmbeddings(256)) as knowledge:
        await knowledge.ingest([documents])
    victim = await anyio.run_process([sys.executable, "-c", VICTIM, str(folder.path), step], check=False)
    assert victim.returncode == -signal.SIGKILL, victim.stderr.decode()
    embeddings = Other() if STEPS[step] == "other" else HashedEmbeddings(256)
    async with open_ledger(folder.ledger) as ledger:
        assert await in_use(folder, ledger) == {STEPS[step]}
        async with opened(folder, ledger, embeddings) as knowledge:
            assert await found(knowledge, "river") == ["Title a"]
        assert (collections(folder), await rows(ledger, "collections"), await rows(ledger, "lexicon")) == (1, 1, 2)


async def by_words(knowledge: Knowledge, question: str) -> list[str]:
    found = await knowledge.search(question, knowledge=["default"], rankers="lexical")
    return [passage.document for passage in found.passages]


async def test_terms_of_an_earlier_version_are_brought_up_to_date(
    folder: DataFolder, ledger: Ledger, documents: Path
) -> None:
    async with opened(folder, ledger, HashedEmbeddings(256)) as knowledge:
        await knowledge.ingest([documents])
    await ledger.write(lambda c: c.execute("UPDATE lexicon SET body = 'nothing'"))
    async with opened(folder, ledger, HashedEmbeddings(256)) as knowledge:
        assert await by_words(knowledge, "river") == []
    await ledger.write(lambda c: c.execute("UPDATE analysis SET version = 1"))
    for _ in range(2):
        async with opened(folder, ledger, HashedEmbeddings(256)) as knowledge:
            assert await by_words(knowledge, "river") == ["Title a"]
    assert await rows(ledger, "lexicon") == 2


async def test_a_ledger_of_the_first_version_asks_the_index_once(folder: DataFolder, documents: Path) -> None:
    async with open_ledger(folder.ledger) as ledger, opened(folder, ledger, HashedEmbeddings(256)) as knowledge:
        await knowledge.ingest([documents])
    await as_the_first_version(folder.ledger)
    async with open_ledger(folder.ledger) as ledger:
        assert await in_use(folder, ledger) == {"hashed-ngrams-1"}
        async with opened(folder, ledger, HashedEmbeddings(256)) as knowledge:
            assert await found(knowledge, "river") == ["Title a"]
        garbage(folder.index)
        assert await in_use(folder, ledger) == {"hashed-ngrams-1"}


async def as_the_first_version(path: Path) -> None:
    """Puts a ledger of the first version, with the same documents, in the place of this one."""
    now = shutil.move(path, path.with_name("now.sqlite3"))
    async with open_ledger(path, MIGRATIONS[:1]):
        pass
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ATTACH ? AS now", (str(now),))
        for table, columns in (
            ("knowledge_bases", "*"),
            ("documents", "id, knowledge_base, source, title, digest, characters, passages, state, added_at"),
            ("passages", 'id, document, heading, text, start, "end"'),
        ):
            connection.execute(f"INSERT INTO {table} SELECT {columns} FROM now.{table}")
        connection.execute(
            "INSERT INTO lexicon (rowid, scope, context, body) SELECT rowid, scope, context, body FROM now.lexicon"
        )
        connection.commit()
        assert connection.execute("PRAGMA user_version").fetchone()[0] == 1
