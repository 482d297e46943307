"""Speech to text: what was said, and how sure the engine is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from models.audio import AudioChunk

Task = Literal["transcribe", "translate"]
"""`translate`: the text is English, whatever was spoken."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """How a sound is to be heard."""

    language: str | None = None
    """Two letters; None lets the engine find out."""
    hotwords: Sequence[str] = ()
    """Names that may be said: hints, not promises."""
    task: Task = "transcribe"
    word_times: bool = False
    """When each word was said, where the engine can tell; it may take longer."""
    draft: bool = False
    """As quickly as can be, for somebody who is still speaking."""


PLAINLY: Final = Hearing()
"""In whatever language it is, and nothing more."""


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
    """The one that was spoken, two letters: "en", "zh"."""
    seconds: float
    """How long the sound was."""
    language_probability: float | None = None
    """0 to 1, or None where the language was given or the engine knows only one."""
    segments: tuple[Segment, ...] = ()
    gate: str = ""
    """Why there is no text, when there is none, with its figures: "no speech: probability 0.97", "too short"."""

    @property
    def confidence(self) -> float | None:
        """The mean over the segments, by the length of their text; None where the engine tells nothing of use."""
        told = [(len(segment.text), segment.confidence) for segment in self.segments if segment.confidence is not None]
        length = sum(weight for weight, _ in told)
        return sum(weight * confidence for weight, confidence in told) / length if length else None


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

    @property
    def drafts(self) -> bool:
        """Whether now is a time for drafts: it is quick enough for them, and free."""
        ...

    async def transcribe(self, sound: AudioChunk, hearing: Hearing = PLAINLY) -> Transcript:
        """Transcribes one utterance of any rate. Raises EngineFailed, also for what it cannot hear or do."""
        ...

    async def aclose(self) -> None:
        """Frees the engine; no call may follow."""
        ...
