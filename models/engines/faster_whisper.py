"""Whisper on CTranslate2: hears a hundred languages, on CUDA or the CPU; reads a model folder, never the network."""

import json
import math
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from anyio import CancelScope

from configs import settings
from configs.errors import EngineError, EngineFailed, EngineNotInstalled, EngineUnavailable, ModelNotFound
from models.audio import SPEECH_RATE, AudioChunk
from models.engines.placement import REMEDY as CUBLAS_REMEDY
from models.engines.placement import find_machine, place
from models.speech_to_text import Segment, Transcript, Word
from models.worker import EngineThread

NO_SPEECH = 0.6
"""From this probability of no speech, a segment must be well heard to count."""

WELL_HEARD = -0.7
"""Mean log probability of a token, which is about one in two."""

_FETCH = "Run `tingshuo pull` to fetch the model again."
_SMALLER = (
    "Set `speech_to_text.faster_whisper.compute_type` to int8_float16, or `.model` to a smaller one (small, base)."
)


class FasterWhisper:
    """A SpeechToText; a cancelled call ends after the segment that is being decoded."""

    name = "faster-whisper"

    def __init__(self, thread: EngineThread, model: Any, section: settings.FasterWhisper) -> None:  # noqa: ANN401
        self._thread = thread
        self._model = model
        self._settings = section
        self.languages = languages(model)

    @classmethod
    async def open(cls, section: settings.FasterWhisper, model_folder: Path) -> "FasterWhisper":
        """The engine on the model in that folder.

        Raises EngineNotInstalled, ModelNotFound, EngineUnavailable, EngineFailed or ConfigError.
        """
        thread = EngineThread("faster-whisper")
        try:
            return cls(thread, await thread.call(partial(_load, section, model_folder)), section)
        except BaseException:
            await thread.aclose()
            raise

    async def transcribe(
        self, sound: AudioChunk, *, language: str | None = None, hotwords: Sequence[str] = ()
    ) -> Transcript:
        """Transcribes one utterance of any rate; hotwords are hints, not promises. Raises EngineFailed."""
        if language is not None and language not in self.languages:
            raise EngineFailed(f"this Whisper model does not know {language!r}", f"It knows {_some(self.languages)}.")
        transcript = Transcript("", language or self.languages[0], sound.seconds, gate="no speech")
        if not sound.samples:
            return replace(transcript, gate="too short")
        start = partial(self._growing, sound, language, hotwords)
        async with aclosing(self._thread.iterate(start)) as growing:
            async for longer in growing:
                transcript = longer
        return transcript

    async def aclose(self) -> None:
        """Frees the model's memory; no call may follow."""
        with CancelScope(shield=True):
            await self._thread.call(self._model.model.unload_model)
            await self._thread.aclose()

    def _growing(self, sound: AudioChunk, language: str | None, hotwords: Sequence[str]) -> Iterator[Transcript]:
        """The transcript, longer by one segment each time; decoding happens between two of them."""
        try:
            segments, info = self._model.transcribe(
                sound.resampled(SPEECH_RATE).floats(),
                language=language,
                beam_size=self._settings.beam_size,
                temperature=list(self._settings.temperature),
                condition_on_previous_text=False,
                word_timestamps=self._settings.word_times,
                hotwords=" ".join(hotwords) or None,
            )
            certainty = float(info.language_probability) if language is None and len(self.languages) > 1 else None
            transcript = Transcript("", info.language, sound.seconds, certainty, gate="no speech")
            yield transcript
            for segment in segments:
                if is_speech(segment.no_speech_prob, segment.avg_logprob) and segment.text.strip():
                    transcript = _with(transcript, segment)
                yield transcript
        except (RuntimeError, ValueError, IndexError) as error:
            raise failure(error) from error


def is_speech(no_speech_probability: float, mean_log_probability: float) -> bool:
    """Whether a segment was spoken; Whisper also writes sentences over silence, and each score alone misjudges some."""
    return no_speech_probability <= NO_SPEECH or mean_log_probability >= WELL_HEARD


def failure(error: Exception) -> EngineError:
    """What CTranslate2's complaint means to a reader."""
    text = str(error)
    if "out of memory" in text:
        return EngineFailed(f"Whisper does not fit into the memory: {text}", _SMALLER)
    if "libcublas" in text or "cublas64" in text:
        return EngineUnavailable(f"Whisper cannot use CUDA: {text}", CUBLAS_REMEDY)
    return EngineFailed(f"Whisper failed: {text}", "If it stays so, run `tingshuo doctor`.")


def languages(model: Any) -> tuple[str, ...]:  # noqa: ANN401
    """The languages that a loaded model has a token for; `supported_languages` names a hundred whatever the model."""
    if not model.model.is_multilingual:
        return ("en",)
    return tuple(
        code for code in model.supported_languages if model.hf_tokenizer.token_to_id(f"<|{code}|>") is not None
    )


def _with(transcript: Transcript, segment: Any) -> Transcript:  # noqa: ANN401
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


def _load(section: settings.FasterWhisper, folder: Path) -> Any:  # noqa: ANN401
    try:
        from faster_whisper import WhisperModel
    except ImportError as error:
        raise EngineNotInstalled("faster-whisper is not installed", "pip install faster-whisper") from error
    _check(folder)
    placement = place(section.device, section.compute_type, find_machine())
    try:
        model = WhisperModel(
            str(folder), device=placement.device, compute_type=placement.compute_type, local_files_only=True
        )
    except (RuntimeError, ValueError) as error:
        found = failure(error)
        if type(found) is EngineFailed and found.hint != _SMALLER:
            found = EngineFailed(f"{str(folder / 'model.bin')!r} cannot be loaded: {error}", _FETCH)
        raise found from error
    if model.feature_extractor.mel_filters.shape[0] != model.model.n_mels:
        raise ModelNotFound(f"{str(folder / 'preprocessor_config.json')!r} is missing or of another model", _FETCH)
    return model


def _check(folder: Path) -> None:
    """Every file that a model needs is there and can be read; a missing tokenizer would otherwise be downloaded."""
    named = {
        "model.bin": None,
        "config.json": (dict, "suppress_ids"),
        "tokenizer.json": (dict, "model"),
        "vocabulary.json": (list, "<|startoftranscript|>"),
    }
    if (folder / "vocabulary.txt").is_file():
        del named["vocabulary.json"]
    for name in named:
        if not (folder / name).is_file():
            raise ModelNotFound(f"the Whisper model in {str(folder)!r} has no {name}", _FETCH)
    if (folder / "preprocessor_config.json").is_file():
        named["preprocessor_config.json"] = (dict, "feature_size")
    for name, content in named.items():
        if content:
            _check_json(folder / name, *content)


def _check_json(path: Path, kind: type, member: str) -> None:
    try:
        found = json.loads(path.read_bytes())
    except ValueError as error:
        raise EngineFailed(f"{str(path)!r} is damaged: {error}", _FETCH) from error
    if not isinstance(found, kind) or member not in found:  # type: ignore[operator]  # a dict or a list
        raise EngineFailed(f"{str(path)!r} is damaged: it has no {member!r}", _FETCH)
