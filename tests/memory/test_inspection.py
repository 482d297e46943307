"""Ledger and index looked at from outside, sound and broken in each way we know how."""

import shutil
import sqlite3
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import anyio
import pytest

from configs.errors import ConfigError, IndexUnavailable, StorageError, VectorIndexDamaged
from configs.settings import Grounding, Limits
from memory.folder import DataFolder, open_data_folder
from memory.index import VectorIndex, open_index
from memory.inspection import check_vectors, expected, inspect
from memory.knowledge import Knowledge, open_knowledge
from memory.ledger import Ledger, open_ledger
from models.engines.hashed import HashedEmbeddings

pytestmark = pytest.mark.anyio

EMBEDDINGS = HashedEmbeddings(64)
MODEL = HashedEmbeddings.model


@asynccontextmanager
async def opened(folder: DataFolder) -> AsyncGenerator[tuple[Ledger, VectorIndex, Knowledge], None]:
    async with (
        open_ledger(folder.ledger) as ledger,
        open_index(folder.index) as index,
        open_knowledge(ledger, index, EMBEDDINGS, Grounding(), Limits()) as knowledge,
    ):
        yield ledger, index, knowledge


def remember(connection: sqlite3.Connection) -> None:
    for statement in (
        "INSERT INTO memory_spaces (id, user, persona) VALUES (7, 'owner', '')",
        "INSERT INTO collections (id, memory_space, state, embedding_model) VALUES (50, 7, 'ready', 'm')",
        """
        INSERT INTO memories (id, space, kind, text, language, said_at, embedded)
        VALUES (1, 7, 'note', 'Likes tea.', 'en', '2026-01-01', 50), (2, 7, 'note', 'New.', 'en', '2026-01-01', NULL)
        """,
    ):
        connection.execute(statement)


@pytest.fixture
async def kept(folder: DataFolder, tmp_path: Path) -> DataFolder:
    """Three documents, two of them the same and one without a term, and a memory."""
    documents = tmp_path / "documents"
    documents.mkdir()
    for name, text in (("a", "About a river."), ("b", "About a river."), ("c", "?")):
        (documents / f"{name}.md").write_text(text)
    async with opened(folder) as (ledger, index, knowledge):
        await knowledge.ingest([documents])
        await ledger.write(remember)
        await index.add(50, MODEL, [1], [EMBEDDINGS.embed_query("Likes tea.")])
    return folder


async def test_what_is_sound_is_said_to_be(kept: DataFolder) -> None:
    found = await inspect(kept.path)
    assert (found.ledger, found.index, found.skipped) == (None, None, "")
    assert (found.vectors, found.tried) == (4, 4)


async def test_what_an_ingestion_that_was_killed_has_left_is_no_damage(kept: DataFolder) -> None:
    async with open_ledger(kept.ledger) as ledger:
        await ledger.write(lambda c: c.execute("UPDATE documents SET state = 'retired' WHERE id = 1"))
    found = await inspect(kept.path)
    assert (found.index, found.vectors) == (None, 3)


async def test_nothing_is_looked_at_where_nothing_is_or_somebody_is_at_work(kept: DataFolder, tmp_path: Path) -> None:
    assert (await inspect(tmp_path / "nothing")).skipped == "nothing is kept yet"
    assert not (tmp_path / "nothing").exists()
    async with open_data_folder(kept.path):
        assert "in use by process" in (await inspect(kept.path)).skipped
    with closing(sqlite3.connect(kept.ledger)) as connection:
        connection.execute("PRAGMA user_version = 1")
    assert "another version" in (await inspect(kept.path)).skipped


async def drop_a_vector(index: VectorIndex) -> None:
    await index.delete(1, [2])


async def drop_a_memory(index: VectorIndex) -> None:
    await index.delete(50, [1])


async def drop_a_collection(index: VectorIndex) -> None:
    await index.drop(1)


async def add_a_vector(index: VectorIndex) -> None:
    await index.add(1, MODEL, [999], [EMBEDDINGS.embed_query("?")])


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (drop_a_vector, "1 of 3 vectors are missing"),
        (drop_a_memory, "1 of 1 vectors are missing"),
        (drop_a_collection, "are missing"),
        (add_a_vector, "1 vectors belong to nothing"),
    ],
)
async def test_a_broken_index_is_told_with_its_remedy(
    kept: DataFolder, damage: Callable[[VectorIndex], Awaitable[None]], said: str
) -> None:
    async with opened(kept) as (ledger, index, knowledge):

        async def check() -> None:
            for one in await ledger.read(expected):
                await check_vectors(index, one)

        await check()
        await damage(index)
        with pytest.raises(VectorIndexDamaged, match=said) as caught:
            await check()
        assert "tingshuo reindex" in caught.value.hint
        if damage is not drop_a_memory:
            await knowledge.reindex()
            await check()


def scribbled(kept: DataFolder) -> None:
    content = (kept.index / "chroma.sqlite3").read_bytes()
    (kept.index / "chroma.sqlite3").write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))


def gone(kept: DataFolder) -> None:
    shutil.rmtree(kept.index)


@pytest.mark.parametrize("damage", [scribbled, gone])
async def test_a_broken_store_is_told(kept: DataFolder, damage: Callable[[DataFolder], None]) -> None:
    damage(kept)
    assert isinstance((await inspect(kept.path)).index, VectorIndexDamaged)


async def test_terms_that_are_missing_are_told(kept: DataFolder) -> None:
    async with open_ledger(kept.ledger) as ledger:
        await ledger.write(lambda c: c.execute("DELETE FROM lexicon WHERE rowid = 1"))
    found = await inspect(kept.path)
    assert found.index
    assert "1 passages cannot be found by their words" in found.index.message


async def test_a_broken_ledger_is_told(kept: DataFolder) -> None:
    with closing(sqlite3.connect(kept.ledger)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'passages'").fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    with kept.ledger.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    found = await inspect(kept.path)
    assert isinstance(found.ledger, StorageError)
    assert "backup" in found.ledger.hint


async def test_a_check_that_hangs_or_dies_is_told(
    kept: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for program, said in (("kill -SEGV $$", "ended by SIGSEGV"), ("exec sleep 60", "did not end within 0 seconds")):
        child = tmp_path / "child"
        child.write_text(f"#!/bin/sh\n{program}\n")
        await anyio.Path(child).chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(child))
        found = await inspect(kept.path, seconds=5 if "SEGV" in program else 0.2)
        assert found.index
        assert said in found.index.message


@pytest.mark.parametrize(("url", "error"), [("http://127.0.0.1:9", IndexUnavailable), ("nonsense", ConfigError)])
async def test_a_server_that_is_away_is_no_damage(kept: DataFolder, url: str, error: type[Exception]) -> None:
    assert type((await inspect(kept.path, url)).index) is error
