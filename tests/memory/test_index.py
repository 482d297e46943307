import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
import pytest

from configs.errors import EmbeddingMismatch, StorageError
from memory.index import VectorIndex, open_index
from models.engines.hashed import HashedEmbeddings

pytestmark = pytest.mark.anyio

EAST, NORTH, NORTH_EAST = [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def index(tmp_path: Path) -> AsyncGenerator[VectorIndex, None]:
    async with open_index(tmp_path / "chroma") as index:
        yield index


async def test_the_nearest_come_first_with_their_cosine(index: VectorIndex) -> None:
    await index.add(1, "m", [10, 11, 12], [NORTH, NORTH_EAST, [2.0, 0.0]])
    found = await index.nearest(1, "m", EAST, 5)
    assert [number for number, _ in found] == [12, 11, 10]
    assert [cosine for _, cosine in found] == pytest.approx([1.0, 0.5**0.5, 0.0], abs=1e-6)
    assert [number for number, _ in await index.nearest(1, "m", EAST, 1)] == [12]


async def test_knowledge_bases_do_not_see_each_other(index: VectorIndex) -> None:
    await index.add(1, "m", [10], [EAST])
    await index.add(2, "m", [20], [EAST])
    assert [number for number, _ in await index.nearest(2, "m", EAST, 5)] == [20]
    await index.drop(2)
    assert [number for number, _ in await index.nearest(1, "m", EAST, 5)] == [10]


async def test_texts_that_hardly_differ_are_all_found(index: VectorIndex) -> None:
    vectors = HashedEmbeddings(1024).embed_documents([f"My locker code is c{n}y." for n in range(150)])
    await index.add(1, "m", range(150), vectors)
    found = [[number for number, _ in await index.nearest(1, "m", vector, 20)] for vector in vectors]
    assert [n for n in range(150) if n not in found[n]] == []
    assert await index.lost(1, range(150)) == []


async def test_adding_again_and_deleting_what_is_not_there_are_no_errors(index: VectorIndex) -> None:
    await index.delete(1, [10])
    await index.drop(1)
    await index.add(1, "m", [10], [EAST])
    await index.add(1, "m", [10], [NORTH])
    await index.delete(1, [99])
    assert (await index.nearest(1, "m", NORTH, 5))[0] == pytest.approx((10, 1.0))
    await index.delete(1, [10])
    assert await index.nearest(1, "m", NORTH, 5) == []


async def test_a_vector_of_nothing_is_like_nothing(index: VectorIndex) -> None:
    await index.add(1, "m", [10, 11], [[0.0, 0.0], EAST])
    assert (await index.nearest(1, "m", EAST, 1))[0][0] == 11
    assert {number for number, _ in await index.nearest(1, "m", [0.0, 0.0], 5)} == {10, 11}


async def test_another_model_or_dimension_is_refused_with_the_remedy(index: VectorIndex) -> None:
    await index.add(1, "m", [10], [EAST])
    await index.check(1, "m")
    with pytest.raises(EmbeddingMismatch, match=r"made with the embedding model m \(2 dimensions\), not with n"):
        await index.check(1, "n")
    with pytest.raises(EmbeddingMismatch, match=r"not with n \(2"):
        await index.nearest(1, "n", EAST, 5)
    with pytest.raises(EmbeddingMismatch, match=r"not with m \(3"):
        await index.nearest(1, "m", [1.0, 0.0, 0.0], 5)
    with pytest.raises(EmbeddingMismatch) as caught:
        await index.add(1, "m", [11], [[1.0, 0.0, 0.0]])
    assert "`tingshuo reindex`" in caught.value.hint


async def test_the_model_is_remembered_beyond_its_end(tmp_path: Path) -> None:
    async with open_index(tmp_path) as index:
        await index.add(1, "m", [10], [EAST])
    async with open_index(tmp_path) as index:
        assert (await index.nearest(1, "m", EAST, 5))[0] == pytest.approx((10, 1.0))
        with pytest.raises(EmbeddingMismatch):
            await index.check(1, "n")


async def test_a_missing_collection_is_named_with_the_remedy(index: VectorIndex) -> None:
    with pytest.raises(StorageError, match="missing") as caught:
        await index.nearest(1, "m", EAST, 5)
    assert "`tingshuo reindex`" in caught.value.hint
    with pytest.raises(StorageError, match="missing"):
        await index.check(1, "m")


async def test_a_damaged_store_is_named_with_the_remedy(tmp_path: Path) -> None:
    await anyio.Path(tmp_path / "chroma.sqlite3").write_bytes(b"This is a shopping list. " * 1000)
    async with open_index(tmp_path) as index:
        with pytest.raises(StorageError, match="vector index") as caught:
            await index.add(1, "m", [10], [EAST])
    assert "`tingshuo reindex`" in caught.value.hint


def test_chroma_is_not_imported_until_it_is_needed() -> None:
    code = """
import anyio, sys
from pathlib import Path
from memory.index import open_index
import memory.knowledge
async def main():
    async with open_index(Path("nowhere")):
        pass
anyio.run(main)
sys.exit("chromadb" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
