"""Sound as a stream of bytes in the formats that callers know, piece by piece; the counterpart of decoding."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

import av
import numpy as np
from av.filter import Graph

from models.audio import AudioChunk, Resampler

STREAM_RATE = 24_000
"""Hertz of every encoded stream."""

_UNKNOWN = b"\xff\xff\xff\xff"
"""The length of a WAV file that is still being made."""


@dataclass(frozen=True, slots=True)
class SoundFormat:
    """How a stream of sound is written."""

    media_type: str
    container: str = ""
    """FFmpeg's name; "" for bare samples."""
    codec: str = ""
    bit_rate: int | None = None
    """Bits a second, where the codec is told."""
    options: dict[str, str] = field(default_factory=dict)
    header: bytes = b""
    """What stands before bare samples."""


def _wav_header(rate: int) -> bytes:
    """The header of a 16-bit mono WAV file of unknown length."""
    numbers = (16).to_bytes(4, "little") + b"\1\0\1\0" + rate.to_bytes(4, "little") + (2 * rate).to_bytes(4, "little")
    return b"RIFF" + _UNKNOWN + b"WAVEfmt " + numbers + b"\2\0\x10\0" + b"data" + _UNKNOWN


FORMATS = {
    # Frames alone: clients put several files together.
    "mp3": SoundFormat(
        "audio/mpeg", "mp3", "libmp3lame", 64_000, {"write_xing": "0", "id3v2_version": "0", "write_id3v1": "0"}
    ),
    # A page at most every 50 ms: what is spoken leaves at once.
    "opus": SoundFormat("audio/ogg", "ogg", "libopus", 32_000, {"page_duration": "50000"}),
    "aac": SoundFormat("audio/aac", "adts", "aac", 64_000),
    "flac": SoundFormat("audio/flac", "flac", "flac"),
    "wav": SoundFormat("audio/wav", header=_wav_header(STREAM_RATE)),
    "pcm": SoundFormat(f"audio/pcm;rate={STREAM_RATE}"),
}
"""By OpenAI's names."""


class Encoder(Protocol):
    """Writes one stream."""

    def push(self, chunk: AudioChunk) -> bytes:
        """The bytes that are ready with this chunk, at STREAM_RATE."""
        ...

    def finish(self) -> bytes:
        """The rest; nothing may follow."""
        ...


def open_encoder(wanted: SoundFormat) -> Encoder:
    """An encoder of that format."""
    return _Compressed(wanted) if wanted.container else _Bare(wanted)


class _Bare:
    """Samples as they are."""

    def __init__(self, wanted: SoundFormat) -> None:
        self._header = wanted.header

    def push(self, chunk: AudioChunk) -> bytes:
        header, self._header = self._header, b""
        return header + chunk.pcm

    def finish(self) -> bytes:
        header, self._header = self._header, b""
        return header


class _Compressed:
    """FFmpeg's muxer and codec over bytes in memory."""

    def __init__(self, wanted: SoundFormat) -> None:
        self._sink = _Sink()
        # Each packet leaves the muxer at once.
        options = {**wanted.options, "flush_packets": "1"}
        self._container = av.open(self._sink, "w", format=wanted.container, options=options)
        stream = self._container.add_stream(wanted.codec, rate=STREAM_RATE, layout="mono")
        assert isinstance(stream, av.AudioStream)
        self._stream = stream
        if wanted.bit_rate:
            self._stream.bit_rate = wanted.bit_rate
        self._fitted = av.AudioResampler(self._stream.format, "mono", STREAM_RATE)
        self._samples = 0

    def push(self, chunk: AudioChunk) -> bytes:
        if chunk.samples:
            for frame in self._fitted.resample(_frame(chunk, self._samples)):
                self._container.mux(self._stream.encode(frame))
            self._samples += chunk.samples
        return self._sink.taken()

    def finish(self) -> bytes:
        self._container.mux(self._stream.encode(None))
        self._container.close()
        return self._sink.taken()


class _Sink:
    """Where a muxer writes that cannot go back."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def write(self, data: bytes) -> int:
        """Takes bytes."""
        self._bytes += data
        return len(data)

    def taken(self) -> bytes:
        """What was written since the last time."""
        taken = bytes(self._bytes)
        self._bytes.clear()
        return taken


class Tempo:
    """Makes a stream of speech faster or slower without changing its pitch, and brings it to another rate."""

    def __init__(self, source: int, target: int, factor: float) -> None:
        """`factor`: 0.5 to 100; 2 is twice as fast."""
        self._resampler = Resampler(source, target)
        self._source, self._target = source, target
        self._samples = 0
        self._graph = _stretching(target, factor) if factor != 1 else None

    def push(self, chunk: AudioChunk) -> AudioChunk:
        """The sound that is ready."""
        return self._stretched(self._resampler.push(chunk))

    def finish(self) -> AudioChunk:
        """The rest; nothing may follow."""
        rest = self._stretched(self._resampler.push(AudioChunk(b"", self._source), last=True))
        if self._graph is None or not self._samples:
            return rest
        self._graph.push(None)
        return AudioChunk(rest.pcm + b"".join(self._pulled()), self._target)

    def _stretched(self, chunk: AudioChunk) -> AudioChunk:
        if self._graph is None or not chunk.samples:
            return chunk
        self._graph.push(_frame(chunk, self._samples))
        self._samples += chunk.samples
        return AudioChunk(b"".join(self._pulled()), self._target)

    def _pulled(self) -> Iterator[bytes]:
        assert self._graph
        while True:
            try:
                frame = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            assert isinstance(frame, av.AudioFrame)
            yield frame.to_ndarray().astype("<i2").tobytes()


def _stretching(rate: int, factor: float) -> Graph:
    graph = Graph()
    source = graph.add_abuffer(sample_rate=rate, format="s16", layout="mono", time_base=Fraction(1, rate))
    graph.link_nodes(source, graph.add("atempo", f"{factor:.4f}"), graph.add("abuffersink")).configure()
    return graph


def _frame(chunk: AudioChunk, at: int) -> av.AudioFrame:
    """A chunk as FFmpeg's frame, which begins at that sample."""
    frame = av.AudioFrame.from_ndarray(np.frombuffer(chunk.pcm, "<i2").astype(np.int16)[None], "s16", "mono")
    frame.sample_rate, frame.time_base, frame.pts = chunk.rate, Fraction(1, chunk.rate), at
    return frame
