"""What the HTTP door adds: to a reply, to speech and to a transcript; how many it serves, and whether it grows."""

import os
import re
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from subprocess import DEVNULL

import anyio
from langchain_core.messages import HumanMessage

from benchmarks.figures import Figure
from benchmarks.load import Line, as_json, requests_per_second
from benchmarks.startup import answered, free_port
from configs import settings
from models.decoding import decode
from models.engines.fake import FakeChat, FakeSpeechToText, FakeTextToSpeech
from models.engines.silero import Silero
from models.speech_gate import GatedSpeechToText
from models.speech_to_text import Hearing
from models.text_to_speech import Voice

UTTERANCE = Path(__file__).parents[1] / "tests" / "fixtures" / "tiny-whisper" / "utt00_en.wav"
ROUNDS = 100
PAUSE = 0.1
"""Seconds between two rounds, in which what was said is remembered; a person leaves more."""
SAID = "The train leaves at noon."
CHAT = as_json({"model": "companion", "stream": True, "messages": [{"role": "user", "content": "I like long walks."}]})
SPEECH = as_json({"model": "tts-1", "voice": "alloy", "response_format": "pcm", "input": SAID})
CLIENTS = (1, 16, 64)
MANY = 10_000
LIMITS = {
    "REQUESTS_PER_MINUTE": "100000000", "REQUESTS_AT_ONCE": "256", "TURNS_AT_ONCE": "8", "QUEUE": "256",
}  # fmt: skip
Trial = Callable[[], Awaitable[float]]
"""One call; seconds until what is measured is there."""


@dataclass(frozen=True, slots=True)
class Served:
    """A server in a process of its own."""

    port: int
    process: int

    def megabytes(self) -> float:
        """Its resident memory."""
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process}/status").read_text(encoding="ascii"))
        return int(found[1]) / 1024 if found else 0.0


async def measure(folder: Path) -> list[Figure]:
    """Each door in turn with its engine called directly, then the load; all engines are scripted and take no time."""
    async with _server(folder) as served:
        figures = await _overhead(served)
        for clients in CLIENTS:
            count = 2_000 if clients > 1 else 500
            listed = await requests_per_second(served.port, clients, count, "/v1/models")
            chats = await requests_per_second(served.port, clients, count // 4, "/v1/chat/completions", CHAT)
            where = f"{clients} clients at once, scripted model"
            figures.append(Figure("GET /v1/models", f"{listed:.0f} requests/s", "", where))
            figures.append(Figure("streamed chat", f"{chats:.0f} requests/s", "", where))
        figures.append(await _growth(served))
        return figures


@asynccontextmanager
async def _server(folder: Path) -> AsyncGenerator[Served, None]:
    port = free_port()
    slots = ("CHAT", "SPEECH_TO_TEXT", "TEXT_TO_SPEECH")
    environment = {
        **os.environ,
        **{f"TINGSHUO_SERVER__{name}": value for name, value in LIMITS.items()},
        **{f"TINGSHUO_{slot}__ENGINE": "fake" for slot in slots},
        "TINGSHUO_EMBEDDINGS__ENGINE": "hashed",
        "TINGSHUO_DATA": str(folder),
    }
    command = [sys.executable, "-m", "api.cli", "serve", "--port", str(port)]
    async with await anyio.open_process(command, env=environment, stdout=DEVNULL, stderr=DEVNULL) as process:
        try:
            with anyio.fail_after(60):
                await answered(f"http://127.0.0.1:{port}/health/ready")
            yield Served(port, process.pid)
        finally:
            process.terminate()


async def _overhead(served: Served) -> list[Figure]:
    sound = await decode(UTTERANCE, max_bytes=10**6, max_seconds=30)
    ears = GatedSpeechToText(FakeSpeechToText(settings.FakeSpeechToText()), await Silero.open())
    form, kind = _form(UTTERANCE.read_bytes())
    line = await Line.open(served.port)
    trials: dict[str, tuple[Trial, Trial]] = {
        "chat, first token": (
            partial(_door, line, "/v1/chat/completions", CHAT, "application/json", first=True),
            partial(_first, lambda: FakeChat(script=settings.FakeChat()).astream([HumanMessage("I like long walks.")])),
        ),
        "speech, first bytes": (
            partial(_door, line, "/v1/audio/speech", SPEECH, "application/json", first=True),
            partial(
                _first,
                lambda: FakeTextToSpeech(settings.FakeTextToSpeech()).synthesize(SAID, language="en", voice=Voice()),
            ),
        ),
        "transcript of a WAV file": (
            partial(_door, line, "/v1/audio/transcriptions", form, kind, first=False),
            partial(_timed, lambda: ears.transcribe(sound, Hearing())),
        ),
    }
    figures = [await _beside(what, *pair) for what, pair in trials.items()]
    await line.aclose()
    return figures


async def _beside(what: str, door: Trial, engine: Trial) -> Figure:
    """In turn; the first tenth is not counted."""
    through, directly = [], []
    for _ in range(ROUNDS):
        await anyio.sleep(PAUSE)
        through.append(await door() * 1000)
        directly.append(await engine() * 1000)
    left_out = ROUNDS // 10
    ours, bare = median(through[left_out:]), median(directly[left_out:])
    value = f"p50 {ours - bare:+.1f} ms ({ours:.1f} ms, engine {bare:.1f} ms)"
    return Figure(f"{what}, over HTTP", value, "p50 < 5 ms", f"beside the engine alone, {ROUNDS} in turn")


async def _door(line: Line, path: str, body: bytes, kind: str, *, first: bool) -> float:
    reply = await line.ask(path, body, kind)
    assert reply.status == 200, reply
    return reply.first_byte if first else reply.whole


async def _first(stream: Callable[[], AsyncIterator[object]]) -> float:
    began = time.perf_counter()
    pieces = stream()
    await anext(pieces)
    took = time.perf_counter() - began
    async for _ in pieces:
        pass
    return took


async def _timed(call: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await call()
    return time.perf_counter() - began


def _form(recording: bytes) -> tuple[bytes, str]:
    """A form with a recording, and its content type."""
    head = '--b\r\ncontent-disposition: form-data; name="{}"{}\r\n\r\n'
    model = head.format("model", "").encode() + b"whisper-1\r\n"
    return (
        model + head.format("file", '; filename="a.wav"').encode() + recording + b"\r\n--b--\r\n",
        "multipart/form-data; boundary=b",
    )


async def _growth(served: Served) -> Figure:
    """Memory after many requests beside that after a tenth of them: caches fill, and then nothing may grow."""

    async def some(count: int) -> None:
        await requests_per_second(served.port, 8, count * 8 // 10, "/v1/models")
        await requests_per_second(served.port, 8, count // 10, "/v1/chat/completions", CHAT)
        await requests_per_second(served.port, 8, count // 10, "/v1/audio/speech", SPEECH)

    await some(MANY // 10)
    before = served.megabytes()
    await some(MANY - MANY // 10)
    after = served.megabytes()
    return Figure(
        f"memory after {MANY:,} requests",
        f"{after:.0f} MB ({after - before:+.1f} MB since {MANY // 10:,})",
        "flat",
        "of ten: 8 lists of models, 1 streamed chat, 1 speech; 8 clients",
    )
