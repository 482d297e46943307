"""Whisper on CTranslate2: hears a hundred languages, on CUDA or the CPU; reads a model folder, never the network."""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from anyio import CancelScope

from configs import settings
from configs.errors import EngineFailed, TaskUnsupported
from models.audio import SPEECH_RATE, AudioChunk, Floats
from models.engines.whisper_encoding import detect_language
from models.engines.whisper_gates import gate
from models.engines.whisper_loading import failure, follows_prompts, languages, load, unspoken
from models.speech_to_text import PLAINLY, Hearing, Segment, Transcript, Word
from models.worker import EngineThread

BATCHED = 60.0
"""Seconds from which windows are decoded several at once; a cancelled call then waits for one such batch."""
QUICK = 0.5
"""Seconds that hearing may take for drafts to be worth making; the pause that ends an utterance is longer."""

_WORDLESS = "no speech: no words"


class FasterWhisper:
    """A SpeechToText; a cancelled call ends after the window of half a minute that is being decoded."""

    name = "faster-whisper"

    def __init__(self, thread: EngineThread, model: Any, section: settings.FasterWhisper) -> None:  # noqa: ANN401
        self._thread = thread
        self._model = model
        self._settings = section
        self._prompted = follows_prompts(model)
        self._unspoken = unspoken(model)
        self._took = math.inf
        """Seconds for the last short sound."""
        self.languages = languages(model)

    @classmethod
    async def open(cls, section: settings.FasterWhisper, model_folder: Path) -> "FasterWhisper":
        """The engine on the model in that folder.

        Raises EngineNotInstalled, ModelNotFound, EngineUnavailable, EngineFailed or ConfigError.
        """
        thread = EngineThread("faster-whisper")
        try:
            return cls(thread, await thread.call(partial(load, section, model_folder)), section)
        except BaseException:
            await thread.aclose()
            raise

    @property
    def drafts(self) -> bool:
        """Whether it is free, and the last short sound took no longer than QUICK; so never before the first."""
        return self._took <= QUICK and not self._thread.busy

    async def transcribe(self, sound: AudioChunk, hearing: Hearing = PLAINLY) -> Transcript:
        """Transcribes one utterance of any rate; hotwords count where the model follows prompts. Raises EngineFailed.

        Raises EngineFailed too for a language that the model does not know, and for a translation by a model that
        was not taught to translate.
        """
        self._check(hearing)
        transcript = Transcript("", hearing.language or self.languages[0], sound.seconds, gate=_WORDLESS)
        if not sound.samples:
            return replace(transcript, gate="too short")
        async with aclosing(self._thread.iterate(partial(self._growing, sound, hearing))) as growing:
            async for longer in growing:
                transcript = longer
        return transcript

    async def aclose(self) -> None:
        """Frees the model's memory; no call may follow."""
        with CancelScope(shield=True):
            await self._thread.call(self._model.model.unload_model)
            await self._thread.aclose()

    def _check(self, hearing: Hearing) -> None:
        if hearing.language is not None and hearing.language not in self.languages:
            raise EngineFailed(
                f"this Whisper model does not know {hearing.language!r}", f"It knows {_some(self.languages)}."
            )
        if hearing.task == "translate" and ("turbo" in self._settings.model or len(self.languages) == 1):
            raise TaskUnsupported(
                "this Whisper model was not taught to translate",
                "Set `speech_to_text.faster_whisper.model` to large-v3, medium or small.",
            )

    def _growing(self, sound: AudioChunk, hearing: Hearing) -> Iterator[Transcript]:
        """The transcript, longer by one segment each time; decoding happens between two of them."""
        began = time.perf_counter()
        samples = sound.resampled(SPEECH_RATE).floats()
        try:
            language, certainty = hearing.language or self.languages[0], None
            if hearing.language is None and len(self.languages) > 1:
                # As much as will be written in one go, so that what is encoded for it is the same.
                language, certainty = detect_language(self._model, samples[: round(BATCHED * SPEECH_RATE)])
            transcript = Transcript("", language, sound.seconds, certainty, gate=_WORDLESS)
            if certainty is not None:
                yield transcript
            for segment in self._segments(samples, language, hearing):
                transcript = _with(transcript, segment)
                yield transcript
        except (RuntimeError, ValueError, IndexError) as error:
            raise failure(error) from error
        finally:
            self._model.encode.forget()
        if sound.seconds <= 30:
            self._took = time.perf_counter() - began

    def _segments(self, samples: Floats, language: str, hearing: Hearing) -> Iterator[Any]:
        """faster-whisper's segments; each decides for itself when it decodes."""
        options: dict[str, Any] = {
            "language": language,
            "task": hearing.task,
            "beam_size": 1 if hearing.draft else self._settings.beam_size,
            "temperature": [0.0] if hearing.draft else list(self._settings.temperature),
            "condition_on_previous_text": False,
            "suppress_tokens": list(self._unspoken),  # to which the library adds
            "word_timestamps": hearing.word_times or self._settings.word_times,
        }
        if self._prompted:
            options["hotwords"] = " ".join(hearing.hotwords) or None
            options["initial_prompt"] = _prompt(self._settings, language, hearing)
        if len(samples) > BATCHED * SPEECH_RATE and self._settings.batch_size > 1:
            from faster_whisper import BatchedInferencePipeline

            batched = BatchedInferencePipeline(self._model)
            options |= {"batch_size": self._settings.batch_size, "without_timestamps": False}
            segments, _ = batched.transcribe(samples, **options)
        else:
            segments, _ = self._model.transcribe(samples, **options)
        return iter(segments)


def _prompt(section: settings.FasterWhisper, language: str, hearing: Hearing) -> str | None:
    """What the sound is taken to follow."""
    return section.zh_prompt or None if language == "zh" and hearing.task == "transcribe" else None


def _with(transcript: Transcript, segment: Any) -> Transcript:  # noqa: ANN401
    """The transcript with one more segment, or with the gate that the segment did not pass."""
    if not segment.text.strip():
        return transcript
    stopped = gate(segment.text, segment.no_speech_prob, segment.avg_logprob, segment.compression_ratio)
    if stopped:
        return transcript if transcript.text else replace(transcript, gate=stopped)
    words = tuple(
        Word(word.word.strip(), float(word.start), float(word.end), float(word.probability))
        for word in segment.words or ()
    )
    heard = Segment(
        segment.text.strip(), float(segment.start), float(segment.end), math.exp(segment.avg_logprob), words
    )
    # Whisper itself writes the space between sentences, where the language has one.
    text = (transcript.text + segment.text).strip()
    return replace(transcript, text=text, segments=(*transcript.segments, heard), gate="")


def _some(names: Sequence[str]) -> str:
    """The first few of many names."""
    return ", ".join(names[:6]) + (" and others" if len(names) > 6 else "")
