"""Audio in motion: PCM16 mono that carries its own rate; the only place that resamples."""

import io
import wave
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import soxr

SPEECH_RATE = 16_000
"""Hertz; what voice activity detection and speech to text work at."""

Floats: TypeAlias = npt.NDArray[np.float32]
"""Samples between -1 and 1, shape (samples,)."""


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """What a stream of audio is made of; always 16-bit little-endian mono."""

    rate: int
    """Hertz."""


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """A piece of sound."""

    pcm: bytes
    """Signed 16-bit little-endian mono samples."""

    rate: int
    """Hertz."""

    @property
    def samples(self) -> int:
        """How many samples there are."""
        return len(self.pcm) // 2

    @property
    def seconds(self) -> float:
        """How long it sounds."""
        return self.samples / self.rate

    def floats(self) -> Floats:
        """The samples as float32 between -1 and 1, shape (samples,)."""
        return np.frombuffer(self.pcm, dtype="<i2").astype(np.float32) / 32768.0

    def resampled(self, rate: int) -> "AudioChunk":
        """The whole sound at another rate; for a stream of chunks use a Resampler."""
        if rate == self.rate:
            return self
        return from_floats(np.asarray(soxr.resample(self.floats(), self.rate, rate), dtype=np.float32), rate)


class Resampler:
    """Changes the rate of a stream, chunk by chunk, without clicks where chunks meet."""

    def __init__(self, source: int, target: int) -> None:
        self._target = target
        self._stream = None if source == target else soxr.ResampleStream(source, target, 1, dtype="float32")

    def push(self, chunk: AudioChunk, *, last: bool = False) -> AudioChunk:
        """The samples that are ready; with `last`, the tail as well."""
        if self._stream is None:
            return chunk
        return from_floats(self._stream.resample_chunk(chunk.floats(), last=last), self._target)


def from_floats(samples: Floats, rate: int) -> AudioChunk:
    """Float samples (clipped to -1..1) as a chunk."""
    scaled = np.clip(np.round(samples * 32768.0), -32768, 32767)
    return AudioChunk(scaled.astype("<i2").tobytes(), rate)


def silence(seconds: float, rate: int) -> AudioChunk:
    """That much silence."""
    return AudioChunk(bytes(2 * round(seconds * rate)), rate)


def joined(chunks: Iterable[AudioChunk], rate: int) -> AudioChunk:
    """Chunks of one rate as one sound; `rate` is what nothing at all sounds at."""
    parts = list(chunks)
    rates = {part.rate for part in parts} or {rate}
    assert len(rates) == 1, f"chunks of several rates: {sorted(rates)}"
    return AudioChunk(b"".join(part.pcm for part in parts), rates.pop())


def wav_bytes(sound: AudioChunk) -> bytes:
    """The sound as a WAV file's bytes."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sound.rate)
        file.writeframes(sound.pcm)
    return buffer.getvalue()


def write_wav(path: Path, sound: AudioChunk) -> None:
    """Writes the sound as a WAV file; blocking."""
    path.write_bytes(wav_bytes(sound))
