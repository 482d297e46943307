"""A gate before any ear: a sound without speech gives no transcript, whatever the engine would make of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import anyio.to_thread
import numpy as np
from anyio import from_thread

from models.audio import SPEECH_RATE, AudioChunk
from models.speech_to_text import PLAINLY, Hearing, Segment, SpeechToText, Transcript
from models.voice_activity import VoiceActivityDetector

AT_ONCE = 256
"""Frames that are judged in one go; with more, the detector's memory outgrows the processor's cache."""


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

    @property
    def drafts(self) -> bool:
        """As the engine says."""
        return self._engine.drafts

    async def transcribe(self, sound: AudioChunk, hearing: Hearing = PLAINLY) -> Transcript:
        """As the engine does, in the times of the whole sound; empty, with its `gate`, where nobody speaks.

        A draft goes by the gate: whoever asks for one has heard somebody speak.
        """
        if hearing.draft:
            return await self._engine.transcribe(sound, hearing)
        found: Stretch | NoVoice | None = None
        if sound.seconds >= self._rules.shortest_run:
            found = await anyio.to_thread.run_sync(self._find, sound)
        if not isinstance(found, Stretch):
            gate = f"no speech: {found}" if found else "too short"
            return Transcript("", hearing.language or self.languages[0], sound.seconds, gate=gate)
        transcript = await self._engine.transcribe(found.sound, hearing)
        moved = tuple(_later(segment, found.start) for segment in transcript.segments)
        return replace(transcript, seconds=sound.seconds, segments=moved)

    async def aclose(self) -> None:
        """Closes the engine."""
        await self._engine.aclose()

    def _find(self, sound: AudioChunk) -> "Stretch | NoVoice":
        """The stretch with speech; on a worker's thread."""
        heard = self._probabilities(sound)
        frame = self._detector.frame_samples / SPEECH_RATE
        span = speech_span(heard, frame, self._rules)
        if span is None:
            voiced = [probability >= self._rules.voiced for probability in heard]
            return NoVoice(max(heard), frame * max((end - start for start, end in _runs(voiced)), default=0))
        start, end = (round(at * sound.rate) for at in span)
        return Stretch(AudioChunk(sound.pcm[2 * start : 2 * end], sound.rate), start / sound.rate)

    def _probabilities(self, sound: AudioChunk) -> list[float]:
        """One for each frame, the last filled up with silence; it can be cancelled after every few seconds of sound."""
        size, stream = self._detector.frame_samples, self._detector.open_stream()
        samples = sound.resampled(SPEECH_RATE).floats()
        frames = np.pad(samples, (0, -len(samples) % size)).reshape(-1, size)
        found: list[float] = []
        for start in range(0, len(frames), AT_ONCE):
            from_thread.check_cancelled()
            found += stream.probabilities(frames[start : start + AT_ONCE]).tolist()
        return found


@dataclass(frozen=True, slots=True)
class Stretch:
    """The part of a sound that holds the speech."""

    sound: AudioChunk
    start: float
    """Seconds from the beginning of the whole."""


@dataclass(frozen=True, slots=True)
class NoVoice:
    """What comes nearest to speech in a sound that holds none."""

    probability: float
    """Of the best frame."""
    seconds: float
    """How long the longest run of voiced frames is."""

    def __str__(self) -> str:
        return f"a voice with probability {self.probability:.2f}, for {self.seconds:.2f} s"


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


def _later(segment: Segment, seconds: float) -> Segment:
    words = tuple(replace(word, start=word.start + seconds, end=word.end + seconds) for word in segment.words)
    return replace(segment, start=segment.start + seconds, end=segment.end + seconds, words=words)
