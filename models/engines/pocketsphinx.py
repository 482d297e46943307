"""PocketSphinx: hears English with the model in its wheel, so nothing is downloaded; gives words, no punctuation."""

import math
from collections.abc import Iterator
from contextlib import aclosing
from functools import partial
from typing import Any

import numpy as np

from configs.errors import EngineFailed, EngineNotInstalled, TaskUnsupported
from models.audio import SPEECH_RATE, AudioChunk, Floats, from_floats
from models.speech_to_text import PLAINLY, Hearing, Segment, Transcript, Word
from models.worker import EngineThread

FRAMES_A_SECOND = 100
LONGEST_PIECE = 20
"""Seconds that are searched at once; the last pass over them cannot be interrupted, and takes a tenth of that."""

_BLOCK = 2 * SPEECH_RATE // 2
"""Bytes of half a second, between which a call can be cancelled."""

_MEAN = "mean"
"""A grammar of one word: with it the decoder runs in no time, and all that is wanted is the mean of the spectrum."""


class PocketSphinx:
    """A SpeechToText for English; hotwords are left aside, since it would have to be told how they sound."""

    name = "pocketsphinx"
    languages = ("en",)
    drafts = False
    """Its last pass, over the whole sound, is what makes a text of use."""

    def __init__(self, thread: EngineThread, decoder: Any) -> None:  # noqa: ANN401
        self._thread = thread
        self._decoder = decoder
        self._main = decoder.current_search()

    @classmethod
    async def open(cls) -> "PocketSphinx":
        """The engine on the bundled model. Raises EngineNotInstalled, EngineFailed."""
        thread = EngineThread("pocketsphinx")
        try:
            return cls(thread, await thread.call(_load))
        except BaseException:
            await thread.aclose()
            raise

    async def transcribe(self, sound: AudioChunk, hearing: Hearing = PLAINLY) -> Transcript:
        """Transcribes English of any rate. Raises EngineFailed, also for any other language and for a translation."""
        if hearing.task != "transcribe":
            raise TaskUnsupported(
                "PocketSphinx does not translate",
                "Run `tingshuo pull` to fetch a model for faster-whisper, which does.",
            )
        if hearing.language not in (None, "en"):
            raise EngineFailed(
                f"PocketSphinx hears English only, not {hearing.language!r}",
                "Run `tingshuo pull` to fetch a model for faster-whisper, which hears Chinese as well.",
            )
        if not sound.samples:
            return Transcript("", "en", 0.0, gate="too short")
        async with aclosing(self._thread.iterate(partial(self._heard, sound))) as steps:
            heard = tuple([segment async for segment in steps if segment])
        text = " ".join(segment.text for segment in heard)
        return Transcript(text, "en", sound.seconds, segments=heard, gate="" if text else "no speech")

    async def aclose(self) -> None:
        """Ends the thread."""
        await self._thread.aclose()

    def _heard(self, sound: AudioChunk) -> Iterator[Segment | None]:
        """The segments, with None after each block that was worked through."""
        spoken = sound.resampled(SPEECH_RATE)
        try:
            # Its own running estimate of the mean needs some seconds to settle, which garbles the beginning.
            self._decoder.activate_search(_MEAN)
            yield from self._searched(loud_parts(spoken).pcm)
            mean = self._decoder.get_cmn(True)
            self._decoder.activate_search(self._main)
            for start, end in pieces(spoken.floats()):
                self._decoder.set_cmn(mean)
                yield from self._searched(spoken.pcm[2 * start : 2 * end])
                yield _segment(self._decoder, start / SPEECH_RATE)
        except RuntimeError as error:
            raise EngineFailed(f"PocketSphinx failed: {error}", "Try again, or use faster-whisper.") from error

    def _searched(self, pcm: bytes) -> Iterator[None]:
        """One utterance, block by block; ended in any case, since the decoder takes no other before."""
        self._decoder.start_utt()
        try:
            for start in range(0, len(pcm), _BLOCK):
                self._decoder.process_raw(pcm[start : start + _BLOCK])
                yield
        finally:
            self._decoder.end_utt()


def pieces(samples: Floats) -> list[tuple[int, int]]:
    """Where to cut a long sound (16 kHz): pieces of at most LONGEST_PIECE seconds, cut where it is quietest."""
    longest, block = LONGEST_PIECE * SPEECH_RATE, SPEECH_RATE // 10
    cuts = [0]
    while len(samples) - cuts[-1] > longest:
        late = cuts[-1] + 3 * longest // 4
        blocks = samples[late : cuts[-1] + longest].reshape(-1, block)
        cuts.append(late + int(np.argmin(np.mean(blocks**2, axis=1))) * block + block // 2)
    return list(zip(cuts, [*cuts[1:], len(samples)], strict=True))


def loud_parts(sound: AudioChunk) -> AudioChunk:
    """The tenths of a second within 20 dB of the loudest; pauses would shift the mean of the spectrum."""
    block = sound.rate // 10
    samples = sound.floats()
    blocks = np.pad(samples, (0, -len(samples) % block)).reshape(-1, block)
    power = np.mean(blocks**2, axis=1)
    return from_floats(blocks[power >= 0.01 * power.max()].ravel(), sound.rate)


def _segment(decoder: Any, offset: float) -> Segment | None:  # noqa: ANN401
    """What the decoder has heard in the last utterance, without silences and noises."""
    words = tuple(
        Word(
            found.word.split("(")[0],
            offset + found.start_frame / FRAMES_A_SECOND,
            offset + (found.end_frame + 1) / FRAMES_A_SECOND,
            min(1.0, found.prob),
        )
        for found in decoder.seg() or ()
        if found.word[0] not in "<[+"
    )
    if not words:
        return None
    certainty = math.exp(sum(math.log(max(word.probability, 1e-9)) for word in words) / len(words))
    return Segment(" ".join(word.text for word in words), words[0].start, words[-1].end, certainty, words)


def _load() -> Any:  # noqa: ANN401
    try:
        from pocketsphinx import Decoder
    except ImportError as error:
        raise EngineNotInstalled("PocketSphinx is not installed", "pip install pocketsphinx") from error
    try:
        decoder = Decoder(samprate=SPEECH_RATE, loglevel="FATAL")
        decoder.add_jsgf_string(_MEAN, "#JSGF V1.0;\ngrammar mean;\npublic <mean> = a;\n")
    except (RuntimeError, ValueError) as error:
        raise EngineFailed(
            f"PocketSphinx cannot load its model: {error}", "pip install --force-reinstall pocketsphinx"
        ) from error
    return decoder
