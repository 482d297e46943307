"""The gate: which stretch of a sound counts as speech, worked out by hand, and what the engine behind it is given."""

import anyio
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.audio import AudioChunk, Floats, from_floats, joined, silence
from models.speech_gate import AT_ONCE, GatedSpeechToText, GateRules, speech_span
from models.speech_to_text import PLAINLY, Hearing, Segment, Transcript, Word

RULES = GateRules(voiced=0.5, certain=0.7, shortest_run=0.3, padding=0.2)
FRAME = 0.1


@pytest.mark.parametrize(
    ("frames", "span"),
    [
        ("", None),
        ("----------", None),
        ("----SSS---", (4, 7)),
        ("SSSSSSSSSS", (0, 10)),
        ("----SS----", None),  # too short a run
        ("SS-SS-SS-SS", None),  # short runs do not add up
        ("~~~~~~~~~~", None),  # voiced, but never certain
        ("--~S~----", (2, 5)),  # one certain frame makes its run count
        ("S--SSS--S", (3, 6)),  # clicks around it are cut off
        ("-SSS---SSSS-", (1, 11)),  # the pause between two runs stays
    ],
)
def test_the_stretch_from_the_first_to_the_last_run(frames: str, span: tuple[int, int] | None) -> None:
    """S is certainly speech, ~ perhaps, - is not."""
    found = speech_span([{"S": 0.9, "~": 0.6, "-": 0.1}[frame] for frame in frames], FRAME, RULES)
    padded = span and (max(0.0, span[0] * FRAME - 0.2), span[1] * FRAME + 0.2)
    assert found == (padded and pytest.approx(padded))


@given(st.lists(st.floats(0, 1), max_size=60))
def test_laws_of_the_span(probabilities: list[float]) -> None:
    span = speech_span(probabilities, FRAME, RULES)
    if span is None:
        return
    start, end = span
    assert 0 <= start < end <= len(probabilities) * FRAME + RULES.padding + 1e-9
    assert end - start >= RULES.shortest_run
    louder = speech_span([min(1.0, each + 0.1) for each in probabilities], FRAME, RULES)
    assert louder is not None
    assert louder[0] <= start
    assert louder[1] >= end


class Loud:
    """Any loud frame is speech."""

    name = "loud"
    frame_samples = 160

    def open_stream(self) -> "Loud":
        return self

    def probability(self, frame: Floats) -> float:
        assert frame.shape == (160,)
        return float(np.abs(frame).max() > 0.1)

    def probabilities(self, frames: Floats) -> Floats:
        return np.array([self.probability(frame) for frame in frames], np.float32)

    def reset(self) -> None:
        """There is no state."""


class Recorder:
    """An engine that writes down what it is given."""

    name = "recorder"
    languages = ("en", "zh")

    def __init__(self) -> None:
        self.heard: list[tuple[AudioChunk, Hearing]] = []
        self.drafts = True
        self.closed = False

    async def transcribe(self, sound: AudioChunk, hearing: Hearing = PLAINLY) -> Transcript:
        self.heard.append((sound, hearing))
        words = (Word("hello", 0.5, 0.75, 0.9),)
        segments = (Segment("hello", 0.5, 1.0, 0.8, words), Segment("again", 1.0, 1.5))
        return Transcript("hello again", "en", sound.seconds, 0.7, segments)

    async def aclose(self) -> None:
        self.closed = True


def noise(seconds: float, rate: int = 16_000) -> AudioChunk:
    samples = np.random.default_rng(3).uniform(-0.9, 0.9, round(seconds * rate))
    return from_floats(samples.astype(np.float32), rate)


