"""Plain WAV files, as voice clients send them: uncompressed samples are read as they stand, without FFmpeg."""

import io
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from models.audio import AudioChunk
from models.mixing import Frame, mixed, too_long

CHUNKS: Final = 64
"""Parts that a plain file has at the most."""
CHANNELS: Final = range(1, 65)

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_TYPES: Final = {(_PCM, 8): "u1", (_PCM, 16): "<i2", (_PCM, 24): "u1", (_PCM, 32): "<i4", (_FLOAT, 32): "<f4"}
_RIFF: Final = struct.Struct("<4s4x4s")
_CHUNK: Final = struct.Struct("<4sI")
_FORMAT: Final = struct.Struct("<HHI4xHH")
_EXTENSION: Final = struct.Struct("<HH4xI12s")
_SUBFORMAT: Final = bytes.fromhex("000010008000 00aa00389b71")
"""How the GUID of a format goes on after its number."""
_UNKNOWN: Final = (0, 0xFFFFFFFF)
"""Sizes that are written while nobody knows them yet."""
_READ: Final = 1_000_000
"""Bytes that are read at once."""


@dataclass(frozen=True, slots=True)
class _Samples:
    """Where the samples of a file are, and of what kind."""

    start: int
    size: int
    """Bytes that are there."""
    kind: tuple[int, int]
    """The format and its bits."""
    channels: int
    rate: int

    @property
    def width(self) -> int:
        """Bytes of a sample of each channel."""
        return self.channels * self.kind[1] // 8


def decoded(
    file: IO[bytes], max_seconds: float, rate: int, checkpoint: Callable[[], object] = lambda: None
) -> AudioChunk | None:
    """The whole recording at `rate` hertz, its channels averaged; None where it is no plain WAV.

    What is missing at the end is left out. `checkpoint` is called between reads and may raise to stop. Raises
    AudioUnsupported, RequestTooLarge.
    """
    found = _found(file)
    if found is None:
        return None
    if found.size // found.width > max_seconds * found.rate:
        raise too_long(max_seconds)
    return mixed(_frames(file, found, checkpoint), max_seconds, rate)


def _found(file: IO[bytes]) -> _Samples | None:
    """The samples of a plain WAV: one format, and one run of samples after it."""
    end = file.seek(0, io.SEEK_END)
    file.seek(0)
    opening = file.read(_RIFF.size)
    if len(opening) < _RIFF.size or _RIFF.unpack(opening) != (b"RIFF", b"WAVE"):
        return None
    described = None
    samples = None
    for number, (name, start, size) in enumerate(_chunks(file, end)):
        if number == CHUNKS:
            return None
        match name:
            case b"fmt " if described is None and samples is None:
                file.seek(start)
                described = _described(file.read(min(size, 40)))
            case b"data" if described is not None and samples is None:
                samples = _Samples(start, min(size, end - start), *described)
            case b"fmt " | b"data":
                return None
    return samples


def _chunks(file: IO[bytes], end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and size of each part. Samples of an unknown size go on to the end."""
    at = _RIFF.size
    while True:
        file.seek(at)
        head = file.read(_CHUNK.size)
        if len(head) < _CHUNK.size:
            return
        name, size = _CHUNK.unpack(head)
        start = at + _CHUNK.size
        if name == b"data" and size in _UNKNOWN:
            size = end - start
        yield name, start, size
        at = start + size + size % 2


def _described(data: bytes) -> tuple[tuple[int, int], int, int] | None:
    """Kind, channels and rate; None for what is not plain."""
    if len(data) < _FORMAT.size:
        return None
    tag, channels, rate, width, bits = _FORMAT.unpack_from(data)
    if tag == _EXTENSIBLE and len(data) == _FORMAT.size + _EXTENSION.size:
        _, valid, tag, rest = _EXTENSION.unpack_from(data, _FORMAT.size)
        if rest != _SUBFORMAT or valid not in (0, bits):
            return None
    plain = (tag, bits) in _TYPES and channels in CHANNELS and rate > 0 and width * 8 == channels * bits
    return ((tag, bits), channels, rate) if plain else None


def _frames(file: IO[bytes], found: _Samples, checkpoint: Callable[[], object]) -> Iterator[Frame]:
    file.seek(found.start)
    left = found.size // found.width
    while left > 0:
        checkpoint()
        data = file.read(min(left, found.rate, _READ // found.width) * found.width)
        whole = len(data) // found.width
        if not whole:
            return
        left -= whole
        samples = _unpacked(data[: whole * found.width], found.kind)
        yield Frame(samples.reshape(-1, found.channels).T, found.rate)


def _unpacked(data: bytes, kind: tuple[int, int]) -> npt.NDArray[Any]:
    samples = np.frombuffer(data, _TYPES[kind])
    if kind != (_PCM, 24):
        return samples
    # As the upper three bytes of four.
    wide = np.zeros((len(samples) // 3, 4), np.uint8)
    wide[:, 1:] = samples.reshape(-1, 3)
    return wide.view("<i4")[:, 0]
