"""What the index writes of memory that it was only lent: nothing, even where that was full of words."""

import subprocess
import sys
from pathlib import Path

import pytest

INDEXING = """
import ctypes, sys
from pathlib import Path
import anyio
from memory.index import open_index
from models.engines.hashed import HashedEmbeddings

# From here on every piece of memory that is handed out is full of 0xA5, as if it had held something before.
ctypes.CDLL(None).mallopt(-6, 0x5A)

async def main():
    embeddings = HashedEmbeddings(64)
    async with open_index(Path(sys.argv[1])) as index:
        await index.add(1, embeddings.model, [1, 2, 3], embeddings.embed_documents(["a", "b", "c"]))
        await index.nearest(1, embeddings.model, embeddings.embed_query("a"), 2)

anyio.run(main)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the C library of Linux alone fills memory")
def test_nothing_of_old_memory_is_written(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", INDEXING, str(tmp_path)], check=True, timeout=50)
    vectors = next(tmp_path.rglob("data_level0.bin")).read_bytes()
    assert len(vectors) > 50_000
    assert vectors.count(b"\xa5" * 16) == 0
