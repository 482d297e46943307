"""Recorded audio as PCM16 mono: one file's own bytes in, capped in bytes and in seconds; opens nothing else."""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import anyio.to_thread
import av
import numpy as np
import numpy.typing as npt
from anyio import from_thread

from configs.errors import AudioUnsupported, RequestTooLarge
from models.audio import SPEECH_RATE, AudioChunk, Floats, Resampler, from_floats, joined

CONTAINERS = ("wav", "flac", "ogg", "mp3", "matroska", "mov", "aac")
"""FFmpeg's names of the formats that are read. Playlists and scripts, which name other files, are not among them."""

RATES = range(4_000, 768_001)
"""Hertz that a recording may have."""

SAMPLES = 192_000
"""Of all channels together, for each second of the limit: as many as 96 kHz in stereo have."""

BLOCK = 1.0
"""Seconds of sound that are resampled at once."""

SLACK = 1.0
"""Seconds that packets may say beyond the limit: the frames, which begin and end within them, are what is counted."""

_FORMATS = "Send WAV, FLAC, Ogg, MP3, WebM, M4A or AAC."
# FFmpeg refuses any other container before it reads a header, and any protocol: a file cannot make it open another one.
_OPTIONS = {"format_whitelist": ",".join(CONTAINERS), "protocol_whitelist": "none"}
# Only what the header says is found out, not what is in the first megabytes.
_AT_ONCE = {"probesize": "32"}


def _carry_on() -> None:
    """For callers that are never cancelled."""


async def decode(
    source: bytes | Path | IO[bytes], *, max_bytes: int, max_seconds: float, rate: int = SPEECH_RATE
) -> AudioChunk:
    """The whole recording at `rate` hertz, its channels averaged; decoded in a thread, and stopped when cancelled.

    A file that is open is read from its beginning, and left open. A damaged or truncated recording gives the sound that
    can still be read, as long as there is any. Raises AudioUnsupported where there is none, RequestTooLarge as soon as
    a limit is passed.
    """

    def work() -> AudioChunk:
        return decode_blocking(
            source, max_bytes=max_bytes, max_seconds=max_seconds, rate=rate, checkpoint=from_thread.check_cancelled
        )

    return await anyio.to_thread.run_sync(work)


def decode_blocking(
    source: bytes | Path | IO[bytes],
    *,
    max_bytes: int,
    max_seconds: float,
    rate: int = SPEECH_RATE,
    checkpoint: Callable[[], None] = _carry_on,
) -> AudioChunk:
    """As `decode`, on this thread; `checkpoint` is called between packets and may raise to stop."""
    with _file(source) as file:
        if file.seek(0, io.SEEK_END) > max_bytes:
            raise RequestTooLarge(
                f"the audio is larger than {max_bytes} bytes", "Send a shorter or a compressed recording."
            )
        sound = _decoded(file, max_seconds, rate, checkpoint)
    if not sound.samples:
        raise AudioUnsupported("the audio holds no samples", _FORMATS)
    return sound


def _file(source: bytes | Path | IO[bytes]) -> AbstractContextManager[IO[bytes]]:
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


def _decoded(file: IO[bytes], max_seconds: float, rate: int, checkpoint: Callable[[], None]) -> AudioChunk:
    with suppress(av.error.FFmpegError), _opened(file, _AT_ONCE) as container:
        _check_length(container, max_seconds, checkpoint)
    try:
        with _opened(file, {}) as container:
            return joined(_resampled(_limited(_frames(container, checkpoint), max_seconds), rate), rate)
    except av.error.FFmpegError as error:
        raise AudioUnsupported(f"this is not audio that can be decoded: {error.strerror}", _FORMATS) from error


def _opened(file: IO[bytes], options: Mapping[str, str]) -> av.container.InputContainer:
    file.seek(0)
    return av.open(file, "r", metadata_errors="ignore", options={**_OPTIONS, **options})


def _check_length(container: av.container.InputContainer, max_seconds: float, checkpoint: Callable[[], None]) -> None:
    """Refuses hours of sound before any of it is decoded, by what the packets say of themselves.

    Those that say nothing, or too little, are found out while they are decoded.
    """
    if not container.streams.audio:
        return
    stream = container.streams.audio[0]
    # An Ogg's last page, which is there, says when it ends.
    if container.format.name == "ogg" and (container.duration or 0) / av.time_base > max_seconds + SLACK:
        raise _too_long(max_seconds)
    most, said = (max_seconds + SLACK) / (stream.time_base or 1), 0
    for packet in _packets(container, stream):
        checkpoint()
        said += packet.duration or 0
        if said > most:
            raise _too_long(max_seconds)


def _too_long(max_seconds: float) -> RequestTooLarge:
    return RequestTooLarge(f"the audio is longer than {max_seconds:g} seconds", "Send a shorter recording.")


def _frames(container: av.container.InputContainer, checkpoint: Callable[[], None]) -> Iterator[av.AudioFrame]:
    """The frames of the first audio stream; a damaged packet is passed over, as players do."""
    if not container.streams.audio:
        raise AudioUnsupported("the file holds no audio", _FORMATS)
    stream = container.streams.audio[0]
    for packet in _packets(container, stream):
        checkpoint()
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            continue
        yield from frames


def _packets(container: av.container.InputContainer, stream: av.AudioStream) -> "Iterator[av.Packet[av.AudioStream]]":
    """The stream's packets, up to where the container can be read."""
    try:
        yield from container.demux(stream)
    except av.error.InvalidDataError:
        return


def _limited(frames: Iterator[av.AudioFrame], max_seconds: float) -> Iterator[av.AudioFrame]:
    """The frames, until they sound longer than the limit; counted before anything is resampled or kept."""
    seconds, samples = Fraction(), 0
    for frame in frames:
        if frame.sample_rate not in RATES:
            raise AudioUnsupported(
                f"the audio has {frame.sample_rate} samples a second", f"Use {RATES.start} to {RATES.stop - 1} Hz."
            )
        seconds += Fraction(frame.samples, frame.sample_rate)
        samples += frame.samples * frame.layout.nb_channels
        if seconds > max_seconds:
            raise _too_long(max_seconds)
        if samples > max_seconds * SAMPLES:
            raise RequestTooLarge(
                f"the audio has more than {max_seconds * SAMPLES:.0f} samples", "Send fewer channels, at a lower rate."
            )
        yield frame


def _resampled(frames: Iterator[av.AudioFrame], rate: int) -> Iterator[AudioChunk]:
    """The frames at one rate; a stream may change its own rate on the way."""
    resampler, source = Resampler(rate, rate), rate
    for block, its_rate in _blocks(frames):
        if its_rate != source:
            yield resampler.push(AudioChunk(b"", source), last=True)
            resampler, source = Resampler(its_rate, rate), its_rate
        yield resampler.push(from_floats(block, source))
    yield resampler.push(AudioChunk(b"", source), last=True)


def _blocks(frames: Iterator[av.AudioFrame]) -> Iterator[tuple[Floats, int]]:
    """The frames' samples, about a BLOCK at once, and their rate: a frame is too little to be worth the calls."""
    waiting: list[Floats] = []
    rate = samples = 0
    for frame in frames:
        if waiting and (frame.sample_rate != rate or samples >= BLOCK * rate):
            yield np.concatenate(waiting), rate
            waiting, samples = [], 0
        rate = frame.sample_rate
        samples += frame.samples
        waiting.append(_mono(frame))
    if waiting:
        yield np.concatenate(waiting), rate


def _mono(frame: av.AudioFrame) -> Floats:
    """The mean of a frame's channels, shape (samples,), between -1 and 1."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
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
