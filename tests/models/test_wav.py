"""Plain WAV files against FFmpeg, which reads the same ones to the very sample; and files that are no such."""

import io
import struct
import time
import wave
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from configs.errors import AudioUnsupported, RequestTooLarge
from models import ffmpeg, wav
from models.audio import AudioChunk

KINDS = {"8 bits": (1, 8), "16 bits": (1, 16), "24 bits": (1, 24), "32 bits": (1, 32), "float": (3, 32)}
GUID = bytes.fromhex("000010008000 00aa00389b71")


def riff(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def chunk(name: bytes, data: bytes, size: int | None = None) -> bytes:
    return name + struct.pack("<I", len(data) if size is None else size) + data + bytes(len(data) % 2)


def described(tag: int, bits: int, channels: int, rate: int, *, extended: bool = False) -> bytes:
    """The `fmt ` chunk, as Microsoft's "Multiple Channel Audio Data and WAVE Files" lays it out."""
    width = channels * bits // 8
    plain = struct.pack("<HIIHH", channels, rate, rate * width, width, bits)
    if not extended:
        return chunk(b"fmt ", struct.pack("<H", tag) + plain)
    extension = struct.pack("<HHII", 22, bits, 0, tag) + GUID
    return chunk(b"fmt ", struct.pack("<H", 0xFFFE) + plain + extension)


def noise(tag: int, bits: int, samples: int, seed: int = 0) -> bytes:
    """Any value that such a sample may have, also floats that are none."""
    made = np.random.default_rng(seed)
    if tag == 1:
        return made.bytes(samples * bits // 8)
    floats = made.uniform(-1.2, 1.2, samples).astype("<f4")
    floats[:: max(1, samples // 3)] = [np.nan, np.inf, -np.inf, 0][seed % 4]
    return floats.tobytes()


def read(data: bytes, rate: int = 16_000, max_seconds: float = 60) -> AudioChunk | None:
    return wav.decoded(io.BytesIO(data), max_seconds, rate)


def by_ffmpeg(data: bytes, rate: int = 16_000) -> AudioChunk:
    return ffmpeg.decoded(io.BytesIO(data), 60, rate)


def sound(read: Callable[[], AudioChunk | None]) -> bytes:
    """What is read, also where it is nothing."""
    try:
        found = read()
    except AudioUnsupported:
        return b""
    return found.pcm if found else b""


@given(
    kind=st.sampled_from([*KINDS]),
    channels=st.integers(1, 8),
    source=st.sampled_from([4_000, 8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000]),
    rate=st.sampled_from([16_000, 24_000]),
    samples=st.integers(1, 30_000),
    cut=st.integers(0, 20),
    extended=st.booleans(),
    seed=st.integers(0, 100),
)
@example("16 bits", 1, 48_000, 16_000, 200_000, 0, False, 1)
@example("24 bits", 2, 44_100, 16_000, 200_001, 5, True, 2)
@example("float", 3, 22_050, 24_000, 100_000, 3, False, 3)
def test_every_sample_is_the_one_that_ffmpeg_reads(
    kind: str, channels: int, source: int, rate: int, samples: int, cut: int, extended: bool, seed: int
) -> None:
    tag, bits = KINDS[kind]
    last = chunk(b"data", noise(tag, bits, samples * channels, seed))
    data = riff(described(tag, bits, channels, source, extended=extended), last)
    data = data[: len(data) - cut]
    assert sound(partial(read, data, rate)) == sound(partial(by_ffmpeg, data, rate))


def test_the_standard_library_writes_such_files() -> None:
    samples = np.arange(-800, 800, dtype="<i2").tobytes()
    file = io.BytesIO()
    with wave.open(file, "wb") as output:
        output.setparams((1, 2, 16_000, 0, "NONE", ""))
        output.writeframes(samples)
    assert read(file.getvalue()) == AudioChunk(samples, 16_000)


SAMPLES = noise(1, 16, 1_601)
FORMAT = described(1, 16, 1, 16_000)
PLAIN = {
    "a size that nobody knew yet": riff(FORMAT, chunk(b"data", SAMPLES, 0xFFFFFFFF)),
    "a size that was never written": riff(FORMAT, chunk(b"data", SAMPLES, 0)),
    "a RIFF without its size": b"RIFF\xff\xff\xff\xff" + riff(FORMAT, chunk(b"data", SAMPLES, 0xFFFFFFFF))[8:],
    "parts before and after": riff(
        chunk(b"JUNK", bytes(27)), FORMAT, chunk(b"LIST", b"INFOISFT\3\0\0\0abc"), chunk(b"data", SAMPLES),
        chunk(b"id3 ", b"some tag"),
    ),
    "garbage after": riff(FORMAT, chunk(b"data", SAMPLES)) + b"\xff" * 21,
    "a truncated end": riff(FORMAT, chunk(b"data", SAMPLES, len(SAMPLES) + 1_000)),
    "half a sample at the end": riff(FORMAT, chunk(b"data", SAMPLES + b"x", len(SAMPLES) + 1_000))[:-1],
}  # fmt: skip


@pytest.mark.parametrize("name", PLAIN)
def test_what_recorders_write(name: str) -> None:
    assert read(PLAIN[name]) == AudioChunk(SAMPLES, 16_000) == by_ffmpeg(PLAIN[name])


def changed(at: int, value: int) -> bytes:
    """With another number in its format."""
    data = bytearray(riff(FORMAT, chunk(b"data", SAMPLES)))
    struct.pack_into("<H", data, 20 + at, value)
    return bytes(data)


OTHER: dict[str, bytes] = {
    "nothing": b"",
    "a header alone": riff(FORMAT),
    "half a header": riff(FORMAT)[:20],
    "no format": riff(chunk(b"data", SAMPLES)),
    "a format afterwards": riff(chunk(b"data", SAMPLES), FORMAT),
    "two formats": riff(FORMAT, FORMAT, chunk(b"data", SAMPLES)),
    "two runs of samples": riff(FORMAT, chunk(b"data", SAMPLES), chunk(b"data", SAMPLES)),
    "mu-law": riff(described(7, 8, 1, 8_000), chunk(b"data", SAMPLES)),
    "doubles": riff(described(3, 64, 1, 16_000), chunk(b"data", SAMPLES)),
    "12 bits": changed(14, 12),
    "no channels": changed(2, 0),
    "frames of another width": changed(12, 3),
    "no rate": riff(described(1, 16, 1, 0), chunk(b"data", SAMPLES)),
    "big endian": b"RIFX" + riff(FORMAT, chunk(b"data", SAMPLES))[4:],
    "64 bits of size": b"RF64" + riff(FORMAT, chunk(b"data", SAMPLES))[4:],
    "another GUID": riff(described(1, 16, 1, 16_000, extended=True), chunk(b"data", SAMPLES)).replace(
        GUID[2:], bytes(12)
    ),
    "parts before its samples": riff(FORMAT, *[chunk(b"JUNK", b"")] * 100, chunk(b"data", SAMPLES)),
    "parts without end": riff(FORMAT, chunk(b"data", SAMPLES), *[chunk(b"JUNK", b"")] * 100),
}


@pytest.mark.parametrize("name", OTHER)
def test_anything_else_is_left_to_ffmpeg(name: str) -> None:
    assert read(OTHER[name]) is None


def test_millions_of_parts_are_not_looked_through() -> None:
    data = riff(*[chunk(b"JUNK", b"")] * 3_000_000)
    began = time.process_time()
    assert read(data) is None
    assert time.process_time() - began < 0.1


class Counted(io.BytesIO):
    """A file that says how much of it was read."""

    bytes_read = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.bytes_read += len(data)
        return data


def test_too_long_a_file_is_refused_before_it_is_read() -> None:
    file = Counted(riff(FORMAT, chunk(b"data", bytes(32_002 * 10))))
    with pytest.raises(RequestTooLarge, match="longer than 10 seconds"):
        wav.decoded(file, 10, 16_000)
    assert file.bytes_read < 100


def test_many_channels_are_stopped_while_they_are_read() -> None:
    file = Counted(riff(described(1, 8, 64, 768_000), chunk(b"data", bytes(20_000_000))))
    with pytest.raises(RequestTooLarge, match="more than 192000 samples"):
        wav.decoded(file, 1, 16_000)
    assert file.bytes_read < 2_000_000


@pytest.mark.parametrize("rate", [3_999, 768_001])
def test_a_rate_that_no_recorder_has_is_refused(rate: int) -> None:
    with pytest.raises(AudioUnsupported, match=f"{rate} samples a second"):
        read(riff(described(1, 16, 1, rate), chunk(b"data", SAMPLES)))


@given(st.binary(max_size=60), st.integers(0, 60), st.sampled_from([*PLAIN.values()]))
def test_damaged_headers_give_sound_or_a_proper_refusal(damage: bytes, at: int, data: bytes) -> None:
    damaged: Any = bytearray(data)
    damaged[at : at + len(damage)] = damage
    try:
        read(bytes(damaged))
    except (AudioUnsupported, RequestTooLarge):
        return
