"""A gate before any ear: a sound without speech gives no transcript, whatever the engine would make of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import anyio.to_thread
import numpy as np
from anyio import from_thread

from models.audio import SPEECH_RATE, AudioChunk
from models.speech_to_text import Segment, SpeechToText, Transcript
from models.voice_activity import VoiceActivityDetector


@dataclass(frozen=True, slots=True)
class GateRules:
    """What counts as speech in a finished recording."""

    voiced: float = 0.5
    """The probability from which a frame is voiced."""
    certain: float = 0.7
    """What the best frame of a run must reach."""
    shortest_run: float = 0.15
    """Seconds that a run of voiced frames lasts at least; a click or a cough is shorter."""
    padding: float = 0.3
    """Seconds kept before the first run and after the last, so that no breath of a word is cut."""


class GatedSpeechToText:
    """A SpeechToText around another: looks for speech first, and hands on only the stretch that holds it."""

    def __init__(self, engine: SpeechToText, detector: VoiceActivityDetector, rules: GateRules | None = None) -> None:
        self._engine = engine
        self._detector = detector
        self._rules = rules or GateRules()
        self.name = engine.name
        self.languages = engine.languages

    async def transcribe(
        self, sound: AudioChunk, *, language: str | None = None, hotwords: Sequence[str] = ()
    ) -> Transcript:
        """As the engine does, in the times of the whole sound; empty, with its `gate`, where nobody speaks."""
        if sound.seconds < self._rules.shortest_run:
            return Transcript("", language or self.languages[0], sound.seconds, gate="too short")
        found = await anyio.to_thread.run_sync(self._find, sound)
        if found is None:
            return Transcript("", language or self.languages[0], sound.seconds, gate="no speech")
        spoken, offset = found
        transcript = await self._engine.transcribe(spoken, language=language, hotwords=hotwords)
        moved = tuple(_later(segment, offset) for segment in transcript.segments)
        return replace(transcript, seconds=sound.seconds, segments=moved)

    async def aclose(self) -> None:
        """Closes the engine."""
        await self._engine.aclose()

    def _find(self, sound: AudioChunk) -> tuple[AudioChunk, float] | None:
        """The stretch with speech and where it begins in seconds; on a worker's thread."""
        heard = list(_probabilities(self._detector, sound, from_thread.check_cancelled))
        frame = self._detector.frame_samples / SPEECH_RATE
        span = speech_span(heard, frame, self._rules)
        if span is None:
            return None
        start, end = (round(at * sound.rate) for at in span)
        return AudioChunk(sound.pcm[2 * start : 2 * end], sound.rate), start / sound.rate


def speech_span(probabilities: Sequence[float], frame: float, rules: GateRules) -> tuple[float, float] | None:
    """From before the first to after the last run of voiced frames, in seconds; None where there is no such run.

    `frame` is the length of a frame in seconds.
    """
    shortest = round(rules.shortest_run / frame)
    runs = [
        (start, end)
        for start, end in _runs([probability >= rules.voiced for probability in probabilities])
        if end - start >= shortest and max(probabilities[start:end]) >= rules.certain
    ]
    if not runs:
        return None
    return max(0.0, runs[0][0] * frame - rules.padding), runs[-1][1] * frame + rules.padding


def _runs(voiced: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Where the runs of True begin and end."""
    start = None
    for at, here in enumerate([*voiced, False]):
        if here and start is None:
            start = at
        elif not here and start is not None:
            yield start, at
            start = None


def _probabilities(
    detector: VoiceActivityDetector, sound: AudioChunk, checkpoint: Callable[[], None]
) -> Iterator[float]:
    """One for each frame, the last filled up with silence."""
    samples = sound.resampled(SPEECH_RATE).floats()
    samples = np.pad(samples, (0, -len(samples) % detector.frame_samples))
    stream = detector.open_stream()
    for frame in samples.reshape(-1, detector.frame_samples):
        checkpoint()
        yield stream.probability(frame)


def _later(segment: Segment, seconds: float) -> Segment:
    words = tuple(replace(word, start=word.start + seconds, end=word.end + seconds) for word in segment.words)
    return replace(segment, start=segment.start + seconds, end=segment.end + seconds, words=words)
