"""The ears' front: frames of any length and rate in, utterances out; recognises no words."""

from collections.abc import AsyncGenerator, AsyncIterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from anyio.lowlevel import checkpoint

from configs.settings import Listening
from models.audio import SPEECH_RATE, AudioChunk, Resampler
from models.voice_activity import VoiceActivityDetector
from tools.endpointing import Endpointer, SpeechEnd, SpeechStart

SLICE = 0.5
"""Seconds of input that are worked on before others have their turn."""
PAUSE = 0.1
"""Seconds of silence after which what was said so far is given at once: it may be all."""
SAMPLE_BYTES = 2


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody began to speak."""

    at: float
    """When, in seconds of the stream; a little before it was noticed."""


@dataclass(frozen=True, slots=True)
class SpeechGoesOn:
    """Somebody is speaking."""

    sound: AudioChunk
    """What they have said so far; 16 kHz, with a little of what was before."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """What was said between two silences."""

    sound: AudioChunk
    """16 kHz, with a little of what was before and after."""
    start: float
    """When the speech began, in seconds of the stream."""
    end: float
    """When the speech ended."""
    noticed_at: float
    """When it was clear that it had ended."""


Heard: TypeAlias = SpeechStarted | SpeechGoesOn | Utterance


class Listener:
    """Tells speech from silence in any number of streams."""

    def __init__(self, detector: VoiceActivityDetector, listening: Listening) -> None:
        self._detector = detector
        self._listening = listening

    async def listen(self, frames: AsyncIterable[AudioChunk], *, partials: float = 0.0) -> AsyncGenerator[Heard, None]:
        """Each start of speech, then its utterance; at the end of the frames, the one that is open.

        Frames may have any length, and another rate than the ones before. In between, what was said so far is given
        every `partials` seconds while a voice is heard, and once at the beginning of each pause; with 0 never. Close
        with `aclosing`.
        """
        stream = _Stream(self._detector, self._listening, partials)
        async for chunk in frames:
            for piece in _slices(chunk):
                for heard in stream.push(piece):
                    yield heard
                await checkpoint()
        for heard in stream.finish():
            yield heard


class _Stream:
    """One stream of audio, and as much of it as an utterance may still need."""

    def __init__(self, detector: VoiceActivityDetector, listening: Listening, partials: float = 0.0) -> None:
        self._frame = detector.frame_samples
        self._voiced = listening.speech_threshold
        self._partials = _position(partials)
        self._due = 0
        """The position from which what was said so far is given again."""
        self._paused = False
        """Whether it was given in this pause."""
        self._voice = detector.open_stream()
        self._endpointer = Endpointer(listening, self._frame / SPEECH_RATE)
        self._around = _position(listening.pre_roll)
        self._unnoticed = _position(listening.shortest_speech) + self._frame
        """The most samples from the beginning of speech to its notice."""
        self._rate = SPEECH_RATE
        self._resampler = Resampler(SPEECH_RATE, SPEECH_RATE)
        self._kept = bytearray()
        self._from = 0
        """The position of what is kept, in samples of the stream."""
        self._judged = 0
        """The position up to which there were frames."""
        self._began = 0.0

    def push(self, chunk: AudioChunk) -> Iterator[Heard]:
        if chunk.rate != self._rate:
            yield from self._take(self._tail())
            self._rate, self._resampler = chunk.rate, Resampler(chunk.rate, SPEECH_RATE)
        yield from self._take(self._resampler.push(chunk))

    def finish(self) -> Iterator[Heard]:
        yield from self._take(self._tail())
        self._judged = self._from + len(self._kept) // SAMPLE_BYTES
        end = self._endpointer.finish()
        if end:
            yield self._utterance(end)

    def _tail(self) -> AudioChunk:
        return self._resampler.push(AudioChunk(b"", self._rate), last=True)

    def _take(self, chunk: AudioChunk) -> Iterator[Heard]:
        self._kept += chunk.pcm
        while self._from + len(self._kept) // SAMPLE_BYTES >= self._judged + self._frame:
            frame = self._between(self._judged, self._judged + self._frame)
            self._judged += self._frame
            probability = self._voice.probability(frame.floats())
            match self._endpointer.push(probability):
                case SpeechStart(at):
                    self._began = at
                    self._due = _position(at) + self._partials
                    yield SpeechStarted(at)
                case SpeechEnd() as end:
                    yield self._utterance(end)
                case None if self._goes_on(probability):
                    self._due = self._judged + self._partials
                    yield SpeechGoesOn(self._between(_position(self._began) - self._around, self._judged))
            self._forget()

    def _goes_on(self, probability: float) -> bool:
        """Whether it is time to give what was said so far; in a pause, which may be the end, it is once."""
        if not self._partials or self._endpointer.began is None:
            return False
        if self._endpointer.pause >= PAUSE:
            first, self._paused = not self._paused, True
            return first
        speaks = probability >= self._voiced
        self._paused = self._paused and not speaks
        return speaks and self._judged >= self._due

    def _utterance(self, end: SpeechEnd) -> Utterance:
        last = min(_position(end.at) + self._around, self._judged)
        sound = self._between(_position(self._began) - self._around, last)
        self._drop(last)  # so that the next utterance does not begin with the end of this one
        if not end.forced:
            self._voice.reset()
        return Utterance(sound, self._began, end.at, end.noticed_at)

    def _between(self, first: int, last: int) -> AudioChunk:
        """The samples between two positions, as far as they are kept."""
        bounds = (max(0, position - self._from) * SAMPLE_BYTES for position in (first, last))
        return AudioChunk(bytes(self._kept[slice(*bounds)]), SPEECH_RATE)

    def _forget(self) -> None:
        """Drops what no utterance can need any more."""
        if self._endpointer.began is None:
            self._drop(self._judged - self._around - self._unnoticed)

    def _drop(self, position: int) -> None:
        samples = min(max(0, position - self._from), len(self._kept) // SAMPLE_BYTES)
        del self._kept[: samples * SAMPLE_BYTES]
        self._from += samples


def _position(seconds: float) -> int:
    return round(seconds * SPEECH_RATE)


def _slices(chunk: AudioChunk) -> Iterator[AudioChunk]:
    size = max(1, int(SLICE * chunk.rate)) * SAMPLE_BYTES
    whole = chunk.samples * SAMPLE_BYTES
    for start in range(0, whole, size):
        yield AudioChunk(chunk.pcm[start : min(start + size, whole)], chunk.rate)
