"""Recordings that hold hours, sent by many at once: each is refused soon, in little memory, and others are served."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import openai
import pytest

from api.guard import spool
from models.audio import silence
from models.encoding import FORMATS, open_encoder
from tests.api.audio_server import served

PAGE = 4_096
MINUTES = 6
"""Of silence in each, or more; the server takes five."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bombs")


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[openai.OpenAI]:
    with served(
        data, speech_to_text={"engine": "fake"}, voice_activity={"engine": "fake"}, limits={"audio_seconds": 300}
    ) as opened:
        yield opened


def bomb(kind: str, size: int) -> bytes:
    """Silence again and again until it has that many bytes; each of these formats may simply go on."""
    encoder = open_encoder(FORMATS[kind])
    once = encoder.push(silence(60, 24_000)) + encoder.finish()
    frames = once[once.index(b"\xff\xf8") :] if kind == "flac" else once
    return once + frames * max(MINUTES, size // len(frames))


class Watch:
    """What the process holds in memory, and how long another client waits, until it is left."""

    def __init__(self, server: openai.OpenAI) -> None:
        self._server = server
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.waits: list[float] = []
        self.grown = 0

    def __enter__(self) -> "Watch":
        self._before = resident()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.05):
            began = time.monotonic()
            assert self._server.models.list().data
            self.waits.append(time.monotonic() - began)
            self.grown = max(self.grown, resident() - self._before)


def resident() -> int:
    """Bytes of this process, in which the server runs, that are in memory."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE


HEAD = (
    b'--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
    b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
)


def form(file: bytes) -> Iterator[bytes]:
    """In pieces: httpx would copy the whole of it several times."""
    yield HEAD
    for start in range(0, len(file), 65_536):
        yield file[start : start + 65_536]
    yield b"\r\n--b--\r\n"


def sent(server: openai.OpenAI, file: bytes) -> httpx.Response:
    kind = {"content-type": "multipart/form-data; boundary=b"}
    url = f"{server.base_url}audio/transcriptions"
    return httpx.post(url, content=form(file), headers=kind, timeout=60, trust_env=False)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's account of memory")
@pytest.mark.parametrize(
    ("kind", "size", "callers"),
    [("flac", 2_000_000, 10), ("opus", 2_000_000, 10), ("mp3", 0, 10), ("flac", 25_000_000, 6)],
)
def test_hours_of_sound_from_many_at_once_are_refused_in_little_memory_while_others_are_served(
    server: openai.OpenAI, data: Path, kind: str, size: int, callers: int
) -> None:
    """CVE-2026-54233."""
    body = bomb(kind, size)
    assert sent(server, body).status_code == 413
    used = time.process_time()
    with Watch(server) as watch, ThreadPoolExecutor(callers) as threads:
        answers = list(threads.map(lambda _: sent(server, body), range(callers)))
    # The clients are in it too.
    assert time.process_time() - used < 0.5 * callers
    assert [answer.status_code for answer in answers] == [413] * callers
    assert {answer.json()["error"]["param"] for answer in answers} == {"file"}
    assert watch.grown < 100_000_000, watch.grown
    assert watch.waits
    assert max(watch.waits) < 5
    assert not [path for path in data.iterdir() if path.name.startswith("tmp")]


def test_a_recording_that_has_no_place_on_the_disk_is_refused_as_such(
    server: openai.OpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        def write(self, data: bytes) -> None:
            raise OSError(28, "No space left on device")

        def close(self) -> None:
            """There is nothing to close."""

    monkeypatch.setattr(spool, "SpooledTemporaryFile", lambda *_, **__: Full())
    refused = sent(server, b"RIFF")
    assert refused.status_code == 507
    assert "space" in refused.json()["error"]["message"]
