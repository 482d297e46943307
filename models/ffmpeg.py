"""Recorded audio through FFmpeg, which may break over a file: run only in a process of its own, or in tests."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import IO

import av

from configs.errors import AudioUnsupported
from models.audio import AudioChunk
from models.mixing import FORMATS, Frame, mixed, too_long

CONTAINERS = ("wav", "flac", "ogg", "mp3", "matroska", "mov", "aac")
"""FFmpeg's names of the formats that are read. Playlists and scripts, which name other files, are not among them."""

SLACK = 1.0
"""Seconds that packets may say beyond the limit: the frames, which begin and end within them, are what is counted."""

# FFmpeg refuses any other container before it reads a header, and any protocol: a file cannot make it open another one.
_OPTIONS = {"format_whitelist": ",".join(CONTAINERS), "protocol_whitelist": "none"}
# Only what the header says is found out, not what is in the first megabytes.
_AT_ONCE = {"probesize": "32"}


def decoded(file: IO[bytes], max_seconds: float, rate: int) -> AudioChunk:
    """The whole recording at `rate` hertz, its channels averaged; it may be empty.

    Raises AudioUnsupported, RequestTooLarge as soon as a limit is passed, MemoryError.
    """
    with suppress(av.error.FFmpegError), _opened(file, _AT_ONCE) as container:
        _check_length(container, max_seconds)
    try:
        with _opened(file, {}) as container:
            return mixed(_frames(container), max_seconds, rate)
    except av.error.MemoryError as error:
        raise MemoryError from error
    except av.error.FFmpegError as error:
        raise AudioUnsupported(f"this is not audio that can be decoded: {error.strerror}", FORMATS) from error


def _opened(file: IO[bytes], options: Mapping[str, str]) -> av.container.InputContainer:
    file.seek(0)
    return av.open(file, "r", metadata_errors="ignore", options={**_OPTIONS, **options})


def _check_length(container: av.container.InputContainer, max_seconds: float) -> None:
    """Refuses hours of sound before any of it is decoded, by what the packets say of themselves.

    Those that say nothing, or too little, are found out while they are decoded.
    """
    if not container.streams.audio:
        return
    stream = container.streams.audio[0]
    # An Ogg's last page, which is there, says when it ends.
    if container.format.name == "ogg" and (container.duration or 0) / av.time_base > max_seconds + SLACK:
        raise too_long(max_seconds)
    most, said = (max_seconds + SLACK) / (stream.time_base or 1), 0
    for packet in _packets(container, stream):
        said += packet.duration or 0
        if said > most:
            raise too_long(max_seconds)


def _frames(container: av.container.InputContainer) -> Iterator[Frame]:
    """The frames of the first audio stream; a damaged packet is passed over, as players do."""
    if not container.streams.audio:
        raise AudioUnsupported("the file holds no audio", FORMATS)
    stream = container.streams.audio[0]
    for packet in _packets(container, stream):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            continue
        for frame in frames:
            yield _frame(frame)


def _packets(container: av.container.InputContainer, stream: av.AudioStream) -> "Iterator[av.Packet[av.AudioStream]]":
    """The stream's packets, up to where the container can be read."""
    try:
        yield from container.demux(stream)
    except av.error.InvalidDataError:
        return


def _frame(frame: av.AudioFrame) -> Frame:
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    return Frame(samples, frame.sample_rate)
