"""Recorded audio as PCM16 mono: plain WAV is read here, all else by FFmpeg in processes that may break without harm."""

import io
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any, Final

from anyio import CapacityLimiter, Semaphore, from_thread
from anyio.to_thread import run_sync

from configs.errors import AudioUnsupported, RequestTooLarge
from configs.sandbox.framing import head
from configs.sandbox.process import ProcessLost, SandboxedProcess, program_of
from configs.settings import Limits
from models import wav
from models.audio import SPEECH_RATE, AudioChunk
from models.mixing import FORMATS

PROCESSES: Final = 2
"""Recordings that are decoded at once: a small file may hold hours."""
FILES: Final = 200
"""After so many files a process is replaced."""

_PROGRAM: Final = program_of("models.decoder_program")
_PIECE: Final = 1_000_000
"""Bytes of a file that are on their way at once."""


class Decoder:
    """Decodes recordings, some at once; its processes are started when they are needed. See open_decoder."""

    def __init__(self, limits: Limits) -> None:
        self._seconds = limits.decode_seconds
        self._memory = limits.decode_bytes
        self._processes = [SandboxedProcess(_PROGRAM, FILES) for _ in range(PROCESSES)]
        self._idle = list(self._processes)
        self._places = Semaphore(PROCESSES)
        self._threads = CapacityLimiter(PROCESSES)

    async def decode(
        self, source: bytes | Path | IO[bytes], *, max_bytes: int, max_seconds: float, rate: int = SPEECH_RATE
    ) -> AudioChunk:
        """The whole recording at `rate` hertz, its channels averaged; stopped when cancelled.

        A file that is open is read from its beginning, and left open. A damaged or truncated recording gives the sound
        that can still be read, as long as there is any. Raises AudioUnsupported where there is none, or where FFmpeg
        breaks over it, and RequestTooLarge as soon as a limit is passed.
        """
        with await run_sync(_opened, source) as file:
            plain = partial(_plain, file, max_bytes, max_seconds, rate)
            sound = await run_sync(plain, limiter=self._threads)
            if sound is None:
                sound = await self._by_ffmpeg(file, max_seconds, rate)
        if not sound.samples:
            raise AudioUnsupported("the audio holds no samples", FORMATS)
        return sound

    async def warm(self) -> None:
        """Starts a process, so that the first recording need not wait for it."""
        with suppress(AudioUnsupported):
            await self._by_ffmpeg(io.BytesIO(), 1, SPEECH_RATE)

    async def aclose(self) -> None:
        """Ends the processes, whatever they are doing."""
        for process in self._processes:
            await process.aclose()

    async def _by_ffmpeg(self, file: IO[bytes], max_seconds: float, rate: int) -> AudioChunk:
        async with self._places:
            # The one that worked last is running.
            process = self._idle.pop()
            try:
                async with process.working(self._seconds):
                    header, pcm = await self._exchange(process, file, max_seconds, rate)
            except TimeoutError as error:
                raise AudioUnsupported(
                    f"decoding the audio took longer than {self._seconds:g} s (`limits.decode_seconds`)",
                    "Send a shorter recording, or raise that limit.",
                ) from error
            except ProcessLost as lost:
                raise AudioUnsupported(
                    f"the audio cannot be decoded: the process that decodes it {lost}", FORMATS
                ) from lost
            finally:
                self._idle.append(process)
        if "error" in header:
            kind = RequestTooLarge if header.get("too_large") is True else AudioUnsupported
            raise kind(str(header["error"]), str(header.get("hint", "")))
        return AudioChunk(pcm, rate)

    async def _exchange(
        self, process: SandboxedProcess, file: IO[bytes], max_seconds: float, rate: int
    ) -> tuple[dict[str, Any], bytes]:
        limits = {"seconds": self._seconds, "memory": self._memory}
        left = await run_sync(file.seek, 0, io.SEEK_END)
        await run_sync(file.seek, 0)
        await process.send(head({"limits": limits, "max_seconds": max_seconds, "rate": rate}, left))
        while left:
            piece = await run_sync(file.read, min(left, _PIECE))
            if not piece:
                raise AudioUnsupported("the file was cut while it was read", "Send it again when it is whole.")
            left -= len(piece)
            await process.send(piece)
        # The resampler may round up.
        header, pcm = await process.receive(2 * (int(max_seconds * rate) + rate))
        if len(pcm) % 2:
            raise ValueError("the answer ends within a sample")
        return header, pcm


@asynccontextmanager
async def open_decoder(limits: Limits) -> AsyncGenerator[Decoder, None]:
    """A decoder for some recordings; its processes end with the context."""
    decoder = Decoder(limits)
    try:
        yield decoder
    finally:
        await decoder.aclose()


async def decode(
    source: bytes | Path | IO[bytes], *, max_bytes: int, max_seconds: float, rate: int = SPEECH_RATE
) -> AudioChunk:
    """A single recording, as a decoder decodes it."""
    async with open_decoder(Limits()) as decoder:
        return await decoder.decode(source, max_bytes=max_bytes, max_seconds=max_seconds, rate=rate)


def _opened(source: bytes | Path | IO[bytes]) -> AbstractContextManager[IO[bytes]]:
    """Its bytes as a file. A pipe or a device, which may never end, is no recording."""
    if isinstance(source, bytes):
        return io.BytesIO(source)
    if not isinstance(source, Path):
        return nullcontext(source)
    if not source.is_file():
        raise AudioUnsupported(f"{str(source)!r} is not a file", "Give the path of a recording.")
    try:
        return source.open("rb")
    except OSError as error:
        raise AudioUnsupported(f"{str(source)!r} cannot be read: {error.strerror}", "Check its permissions.") from error


def _plain(file: IO[bytes], max_bytes: int, max_seconds: float, rate: int) -> AudioChunk | None:
    if file.seek(0, io.SEEK_END) > max_bytes:
        raise RequestTooLarge(
            f"the audio is larger than {max_bytes} bytes", "Send a shorter or a compressed recording."
        )
    return wav.decoded(file, max_seconds, rate, from_thread.check_cancelled)
