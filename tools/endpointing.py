"""When speech begins and ends, from a probability per frame; touches no audio."""

import math
from dataclasses import dataclass

from configs.settings import Listening


@dataclass(frozen=True, slots=True)
class SpeechStart:
    """Somebody began to speak."""

    at: float
    """When the speech really began, in seconds of the stream."""
    noticed_at: float


@dataclass(frozen=True, slots=True)
class SpeechEnd:
    """They stopped."""

    at: float
    """When the speech really ended, in seconds of the stream."""
    noticed_at: float
    forced: bool = False
    """Whether the utterance was as long as it may be, and the speech may go on."""


class Endpointer:
    """Two thresholds, a shortest speech, a pause that ends it; starts and ends alternate."""

    def __init__(self, listening: Listening, frame_seconds: float) -> None:
        """`frame_seconds`: how long a frame is."""
        self._listening = listening
        self._frame_seconds = frame_seconds
        self._shortest = max(1, self._frames(listening.shortest_speech))
        self._end_silence = max(1, self._frames(listening.end_silence))
        self._longest = max(self._shortest, math.floor(listening.longest_utterance / frame_seconds + 1e-6))
        self._frame = 0
        """How many frames there were."""
        self._run: int | None = None
        """The frame at which the sound that goes on now began."""
        self._began: int | None = None
        """The frame at which the utterance began."""
        self._last = 0
        """The frame after the last one of speech."""

    @property
    def began(self) -> float | None:
        """When the open utterance began, in seconds of the stream; None between utterances."""
        return None if self._began is None else self._began * self._frame_seconds

    @property
    def pause(self) -> float:
        """How long nothing was said in the open utterance, in seconds; 0 between utterances."""
        return 0.0 if self._began is None else (self._frame - self._last) * self._frame_seconds

    def push(self, probability: float) -> SpeechStart | SpeechEnd | None:
        """Takes the next frame; says what it shows."""
        if probability >= self._listening.speech_threshold:
            self._run = self._frame if self._run is None else self._run
        elif probability < self._listening.silence_threshold:
            self._run = None
        self._frame += 1
        if self._run is not None:
            self._last = self._frame
        return self._start() if self._began is None else self._end(self._began)

    def finish(self) -> SpeechEnd | None:
        """The stream has ended: the end of the open utterance, if there is one."""
        return None if self._began is None else self._ended(forced=False)

    def _start(self) -> SpeechStart | None:
        if self._run is None or self._frame - self._run < self._shortest:
            return None
        self._began = self._run
        return SpeechStart(self._began * self._frame_seconds, self._frame * self._frame_seconds)

    def _end(self, began: int) -> SpeechEnd | None:
        if self._frame - self._last >= self._end_silence:
            return self._ended(forced=False)
        if self._frame - began >= self._longest:
            return self._ended(forced=True)
        return None

    def _ended(self, *, forced: bool) -> SpeechEnd:
        self._began = self._run = None
        return SpeechEnd(self._last * self._frame_seconds, self._frame * self._frame_seconds, forced)

    def _frames(self, seconds: float) -> int:
        return math.ceil(seconds / self._frame_seconds - 1e-6)
