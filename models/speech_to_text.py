"""Speech to text: what was said, and how sure the engine is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from models.audio import AudioChunk


@dataclass(frozen=True, slots=True)
class Word:
    """One word, with its place in the sound."""

    text: str
    start: float
    """Seconds from the beginning of the sound."""
    end: float
    """Seconds."""
    probability: float


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech."""

    text: str
    start: float
    """Seconds."""
    end: float
    """Seconds."""
    confidence: float | None = None
    """0 to 1, or None where the engine tells nothing of use."""
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said in one sound; an empty text means that no speech was found."""

    text: str
    language: str
    """Two letters: "en", "zh"."""
    seconds: float
    """How long the sound was."""
    language_probability: float | None = None
    """0 to 1, or None where the language was given or the engine knows only one."""
    segments: tuple[Segment, ...] = ()
    gate: str = ""
    """Why there is no text, when there is none: "no speech", "too short"."""


class SpeechToText(Protocol):
    """An engine that hears. Cancelling a call frees the engine; concurrent callers queue."""

    @property
    def name(self) -> str:
        """The engine's name."""
        ...

    @property
    def languages(self) -> tuple[str, ...]:
        """Two-letter codes of the languages it knows."""
        ...

    async def transcribe(
        self, sound: AudioChunk, *, language: str | None = None, hotwords: Sequence[str] = ()
    ) -> Transcript:
        """Transcribes one utterance of any rate.

        `language` None lets the engine find out. Raises EngineFailed.
        """
        ...

    async def aclose(self) -> None:
        """Frees the engine; no call may follow."""
        ...
