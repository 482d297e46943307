"""eSpeak NG: speaks Chinese and English from a wheel; the C library is one for the whole process, and shared here."""

import ctypes
import math
import threading
import unicodedata
from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path
from typing import Any

from anyio import CancelScope

from configs.errors import EngineFailed, EngineNotInstalled, RequestError
from models.audio import AudioChunk, AudioFormat
from models.text_to_speech import Voice
from models.worker import EngineThread

_REMEDY = "pip install --force-reinstall espeakng-loader"
_RATE, _PITCH = 1, 3
"""Numbers of espeak_PARAMETER."""
_SYNCHRONOUS, _DO_NOT_EXIT, _CHARS_UTF8 = 0x02, 0x8000, 0x01
"""Flags from speak_lib.h: samples go to the callback within the call; errors are returned; SSML stays off."""
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
_WORDS_A_MINUTE = 175
"""eSpeak's own pace, which speed 1 stands for."""
VARIANTS = {
    "default": "", "alloy": "f1", "ash": "m1", "ballad": "m3", "cedar": "m8", "coral": "f2", "echo": "m2",
    "fable": "m4", "marin": "f3", "nova": "f4", "onyx": "m7", "sage": "Annie", "shimmer": "f5", "verse": "m5",
}  # fmt: skip
"""The names of voices, OpenAI's among them, and eSpeak's variant for each."""


class EspeakNg:
    """A TextToSpeech; a second of speech takes a millisecond, so a clause is made whole and handed on in pieces."""

    name = "espeak-ng"
    languages = ("en", "zh")
    voices = tuple(VARIANTS)

    def __init__(self, thread: EngineThread, rate: int) -> None:
        self._thread = thread
        self.format = AudioFormat(rate)
        self._closed = False

    @classmethod
    async def open(cls) -> "EspeakNg":
        """The engine on the library and voices in the wheel. Raises EngineNotInstalled, EngineFailed."""
        thread = EngineThread("espeak-ng")
        try:
            # A few milliseconds, after which somebody must be there to release it.
            with CancelScope(shield=True):
                rate = await thread.call(_library.acquire)
        except BaseException:
            await thread.aclose()
            raise
        return cls(thread, rate)

    async def synthesize(self, text: str, *, language: str, voice: Voice) -> AsyncGenerator[AudioChunk, None]:
        """Speaks one clause in chunks of at most 60 ms; pitch reaches from 0.6 to 1.7.

        Raises EngineFailed, and RequestError for a voice that is none of VARIANTS.
        """
        name = voice_name(text, language, voice.name)
        if not is_speakable(text):
            return
        stop = threading.Event()
        work = partial(_library.speak, text, name, voice, stop)
        for pcm in await self._thread.call(work, stop.set):
            yield AudioChunk(pcm, self.format.rate)

    async def aclose(self) -> None:
        """Frees the library when its last user closes."""
        if not self._closed:
            self._closed = True
            with CancelScope(shield=True):
                await self._thread.call(_library.release)
                await self._thread.aclose()


class _Library:
    """The C library: one voice, one callback, one set of parameters in a process, so one caller at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._rate = 0
        self._c: Any = None

    def acquire(self) -> int:
        """Opens the library for one more user; the rate of its speech in hertz."""
        with self._lock:
            if not self._users:
                self._c, self._rate = _initialized()
            self._users += 1
            return self._rate

    def release(self) -> None:
        """Closes it with its last user."""
        with self._lock:
            self._users -= 1
            if not self._users:
                self._c.espeak_Terminate()

    def speak(self, text: str, name: str, voice: Voice, stop: threading.Event) -> list[bytes]:
        """The speech in pieces, none for a text with nothing to say; `stop` ends it within one piece."""
        pieces: list[bytes] = []

        def take(samples: int | None, count: int, events: int | None) -> int:
            if samples and count:
                pieces.append(ctypes.string_at(samples, 2 * count))
            return int(stop.is_set())

        callback = _CALLBACK(take)
        # A C string ends at its first zero byte.
        spoken = text.replace("\0", " ").encode(errors="replace")
        with self._lock:
            _expect(self._c.espeak_SetVoiceByName(name.encode()), f"it has no voice {name!r}")
            self._c.espeak_SetParameter(_RATE, round(_WORDS_A_MINUTE * voice.speed), 0)
            self._c.espeak_SetParameter(_PITCH, pitch_number(voice.pitch), 0)
            self._c.espeak_SetSynthCallback(callback)
            _expect(self._c.espeak_Synth(spoken, len(spoken) + 1, 0, 1, 0, _CHARS_UTF8, None, None), "it cannot speak")
        return pieces if any(any(piece) for piece in pieces) else []


_library = _Library()


def is_speakable(text: str) -> bool:
    """Whether anything in a text is more than punctuation, space and control characters."""
    return any(unicodedata.category(character)[0] not in "PZC" for character in text)


def voice_name(text: str, language: str, voice: str = "default") -> str:
    """eSpeak's voice for a text; the Mandarin one also speaks English words, the English one no Han characters.

    Raises RequestError for a name that is none of VARIANTS.
    """
    if voice not in VARIANTS:
        raise RequestError(f"there is no voice {voice!r}", f"Use one of: {', '.join(sorted(VARIANTS))}.")
    has_han = any("\u3400" <= character <= "\u9fff" for character in text)
    base = "cmn" if language == "zh" or has_han else "en-us"
    return f"{base}+{VARIANTS[voice]}" if VARIANTS[voice] else base


def pitch_number(pitch: float) -> int:
    """A factor of pitch on eSpeak's scale of 0 to 100, where 50 is its own and 72 are an octave, as measured."""
    return min(100, max(0, round(50 + 72 * math.log2(pitch))))


def _initialized() -> tuple[Any, int]:
    try:
        import espeakng_loader
    except ImportError as error:
        raise EngineNotInstalled("eSpeak NG is not installed", "pip install espeakng-loader") from error
    try:
        library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path()
    except (OSError, RuntimeError) as error:
        raise EngineFailed(f"eSpeak NG cannot be loaded: {error}", _REMEDY) from error
    # Opened a second time, eSpeak does not report missing data.
    if not (Path(data) / "phontab").is_file():
        raise EngineFailed(f"eSpeak NG has no voices in {data!r}", _REMEDY)
    rate = int(library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), _DO_NOT_EXIT))
    if rate <= 0:
        raise EngineFailed(f"eSpeak NG cannot read its voices in {data!r}", _REMEDY)
    return library, rate


def _expect(status: int, complaint: str) -> None:
    """Raises EngineFailed for a status that is not eSpeak's EE_OK."""
    if status:
        raise EngineFailed(f"eSpeak NG failed: {complaint} (status {status})", _REMEDY)
