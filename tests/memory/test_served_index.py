"""The index on a real Chroma server, which ledgers share without seeing each other; and what is no such server."""

import http.server
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import anyio
import httpx
import pytest

from configs.errors import ConfigError, EmbeddingMismatch, IndexUnavailable, VectorIndexDamaged
from configs.settings import Grounding, Limits
from memory.folder import DataFolder
from memory.knowledge import Knowledge, open_knowledge
from memory.ledger import open_ledger
from memory.served_index import ServedIndex, open_served_index
from models.engines.hashed import HashedEmbeddings

pytestmark = pytest.mark.anyio

EAST, NORTH = [1.0, 0.0], [0.0, 1.0]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def chroma(path: Path, port: int) -> Iterator[str]:
    command = [str(Path(sys.executable).with_name("chroma")), "run", "--path", str(path), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        url = f"http://127.0.0.1:{port}"
        try:
            with httpx.Client(transport=httpx.HTTPTransport(retries=0)) as client:
                while server.poll() is None:
                    try:
                        client.get(f"{url}/api/v2/heartbeat")
                        break
                    except httpx.ConnectError:
                        threading.Event().wait(0.05)
            yield url
        finally:
            server.kill()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with chroma(tmp_path_factory.mktemp("server"), free_port()) as url:
        yield url


INGESTING = """
import sys
from pathlib import Path
import anyio
from api.terminal.ingest import ingest
from configs.settings import load_settings
data, url, documents = sys.argv[1:]
settings = load_settings(data=data, index={"url": url}, embeddings={"engine": "hashed"})
sys.exit(anyio.run(ingest, settings, [Path(documents)], "default"))
"""


@asynccontextmanager
async def opened(folder: Path, url: str) -> AsyncGenerator[Knowledge, None]:
    async with (
        open_ledger(DataFolder(folder).ledger) as ledger,
        open_served_index(url, ledger) as index,
        open_knowledge(ledger, index, HashedEmbeddings(1024), Grounding(), Limits()) as knowledge,
    ):
        yield knowledge


async def test_processes_that_ingest_at_once_find_all_of_their_own_and_nothing_else(
    server: str, tmp_path: Path
) -> None:
    count = 25
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        for n in range(count):
            text = f"# Note {name} {n}\n\nThe keyword of this note is {name}word{n}x.\n"
            (tmp_path / name / f"{n}.md").write_text(text)

    async def ingest(name: str) -> None:
        data, documents = tmp_path / f"data-{name}", tmp_path / name
        await anyio.run_process([sys.executable, "-c", INGESTING, str(data), server, str(documents)])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ingest, "one")
        tasks.start_soon(ingest, "two")
    for name, other in (("one", "two"), ("two", "one")):
        async with opened(tmp_path / f"data-{name}", server) as knowledge:
            assert len(await knowledge.documents()) == count
            for n in range(count):
                found = await knowledge.search(f"{name}word{n}x", knowledge=["default"])
                assert [passage.document for passage in found.passages] == [f"Note {name} {n}"]
                assert found.similarity is not None
            assert not (await knowledge.search(f"{other}word3x", knowledge=["default"])).answerable


async def test_ledgers_with_the_same_numbers_do_not_meet(server: str) -> None:
    one, two = ServedIndex(server, "aaaa"), ServedIndex(server, "aaaa-2")
    await one.add(1, "m", [10], [EAST])
    await two.add(1, "m", [20], [EAST])
    assert [number for number, _ in await one.nearest(1, "m", EAST, 5)] == [10]
    with pytest.raises(EmbeddingMismatch):
        await one.check(1, "n")
    await one.drop(1)
    with pytest.raises(VectorIndexDamaged, match="missing"):
        await one.nearest(1, "m", EAST, 5)
    await one.add(2, "m", [11], [EAST])
    await one.set_aside()
    with pytest.raises(VectorIndexDamaged, match="missing"):
        await one.check(2, "m")
    assert [number for number, _ in await two.nearest(1, "m", EAST, 5)] == [20]
    await two.set_aside()
    for index in (one, two):
        await index.aclose()


async def test_a_server_that_goes_away_and_comes_back_has_lost_nothing(tmp_path: Path) -> None:
    port, data, document = free_port(), tmp_path / "data", tmp_path / "a.md"
    data.mkdir()
    document.write_text("# A\n\nAbout a river.\n")
    with chroma(tmp_path / "server", port) as url:
        async with opened(data, url) as knowledge:
            await knowledge.ingest([document])
    async with opened(data, url) as knowledge:
        assert len(await knowledge.documents()) == 1
        for attempt in (lambda: knowledge.search("river", knowledge=["default"]), lambda: knowledge.ingest([document])):
            with pytest.raises(IndexUnavailable) as caught:
                await attempt()
            assert url in caught.value.message
            assert "chroma run" in caught.value.hint
        with chroma(tmp_path / "server", port):
            assert (await knowledge.search("river", knowledge=["default"])).answerable
        with pytest.raises(IndexUnavailable):
            await knowledge.search("river", knowledge=["default"])


class SomethingElse(http.server.BaseHTTPRequestHandler):
    """No Chroma server."""

    def do_GET(self) -> None:
        self.send_response(500)
        self.end_headers()
        self.wfile.write(b"<html>")

    def log_message(self, format: str, *args: object) -> None:
        pass


async def test_what_is_no_chroma_server_is_told() -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), SomethingElse) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        index = ServedIndex(f"http://127.0.0.1:{other.server_port}", "aaaa")
        with pytest.raises(IndexUnavailable):
            await index.add(1, "m", [10], [EAST])
        other.shutdown()


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://localhost", "http://", "http://h:99999", "http://h/path"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"index\.url"):
        ServedIndex(url, "aaaa")
