"""Text to speech: who speaks, and the engine that does."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from models.audio import AudioChunk, AudioFormat


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks; an engine maps the name to what it has."""

    name: str = "default"
    speed: float = 1.0
    """1 is the engine's own pace, 2 twice as fast; 0.5 to 2."""
    pitch: float = 1.0
    """1 is the engine's own pitch; 0.5 to 2."""
    oral: int | None = None
    """How many interjections such as "um" it may add, 0 to 9; this and what follows act in ChatTTS only."""
    laugh: int | None = None
    """How readily it laughs, 0 to 2."""
    break_: int | None = None
    """How much it pauses, 0 to 7."""


@runtime_checkable
class Voices(Protocol):
    """An engine that has more voices than one."""

    @property
    def voices(self) -> tuple[str, ...]:
        """The names that a Voice may have, "default" first; blocking."""
        ...


class TextToSpeech(Protocol):
    """An engine that speaks. Cancelling frees the engine; concurrent callers queue."""

    @property
    def name(self) -> str:
        """The engine's name."""
        ...

    @property
    def format(self) -> AudioFormat:
        """What its chunks are made of."""
        ...

    @property
    def languages(self) -> tuple[str, ...]:
        """Two-letter codes of the languages it speaks."""
        ...

    def synthesize(self, text: str, *, language: str, voice: Voice) -> AsyncGenerator[AudioChunk, None]:
        """Speaks one clause, chunk by chunk; close the generator with `aclosing`. Raises EngineFailed.

        A text with nothing to say yields nothing.
        """
        ...

    async def aclose(self) -> None:
        """Frees the engine; no call may follow."""
        ...
