"""Utterances out of frames: exact times with a scripted detector, any framing and rate, and the real detector."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.settings import Listening
from models.audio import SPEECH_RATE, AudioChunk, Floats, from_floats, joined, silence
from models.engines.espeak_ng import EspeakNg
from models.engines.silero import Silero, bundled_model
from models.text_to_speech import Voice
from models.voice_activity import VoiceActivityDetector
from tests.conftest import Backend
from tools.speech_input import Heard, Listener, SpeechGoesOn, SpeechStarted, Utterance, _Stream

LISTENING = Listening(shortest_speech=0.1, end_silence=0.5, pre_roll=0.2, longest_utterance=3)


@pytest.fixture(params=["trio", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest, trio_virtual: Backend) -> Backend:
    return trio_virtual if request.param == "trio" else ("asyncio", {})


class Loudness:
    """A detector of 10 ms frames: any frame that is mostly loud is speech; counts its resets."""

    name = "loudness"
    frame_samples = 160

    def __init__(self) -> None:
        self.resets = 0

    def open_stream(self) -> "Loudness":
        return self

    def probability(self, frame: Floats) -> float:
        assert frame.shape == (160,)
        return float(np.mean(np.abs(frame) > 0.1))

    def probabilities(self, frames: Floats) -> Floats:
        return np.array([self.probability(frame) for frame in frames], np.float32)

    def reset(self) -> None:
        self.resets += 1


def sound(*script: tuple[float, bool], rate: int = SPEECH_RATE) -> AudioChunk:
    """So many seconds of a loud ramp (True) or of silence (False), one after the other."""
    parts = []
    for seconds, loud in script:
        samples = round(seconds * rate)
        ramp = np.linspace(0.2, 0.9, samples) * np.where(np.arange(samples) // 40 % 2, 1, -1)
        parts.append(from_floats((ramp * loud).astype(np.float32), rate))
    return joined(parts, rate)


def chopped(whole: AudioChunk, samples: int) -> list[AudioChunk]:
    return [
        AudioChunk(whole.pcm[start : start + 2 * samples], whole.rate)
        for start in range(0, len(whole.pcm), 2 * samples)
    ]


async def heard(
    chunks: Iterable[AudioChunk], detector: VoiceActivityDetector | None = None, listening: Listening = LISTENING
) -> list[Heard]:
    async def frames() -> AsyncGenerator[AudioChunk, None]:
        for chunk in chunks:
            yield chunk

    async with aclosing(Listener(detector or Loudness(), listening).listen(frames())) as events:
        return [event async for event in events]


SPOKEN = ((1.0, False), (0.8, True), (1.0, False), (0.6, True), (0.7, False))


@pytest.mark.anyio
@pytest.mark.parametrize("samples", [1600, 160, 512, 333, 100_000])
async def test_utterances_are_found_at_their_exact_times(samples: int) -> None:
    whole = sound(*SPOKEN)
    detector = Loudness()
    first_start, first, second_start, second = await heard(chopped(whole, samples), detector)
    assert isinstance(first_start, SpeechStarted)
    assert isinstance(second_start, SpeechStarted)
    assert isinstance(first, Utterance)
    assert isinstance(second, Utterance)
    assert [first_start.at, first.start, first.end, first.noticed_at] == pytest.approx([1.0, 1.0, 1.8, 2.3])
    assert [second_start.at, second.start, second.end, second.noticed_at] == pytest.approx([2.8, 2.8, 3.4, 3.9])
    # What is heard is exactly what was said, with 0.2 s before and after.
    assert first.sound.pcm == whole.pcm[2 * round(0.8 * 16_000) : 2 * round(2.0 * 16_000)]
    assert second.sound.pcm == whole.pcm[2 * round(2.6 * 16_000) : 2 * round(3.6 * 16_000)]
    assert detector.resets == 2


@pytest.mark.anyio
async def test_there_is_no_pre_roll_before_the_beginning() -> None:
    whole = sound((0.05, False), (0.5, True), (0.6, False))
    _, utterance = await heard([whole])
    assert isinstance(utterance, Utterance)
    assert utterance.sound.pcm == whole.pcm[: 2 * round(0.75 * 16_000)]


@pytest.mark.anyio
async def test_an_open_utterance_is_given_at_the_end() -> None:
    whole = sound((0.3, False), (0.5, True), (0.1, False), (0.0033, False))
    start, utterance = await heard(chopped(whole, 320))
    assert start == SpeechStarted(pytest.approx(0.3))  # type: ignore[arg-type]
    assert isinstance(utterance, Utterance)
    assert [utterance.start, utterance.end] == pytest.approx([0.3, 0.8])
    assert utterance.sound.pcm == whole.pcm[2 * round(0.1 * 16_000) :]


@pytest.mark.anyio
@pytest.mark.parametrize("samples", [160, 100_000])
async def test_a_pause_that_is_shorter_than_the_pre_roll_is_shared_out_once(samples: int) -> None:
    whole = sound((1.0, False), (0.5, True), (0.4, False), (0.5, True), (0.5, False))
    listening = LISTENING.model_copy(update={"end_silence": 0.3, "pre_roll": 0.6})
    found = [
        event for event in await heard(chopped(whole, samples), listening=listening) if isinstance(event, Utterance)
    ]
    assert [utterance.start for utterance in found] == pytest.approx([1.0, 1.9])
    assert [utterance.end for utterance in found] == pytest.approx([1.5, 2.4])
    assert [utterance.noticed_at for utterance in found] == pytest.approx([1.8, 2.7])
    said = b"".join(utterance.sound.pcm for utterance in found)
    assert said == whole.pcm[2 * round(0.4 * 16_000) : 2 * round(2.7 * 16_000)]


@pytest.mark.anyio
@pytest.mark.parametrize("samples", [160, 512, 100_000])
async def test_what_was_said_so_far_is_given_while_somebody_speaks(samples: int) -> None:
    # A pause of 0.4 s within the first utterance, which ends at 4.0; then one that ends before its first is due.
    whole = sound((1.0, False), (1.4, True), (0.4, False), (1.2, True), (1.0, False), (0.4, True), (1.0, False))

    async def frames() -> AsyncGenerator[AudioChunk, None]:
        for chunk in chopped(whole, samples):
            yield chunk

    listening = LISTENING.model_copy(update={"longest_utterance": 30.0})
    async with aclosing(Listener(Loudness(), listening).listen(frames(), partials=0.6)) as events:
        found: list[Heard] = [event async for event in events]
    kinds = [type(event) for event in found]
    assert kinds == [SpeechStarted, *[SpeechGoesOn] * 6, Utterance, SpeechStarted, SpeechGoesOn, Utterance]
    # Speech begins at 1.0, so the first is from 0.8 to 1.6 and so on; and 0.1 s into each pause all that was said,
    # after which the next is due in 0.6 s again.
    spans = [*((0.8, end) for end in (1.6, 2.2, 2.5, 3.1, 3.7, 4.1)), (4.8, 5.5)]
    for event, (start, end) in zip([*found[1:7], found[9]], spans, strict=True):
        assert isinstance(event, SpeechGoesOn)
        assert event.sound.pcm == whole.pcm[2 * round(start * 16_000) : 2 * round(end * 16_000)]


@pytest.mark.anyio
@pytest.mark.parametrize("script", [(), ((5.0, False),), ((1.0, False), (0.05, True), (1.0, False))])
async def test_silence_and_clicks_are_no_speech(script: tuple[tuple[float, bool], ...]) -> None:
    assert await heard([sound(*script)] if script else []) == []


@pytest.mark.anyio
async def test_a_long_speech_is_cut_and_nothing_of_it_is_lost_or_doubled() -> None:
    whole = sound((0.5, False), (7.0, True), (1.0, False))
    found = [event for event in await heard(chopped(whole, 512)) if isinstance(event, Utterance)]
    assert [utterance.start for utterance in found] == pytest.approx([0.5, 3.5, 6.5])
    assert [utterance.end for utterance in found] == pytest.approx([3.5, 6.5, 7.5])
    said = b"".join(utterance.sound.pcm for utterance in found)
    assert said == whole.pcm[2 * round(0.3 * 16_000) : 2 * round(7.7 * 16_000)]


@pytest.mark.anyio
@pytest.mark.parametrize("rate", [8_000, 24_000, 44_100, 48_000])
async def test_any_rate_is_heard(rate: int) -> None:
    events = await heard(chopped(sound(*SPOKEN, rate=rate), rate // 50))
    found = [event for event in events if isinstance(event, Utterance)]
    assert [utterance.start for utterance in found] == pytest.approx([1.0, 2.8], abs=0.011)
    assert [utterance.end for utterance in found] == pytest.approx([1.8, 3.4], abs=0.011)
    assert {utterance.sound.rate for utterance in found} == {SPEECH_RATE}


@pytest.mark.anyio
async def test_the_rate_may_change_within_the_stream() -> None:
    parts = [sound((0.5, False), (0.4, True)), sound((0.4, True), rate=48_000), sound((1.0, False), rate=8_000)]
    start, utterance = await heard([piece for part in parts for piece in chopped(part, 400)])
    assert isinstance(start, SpeechStarted)
    assert isinstance(utterance, Utterance)
    assert [start.at, utterance.start, utterance.end] == pytest.approx([0.5, 0.5, 1.3], abs=0.011)
    assert utterance.sound.seconds == pytest.approx(0.2 + 0.8 + 0.2, abs=0.011)


@pytest.mark.anyio
async def test_half_a_sample_at_the_end_of_a_chunk_is_left_out() -> None:
    whole = sound((0.3, False), (0.5, True), (0.6, False))
    ragged = [AudioChunk(chunk.pcm + b"\x7f", chunk.rate) for chunk in chopped(whole, 320)]
    assert await heard(ragged) == await heard([whole])


@given(
    script=st.lists(st.tuples(st.integers(1, 120), st.booleans()), max_size=12),
    sizes=st.lists(st.integers(1, 9_000), min_size=1, max_size=5),
)
@settings(max_examples=20)
def test_what_is_kept_is_bounded(script: list[tuple[int, bool]], sizes: list[int]) -> None:
    stream = _Stream(Loudness(), LISTENING)
    whole = sound(*((hundredths / 10, loud) for hundredths, loud in script))
    most = (3 + 0.5 + 2 * 0.2 + 0.1 + 0.1) * SPEECH_RATE * 2
    position = turn = 0
    while position < len(whole.pcm):
        step = 2 * sizes[turn % len(sizes)]
        for event in stream.push(AudioChunk(whole.pcm[position : position + step], SPEECH_RATE)):
            assert isinstance(event, SpeechStarted) or event.sound.seconds <= 3 + 2 * 0.2 + 1e-6
        assert len(stream._kept) <= most
        position, turn = position + step, turn + 1


@pytest.mark.anyio
async def test_the_real_detector_hears_no_speech_in_silence_and_noise() -> None:
    noise = from_floats((0.01 * np.random.default_rng(1).standard_normal(48_000)).astype(np.float32), SPEECH_RATE)
    detector = Silero(bundled_model())
    assert await heard([sound((2.0, False)), noise], detector, Listening()) == []


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", [("asyncio", {})])  # an engine's thread is not seen by a virtual clock
@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Good morning, I would like to know what the weather will be like tomorrow."),
        ("zh", "早上好，我想知道明天的天气怎么样，需不需要带伞。"),
    ],
)
async def test_the_real_detector_hears_real_speech(language: str, text: str) -> None:
    engine = await EspeakNg.open()
    async with aclosing(engine.synthesize(text, language=language, voice=Voice())) as pieces:
        speech = joined([piece async for piece in pieces], engine.format.rate)
    await engine.aclose()
    pause = silence(1.0, speech.rate)
    events = await heard([pause, *chopped(speech, 441), pause], Silero(bundled_model()), Listening())
    assert [type(event) for event in events] == [SpeechStarted, Utterance]
    utterance = events[1]
    assert isinstance(utterance, Utterance)
    assert utterance.start == pytest.approx(1.0, abs=0.15)
    assert utterance.end == pytest.approx(1.0 + speech.seconds, abs=0.5)
    assert utterance.end - utterance.start < utterance.sound.seconds <= 0.6 + utterance.end - utterance.start + 1e-3
