"""Frames of recorded sound as PCM16 mono at one rate: counted against the limits first; knows no file."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from configs.errors import AudioUnsupported, RequestTooLarge
from models.audio import AudioChunk, Floats, Resampler, from_floats, joined

FORMATS = "Send WAV, FLAC, Ogg, MP3, WebM, M4A or AAC."
"""What is said of sound that cannot be read."""

RATES = range(4_000, 768_001)
"""Hertz that a recording may have."""

SAMPLES = 192_000
"""Of all channels together, for each second of the limit: as many as 96 kHz in stereo have."""

BLOCK = 1.0
"""Seconds of sound that are resampled at once."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Some samples of a recording."""

    samples: npt.NDArray[Any]
    """Shape (channels, samples): floats between -1 and 1, or integers of their whole range."""
    rate: int
    """Hertz."""


def mixed(frames: Iterator[Frame], max_seconds: float, rate: int) -> AudioChunk:
    """All frames at `rate` hertz, their channels averaged. Raises AudioUnsupported, RequestTooLarge."""
    return joined(_resampled(_limited(frames, max_seconds), rate), rate)


def too_long(max_seconds: float) -> RequestTooLarge:
    """What is said of a recording that has more seconds."""
    return RequestTooLarge(f"the audio is longer than {max_seconds:g} seconds", "Send a shorter recording.")


def _limited(frames: Iterator[Frame], max_seconds: float) -> Iterator[Frame]:
    """The frames, until they sound longer than the limit; counted before anything is resampled or kept."""
    seconds, samples = Fraction(), 0
    for frame in frames:
        if frame.rate not in RATES:
            raise AudioUnsupported(
                f"the audio has {frame.rate} samples a second", f"Use {RATES.start} to {RATES.stop - 1} Hz."
            )
        seconds += Fraction(frame.samples.shape[1], frame.rate)
        samples += frame.samples.size
        if seconds > max_seconds:
            raise too_long(max_seconds)
        if samples > max_seconds * SAMPLES:
            raise RequestTooLarge(
                f"the audio has more than {max_seconds * SAMPLES:.0f} samples", "Send fewer channels, at a lower rate."
            )
        yield frame


def _resampled(frames: Iterator[Frame], rate: int) -> Iterator[AudioChunk]:
    """The frames at one rate; a stream may change its own rate on the way."""
    resampler, source = Resampler(rate, rate), rate
    for block, its_rate in _blocks(frames):
        if its_rate != source:
            yield resampler.push(AudioChunk(b"", source), last=True)
            resampler, source = Resampler(its_rate, rate), its_rate
        yield resampler.push(from_floats(block, source))
    yield resampler.push(AudioChunk(b"", source), last=True)


def _blocks(frames: Iterator[Frame]) -> Iterator[tuple[Floats, int]]:
    """The frames' samples, about a BLOCK at once, and their rate: a frame is too little to be worth the calls."""
    waiting: list[Floats] = []
    rate = samples = 0
    for frame in frames:
        if waiting and (frame.rate != rate or samples >= BLOCK * rate):
            yield np.concatenate(waiting), rate
            waiting, samples = [], 0
        rate = frame.rate
        samples += frame.samples.shape[1]
        waiting.append(_mono(frame.samples))
    if waiting:
        yield np.concatenate(waiting), rate


def _mono(samples: npt.NDArray[Any]) -> Floats:
    """The mean of the channels, shape (samples,), between -1 and 1."""
    scaled = _scaled(samples)
    return scaled[0] if len(scaled) == 1 else np.asarray(scaled.mean(axis=0), dtype=np.float32)


def _scaled(samples: npt.NDArray[Any]) -> Floats:
    """Samples of any type between -1 and 1."""
    floats = samples.astype(np.float32)
    if samples.dtype.kind == "f":
        return np.nan_to_num(floats, copy=False, nan=0.0, posinf=1.0, neginf=-1.0)
    half = 2.0 ** (8 * samples.dtype.itemsize - 1)
    if samples.dtype.kind == "u":
        floats -= np.float32(half)
    floats /= np.float32(half)
    return floats
