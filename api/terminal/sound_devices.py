"""The machine's microphone and loudspeaker, through PortAudio; knows nothing of what is said."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from threading import Lock
from typing import Any, Final

from anyio import BrokenResourceError, CancelScope, ClosedResourceError, WouldBlock, create_memory_object_stream, sleep
from anyio.to_thread import run_sync

from configs.errors import EngineNotInstalled, EngineUnavailable
from models.audio import SPEECH_RATE, AudioChunk

FRAME: Final = 512
"""Samples that the microphone hands over at a time."""

BUFFERED: Final = 64
"""Frames that wait to be heard, at most 2 s; after that the oldest is lost."""

_SAMPLE: Final = 2
"""Bytes of a sample."""


def load_devices() -> Any:  # noqa: ANN401  # a package without types
    """The sounddevice package. Raises EngineNotInstalled with the command that installs what is missing."""
    try:
        import sounddevice
    except ImportError as error:
        raise EngineNotInstalled(
            "the package sounddevice is not installed",
            "In a checkout: make setup EXTRAS=mic; else: pip install sounddevice.",
        ) from error
    except OSError as error:
        raise EngineNotInstalled(
            "the PortAudio library is not installed",
            "sudo apt install libportaudio2 (Debian, Ubuntu); sudo dnf install portaudio (Fedora); "
            "brew install portaudio (macOS).",
        ) from error
    return sounddevice


@asynccontextmanager
async def open_microphone(devices: Any) -> AsyncGenerator[AsyncIterator[AudioChunk], None]:  # noqa: ANN401
    """What the microphone hears, as it is heard. Raises EngineUnavailable where none can be opened."""
    loop = asyncio.get_running_loop()
    send, receive = create_memory_object_stream[AudioChunk](BUFFERED)

    def deliver(chunk: AudioChunk) -> None:
        with suppress(BrokenResourceError, ClosedResourceError):
            try:
                send.send_nowait(chunk)
            except WouldBlock:
                receive.receive_nowait()
                send.send_nowait(chunk)

    def heard(data: Any, frames: int, time: object, status: object) -> None:  # noqa: ANN401
        loop.call_soon_threadsafe(deliver, AudioChunk(bytes(data), SPEECH_RATE))

    def start() -> Any:  # noqa: ANN401
        stream = devices.RawInputStream(
            samplerate=SPEECH_RATE, blocksize=FRAME, channels=1, dtype="int16", callback=heard
        )
        stream.start()
        return stream

    async with send, receive, _running(devices, "microphone", start):
        yield receive


class Loudspeaker:
    """Plays what is added, in order, until it is cut."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._lock = Lock()

    @property
    def playing(self) -> bool:
        """Whether something waits to be played."""
        return bool(self._waiting)

    def add(self, chunk: AudioChunk) -> None:
        """Plays the chunk after those that wait."""
        with self._lock:
            self._waiting += chunk.pcm

    def cut(self) -> None:
        """Drops what waits; silence follows at once."""
        with self._lock:
            self._waiting.clear()

    async def wait_played(self) -> None:
        """Waits until nothing waits to be played."""
        while self._waiting:  # noqa: ASYNC110  # PortAudio's thread empties it, and must not wait for us
            await sleep(0.02)

    def fill(self, out: Any, frames: int, time: object, status: object) -> None:  # noqa: ANN401
        """Hands PortAudio the next samples, and silence where there are none; runs on PortAudio's thread."""
        size = frames * _SAMPLE
        with self._lock:
            piece = bytes(self._waiting[:size])
            del self._waiting[:size]
        out[:] = piece.ljust(size, b"\0")


@asynccontextmanager
async def open_loudspeaker(devices: Any, rate: int) -> AsyncGenerator[Loudspeaker, None]:  # noqa: ANN401
    """A loudspeaker for sound of that rate. Raises EngineUnavailable where none can be opened."""
    loudspeaker = Loudspeaker()

    def start() -> Any:  # noqa: ANN401
        stream = devices.RawOutputStream(samplerate=rate, channels=1, dtype="int16", callback=loudspeaker.fill)
        stream.start()
        return stream

    async with _running(devices, "loudspeaker", start):
        yield loudspeaker


@asynccontextmanager
async def _running(devices: Any, what: str, start: Callable[[], Any]) -> AsyncGenerator[None, None]:  # noqa: ANN401
    """Keeps a stream running."""
    try:
        stream = await run_sync(start)
    except devices.PortAudioError as error:
        raise EngineUnavailable(
            f"the {what} cannot be opened: {error}", "Plug one in and choose it in the system's sound settings."
        ) from error
    try:
        yield
    finally:
        with CancelScope(shield=True):
            await run_sync(lambda: (stream.abort(), stream.close()))
