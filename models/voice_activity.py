"""Voice activity: how likely it is that a frame holds speech."""

from typing import Protocol

from models.audio import Floats


class VoiceActivityStream(Protocol):
    """One stream's state; frames go in in order."""

    def probability(self, frame: Floats) -> float:
        """0 to 1 for the next frame, shape (frame_samples,), 16 kHz; takes well under a millisecond."""
        ...

    def probabilities(self, frames: Floats) -> Floats:
        """The same for the next frames all at once, shape (frames, frame_samples); blocking, about 0.05 ms a frame."""
        ...

    def reset(self) -> None:
        """Forgets what came before."""
        ...


class VoiceActivityDetector(Protocol):
    """The shared engine; each stream of audio opens its own state."""

    @property
    def name(self) -> str:
        """The engine's name."""
        ...

    @property
    def frame_samples(self) -> int:
        """Samples in a frame, at 16 kHz."""
        ...

    def open_stream(self) -> VoiceActivityStream:
        """A fresh state."""
        ...
