"""Recordings written down: utterance by utterance, so that whoever speaks to the same ears meanwhile need not wait."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from configs.settings import Limits, Listening
from models.audio import AudioChunk
from models.decoding import Decoder
from models.speech_to_text import PLAINLY, Hearing, SpeechToText, Transcript
from models.voice_activity import VoiceActivityDetector
from tools.speech_input import Listener, Utterance

SLICE = 1.0
"""Seconds of sound that are listened to at once."""


class Recorded:
    """Ears for files."""

    def __init__(
        self,
        ears: SpeechToText,
        detector: VoiceActivityDetector,
        decoder: Decoder,
        listening: Listening,
        limits: Limits,
    ) -> None:
        self._ears = ears
        self._decoder = decoder
        self._listener = Listener(detector, listening)
        self._limits = limits

    async def transcribe(self, path: Path) -> str:
        """What is said in a file, a line for each utterance.

        Raises AudioUnsupported, RequestTooLarge over `limits.audio_bytes` or `limits.recording_seconds`, EngineFailed.
        """
        limits = self._limits
        sound = await self._decoder.decode(path, max_bytes=limits.audio_bytes, max_seconds=limits.recording_seconds)
        async with aclosing(self.utterances(sound)) as said:
            return "\n".join([transcript.text async for transcript in said])

    async def utterances(self, sound: AudioChunk, hearing: Hearing = PLAINLY) -> AsyncGenerator[Transcript, None]:
        """What is said in a sound, each utterance once it is heard; close with `aclosing`. Raises EngineFailed."""
        async with aclosing(self._listener.listen(_frames(sound))) as heard:
            async for event in heard:
                if not isinstance(event, Utterance):
                    continue
                # The language is found out each time, unless it is given: people who meet may speak several.
                transcript = await self._ears.transcribe(event.sound, hearing)
                if transcript.text:
                    yield transcript


async def _frames(sound: AudioChunk) -> AsyncGenerator[AudioChunk, None]:
    size = 2 * int(SLICE * sound.rate)
    for start in range(0, len(sound.pcm), size):
        yield AudioChunk(sound.pcm[start : start + size], sound.rate)