@pytest.mark.anyio
@pytest.mark.parametrize("rate", [16_000, 48_000])
async def test_only_the_speech_is_handed_on_and_times_are_those_of_the_whole_sound(rate: int) -> None:
    engine = Recorder()
    gated = GatedSpeechToText(engine, Loud(), GateRules(padding=0.25))
    sound = joined([silence(2.0, rate), noise(1.0, rate), silence(3.0, rate)], rate)
    asked = Hearing("zh", hotwords=("听说",), task="translate", word_times=True)
    transcript = await gated.transcribe(sound, asked)
    ((heard, hearing),) = engine.heard
    assert (heard.rate, hearing) == (rate, asked)
    assert heard.seconds == pytest.approx(1.5, abs=0.03)
    assert (transcript.text, transcript.seconds, transcript.language_probability) == ("hello again", 6.0, 0.7)
    first, second = transcript.segments
    assert first.start == pytest.approx(2.25, abs=0.02)
    assert (first.end, first.confidence) == (first.start + 0.5, 0.8)
    assert (first.words[0].start, first.words[0].end) == (first.start, first.start + 0.25)
    assert second.start == first.end


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("sound", "gate"),
    [
        (silence(0.0, 16_000), "too short"),
        (noise(0.1), "too short"),
        (silence(5.0, 16_000), "no speech: a voice with probability 0.00, for 0.00 s"),
        (
            joined([silence(1.0, 16_000), noise(0.05), silence(1.0, 16_000)], 16_000),
            "no speech: a voice with probability 1.00, for 0.05 s",
        ),
    ],
    ids=["empty", "a click alone", "silence", "a click in silence"],
)
async def test_without_speech_the_engine_is_not_asked(sound: AudioChunk, gate: str) -> None:
    engine = Recorder()
    gated = GatedSpeechToText(engine, Loud())
    transcript = await gated.transcribe(sound, Hearing("zh"))
    assert transcript == Transcript("", "zh", sound.seconds, gate=gate)
    assert (await gated.transcribe(sound)).language == "en"
    assert engine.heard == []


@pytest.mark.anyio
async def test_a_draft_goes_by_the_gate() -> None:
    engine = Recorder()
    gated = GatedSpeechToText(engine, Loud())
    sound = silence(1.0, 16_000)
    assert (await gated.transcribe(sound, Hearing(draft=True))).text == "hello again"
    assert engine.heard == [(sound, Hearing(draft=True))]


@pytest.mark.anyio
async def test_looking_for_speech_can_be_cancelled() -> None:
    engine = Recorder()

    class Cancelling(Loud):
        seen = 0

        def probabilities(self, frames: Floats) -> Floats:
            self.seen += len(frames)
            anyio.from_thread.run_sync(scope.cancel)
            return np.ones(len(frames), np.float32)

    detector = Cancelling()
    with anyio.CancelScope() as scope:
        await GatedSpeechToText(engine, detector).transcribe(noise(5.0))
    assert scope.cancelled_caught
    assert (detector.seen, engine.heard) == (AT_ONCE, [])


@pytest.mark.anyio
async def test_a_long_sound_is_judged_part_by_part_as_a_whole() -> None:
    engine = Recorder()
    before, speech = 2.5 * AT_ONCE / 100, 1.1 * AT_ONCE / 100  # of hundredths of a second
    sound = joined([silence(before, 16_000), noise(speech), silence(before, 16_000)], 16_000)
    transcript = await GatedSpeechToText(engine, Loud(), GateRules(padding=0.25)).transcribe(sound)
    ((heard, _),) = engine.heard
    assert heard.seconds == pytest.approx(speech + 0.5, abs=0.03)
    assert transcript.segments[0].start == pytest.approx(before - 0.25 + 0.5, abs=0.02)


@pytest.mark.anyio
async def test_it_stands_for_its_engine() -> None:
    engine = Recorder()
    gated = GatedSpeechToText(engine, Loud())
    assert (gated.name, gated.languages, gated.drafts) == ("recorder", ("en", "zh"), True)
    engine.drafts = False
    assert not gated.drafts
    await gated.aclose()
    assert engine.closed
