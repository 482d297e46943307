"""The processes that decode: one that breaks, hangs or lies costs one recording; none is left behind."""

import io
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from configs.errors import AudioUnsupported, RequestTooLarge
from configs.settings import Limits
from models import decoding
from models.audio import AudioChunk, silence, wav_bytes
from models.decoding import PROCESSES, Decoder, open_decoder
from models.encoding import FORMATS, open_encoder
from tests.processes import is_gone, processes_of

pytestmark = pytest.mark.anyio

IMPORTS = (
    "import os, sys, time; sys.path[:] = sys.argv[1:]; "
    "from configs.sandbox.framing import message; sys.stdin.buffer.read(1); "
)
BREAKS = {
    "os.kill(os.getpid(), 11)": "was ended by SIGSEGV",
    "os._exit(3)": "broke",
    "print('not a message, but a long line of text', flush=True); time.sleep(60)": "gave no sense",
    "os.write(1, message({}, b'odd')); time.sleep(60)": "gave no sense",
}


def flac(seconds: float) -> bytes:
    encoder = open_encoder(FORMATS["flac"])
    return encoder.push(silence(seconds, 24_000)) + encoder.finish()


GOOD = flac(0.5)
LONG = flac(1_200)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def decoder() -> AsyncGenerator[Decoder, None]:
    async with open_decoder(Limits(decode_seconds=30)) as decoder:
        yield decoder


async def decoded(decoder: Decoder, data: Any = GOOD) -> AudioChunk:
    return await decoder.decode(data, max_bytes=10**8, max_seconds=60)


@contextmanager
def running(program: str, decoder: Decoder) -> Iterator[None]:
    """Another program in the place of the decoder's."""
    whole = [process._program for process in decoder._processes]
    for process in decoder._processes:
        process._program = program
    yield
    for process, its in zip(decoder._processes, whole, strict=True):
        process._program = its


async def test_one_process_decodes_many_recordings_and_ends_with_the_decoder() -> None:
    async with open_decoder(Limits()) as decoder:
        assert (await decoded(decoder)).seconds == 0.5
        processes = processes_of(decoder)
        assert len(processes) == 1
        assert (await decoded(decoder)).seconds == 0.5
        assert processes_of(decoder) == processes
    assert all(map(is_gone, processes))


async def test_a_refusal_ends_no_process(decoder: Decoder) -> None:
    await decoder.warm()
    processes = processes_of(decoder)
    with pytest.raises(AudioUnsupported, match="not audio that can be decoded"):
        await decoded(decoder, b"no sound" * 100)
    with pytest.raises(RequestTooLarge, match="longer than 60 seconds"):
        await decoded(decoder, flac(61))
    assert (await decoded(decoder)).seconds == 0.5
    assert processes_of(decoder) == processes != set()


async def test_plain_wav_needs_no_process(decoder: Decoder) -> None:
    assert (await decoded(decoder, wav_bytes(silence(0.5, 24_000)))).seconds == 0.5
    assert processes_of(decoder) == set()


async def test_the_process_is_replaced_after_some_recordings(decoder: Decoder) -> None:
    for process in decoder._processes:
        process._files = 2
    seen = []
    for _ in range(4):
        await decoded(decoder)
        seen.append(processes_of(decoder))
    assert seen[1] == seen[3] == set()
    assert seen[0] != seen[2] != set()


async def test_recordings_at_once_have_two_processes(decoder: Decoder) -> None:
    lengths: dict[int, float] = {}
    most = 0

    async def one(number: int) -> None:
        nonlocal most
        lengths[number] = (await decoded(decoder, flac(number / 10))).seconds
        most = max(most, len(processes_of(decoder)))

    async with anyio.create_task_group() as tasks:
        for number in range(1, 7):
            tasks.start_soon(one, number)
    assert lengths == {number: number / 10 for number in range(1, 7)}
    assert most == PROCESSES


@pytest.mark.parametrize("program", BREAKS)
async def test_a_process_that_breaks_costs_one_recording(decoder: Decoder, program: str) -> None:
    with running(IMPORTS + program, decoder):
        with pytest.raises(AudioUnsupported, match=f"the process that decodes it {BREAKS[program]}") as caught:
            await decoded(decoder)
        assert "WebM" in caught.value.hint
        assert processes_of(decoder) == set()
    assert (await decoded(decoder)).seconds == 0.5


async def test_a_process_that_cannot_be_started_costs_one_recording(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        without.setattr(sys, "executable", "/nowhere/python")
        with pytest.raises(AudioUnsupported, match="cannot be started"):
            await decoded(decoder)
    assert (await decoded(decoder)).seconds == 0.5


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
async def test_a_process_that_dies_in_the_middle_costs_one_recording(decoder: Decoder, number: int) -> None:
    await decoder.warm()
    (process,) = processes_of(decoder)

    async def die() -> None:
        before = computed(process)
        while computed(process) - before < 0.05:
            await anyio.lowlevel.checkpoint()
        os.kill(process, number)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(die)
        with pytest.raises(AudioUnsupported, match=f"was ended by {signal.Signals(number).name}"):
            await decoder.decode(LONG, max_bytes=10**8, max_seconds=1_300)
    assert (await decoded(decoder)).seconds == 0.5


def computed(process: int) -> float:
    """Seconds, also where nothing tells them but `ps`."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except FileNotFoundError:
        pytest.skip("needs Linux's account of processes")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("program", ["while True: pass", "import sys; sys.stdin.buffer.read()"])
async def test_a_process_that_does_not_answer_is_ended(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(decoding, "_PROGRAM", program)
    async with open_decoder(Limits(decode_seconds=0.3)) as decoder:
        with pytest.raises(AudioUnsupported, match=r"longer than 0\.3 s \(`limits\.decode_seconds`\)"):
            await decoded(decoder)
        assert processes_of(decoder) == set()


@pytest.mark.parametrize("data", [GOOD, GOOD + bytes(20_000_000)])
async def test_cancelling_frees_the_process_soon(decoder: Decoder, data: bytes) -> None:
    """Also in the middle of sending it: this program reads nothing."""
    with running("while True: pass", decoder):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(decoded, decoder, data)
            with anyio.fail_after(10):
                while not processes_of(decoder):
                    await anyio.lowlevel.checkpoint()
            processes = processes_of(decoder)
            tasks.cancel_scope.cancel()
            began = time.monotonic()
        assert time.monotonic() - began < 0.5
    assert all(map(is_gone, processes))
    assert (await decoded(decoder)).seconds == 0.5


async def test_memory_has_a_limit() -> None:
    async with open_decoder(Limits(decode_bytes=500_000_000)) as decoder:
        with pytest.raises(RequestTooLarge, match=r"more memory than it may \(`limits\.decode_bytes`\)"):
            await decoder.decode(io.BytesIO(bytes(600_000_000)), max_bytes=10**9, max_seconds=60)
        assert (await decoded(decoder)).seconds == 0.5


async def test_a_file_that_shrinks_while_it_is_read_is_refused(decoder: Decoder) -> None:
    class Shrinking(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(size) if size is not None and size < 100 else b""

    with pytest.raises(AudioUnsupported, match="cut while it was read"):
        await decoded(decoder, Shrinking(GOOD))
    assert (await decoded(decoder)).seconds == 0.5
