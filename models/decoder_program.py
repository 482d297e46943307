"""The program of the process that decodes recordings: it gets their bytes and gives back PCM16 mono."""

import io
from functools import partial
from typing import Any

import av.subtitles.codeccontext
import av.subtitles.stream  # noqa: F401  # what PyAV brings only when a file has it

from configs.errors import AudioUnsupported, RequestError, RequestTooLarge
from configs.sandbox.program import Answer, Read, run
from models.audio import SPEECH_RATE, silence, wav_bytes
from models.ffmpeg import decoded
from models.mixing import FORMATS


def main() -> None:
    """Answers requests until there are no more. Once it has read the first of them, it opens nothing, ever."""
    # What is brought only when it is needed has to be here before that.
    decoded(io.BytesIO(wav_bytes(silence(0.1, SPEECH_RATE))), 1, SPEECH_RATE)
    run(_reading, _unforeseen, files=0)


def _reading(header: dict[str, Any]) -> Read:
    return partial(_decoded, header["max_seconds"], header["rate"])


def _decoded(max_seconds: float, rate: int, content: bytes) -> Answer:
    return {}, decoded(io.BytesIO(content), max_seconds, rate).pcm


def _unforeseen(error: BaseException) -> RequestError:
    if isinstance(error, MemoryError):
        return RequestTooLarge(
            "decoding the audio takes more memory than it may (`limits.decode_bytes`)",
            "Send a shorter or smaller recording, or raise that limit.",
        )
    return AudioUnsupported(f"this is not audio that can be decoded: {type(error).__name__}: {error}", FORMATS)
