"""What every ear does, whichever engine it is: hears speech, queues, is freed by cancelling, hears nothing in noise."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import anyio
import numpy as np
import numpy.typing as npt
import pytest

from configs import settings
from models.audio import AudioChunk, from_floats, joined, silence
from models.decoding import decode
from models.engines.fake import FakeSpeechToText
from models.engines.faster_whisper import FasterWhisper
from models.engines.pocketsphinx import PocketSphinx
from models.engines.silero import Silero
from models.speech_gate import GatedSpeechToText
from models.speech_to_text import Hearing, SpeechToText

pytestmark = pytest.mark.anyio

FIXTURES = Path(__file__).parents[1] / "fixtures"
RATE = 16_000
Noise = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Ear:
    """An engine, and speech that it is known to hear."""

    open: Callable[[], Awaitable[SpeechToText]]
    recording: Path
    text: str


async def open_whisper() -> SpeechToText:
    return await FasterWhisper.open(settings.FasterWhisper(device="cpu"), FIXTURES / "tiny-whisper" / "ct2")


async def open_fake() -> SpeechToText:
    return FakeSpeechToText(settings.FakeSpeechToText(transcripts=("Hello there.",), delay=0.2))


EARS = {
    "faster-whisper": Ear(open_whisper, FIXTURES / "tiny-whisper" / "utt00_en.wav", "Hello, how are you today?"),
    "pocketsphinx": Ear(PocketSphinx.open, FIXTURES / "flite" / "hello.wav", "hello how are you today"),
    "fake": Ear(open_fake, FIXTURES / "flite" / "hello.wav", "Hello there."),
}


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=EARS)
def ear(request: pytest.FixtureRequest) -> Ear:
    return EARS[request.param]


@pytest.fixture
async def engine(ear: Ear) -> AsyncIterator[SpeechToText]:
    async with aclosing(await ear.open()) as opened:
        yield opened


@pytest.fixture
async def speech(ear: Ear) -> AudioChunk:
    return await decode(ear.recording, max_bytes=10**6, max_seconds=10)


async def test_speech_is_heard(ear: Ear, engine: SpeechToText, speech: AudioChunk) -> None:
    transcript = await engine.transcribe(speech, Hearing(hotwords=()))
    assert (transcript.text, transcript.language, transcript.gate) == (ear.text, "en", "")
    assert transcript.seconds == speech.seconds
    assert transcript.language in engine.languages
    assert " ".join(segment.text for segment in transcript.segments) == ear.text
    for segment in transcript.segments:
        assert 0 <= segment.start <= segment.end <= speech.seconds + 0.1
        assert segment.confidence is None or 0 <= segment.confidence <= 1
    certainty = transcript.language_probability
    assert certainty is None or 0 <= certainty <= 1


async def test_the_rate_of_a_sound_does_not_matter(ear: Ear, engine: SpeechToText, speech: AudioChunk) -> None:
    assert (await engine.transcribe(speech.resampled(48_000), Hearing("en"))).text == ear.text


async def test_a_draft_is_made_of_any_sound_and_disturbs_no_transcript(
    ear: Ear, engine: SpeechToText, speech: AudioChunk
) -> None:
    for seconds in (0.0, 0.3, 1.0):
        beginning = AudioChunk(speech.pcm[: 2 * round(seconds * speech.rate)], speech.rate)
        assert (await engine.transcribe(beginning, Hearing(draft=True))).seconds == beginning.seconds
    assert (await engine.transcribe(speech)).text == ear.text


async def test_an_empty_sound_has_an_empty_transcript(engine: SpeechToText) -> None:
    transcript = await engine.transcribe(AudioChunk(b"", RATE))
    assert (transcript.text, transcript.segments, transcript.seconds) == ("", (), 0.0)
    assert transcript.gate


async def test_cancelling_frees_the_engine(ear: Ear, engine: SpeechToText, speech: AudioChunk) -> None:
    long = joined([speech] * 20, RATE)
    with anyio.fail_after(20):
        with anyio.move_on_after(0.02) as scope:
            await engine.transcribe(long)
        assert scope.cancelled_caught
        assert (await engine.transcribe(speech)).text == ear.text


async def test_concurrent_callers_queue(ear: Ear, engine: SpeechToText, speech: AudioChunk) -> None:
    heard: list[str] = []

    async def call() -> None:
        heard.append((await engine.transcribe(speech)).text)

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(call)
    assert heard == [ear.text] * 3


async def test_a_cancelled_caller_in_the_queue_disturbs_nobody(
    ear: Ear, engine: SpeechToText, speech: AudioChunk
) -> None:
    heard: list[str] = []

    async def call() -> None:
        heard.append((await engine.transcribe(speech)).text)

    async with anyio.create_task_group() as group:
        group.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        with anyio.CancelScope() as scope:
            scope.cancel()
            await engine.transcribe(speech)
    assert scope.cancelled_caught
    assert heard == [ear.text]


def coloured(exponent: float, seed: int, seconds: float = 4.0) -> Noise:
    """Noise whose power falls with frequency: 0 is white, 0.5 pink, 1 brown; of unit power."""
    chance = np.random.default_rng(seed)
    spectrum = np.fft.rfft(chance.standard_normal(round(seconds * RATE)))
    spectrum /= np.maximum(np.arange(len(spectrum)), 1.0) ** exponent
    noise = np.fft.irfft(spectrum)
    return np.asarray(noise / noise.std())


def hum(hertz: float, seconds: float = 4.0) -> Noise:
    """Mains and its overtones."""
    times = np.arange(round(seconds * RATE)) / RATE
    return np.asarray(sum(np.sin(2 * np.pi * hertz * k * times + k) / k for k in range(1, 10)))


def keyboard(seed: int, seconds: float = 4.0) -> Noise:
    """Keys that go down and up a few times a second: short bursts of noise with a ringing body."""
    chance = np.random.default_rng(seed)
    sound = np.zeros(round(seconds * RATE))
    at = 0
    while at < len(sound) - RATE // 4:
        for delay, strength in ((0.0, 1.0), (chance.uniform(0.05, 0.12), 0.6)):
            start, length = at + round(delay * RATE), round(chance.uniform(0.01, 0.04) * RATE)
            times = np.arange(length) / RATE
            ringing = chance.standard_normal(length) + 2 * np.sin(2 * np.pi * chance.uniform(300, 3_500) * times)
            sound[start : start + length] += strength * ringing * np.exp(-times / chance.uniform(0.002, 0.01))
        at += round(chance.uniform(0.07, 0.4) * RATE)
    return sound


NOISES = {
    "white": coloured(0.0, seed=1),
    "pink": coloured(0.5, seed=2),
    "brown": coloured(1.0, seed=3),
    "50 Hz hum": hum(50),
    "60 Hz hum": hum(60),
    "a keyboard": keyboard(seed=4),
    "a keyboard over a fan": keyboard(seed=5) + 0.1 * coloured(0.5, seed=6) + 0.1 * hum(50),
    "a tone": np.sin(2 * np.pi * 440 * np.arange(4 * RATE) / RATE),
}


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_noise_gives_no_transcript(engine: SpeechToText) -> None:
    gated = GatedSpeechToText(engine, await Silero.open())
    sounds = {"silence": silence(4.0, RATE)}
    for name, noise in NOISES.items():
        for loudness in (0.003, 0.03, 0.3):
            sounds[f"{name} at {loudness}"] = from_floats((loudness * noise).astype(np.float32), RATE)
    heard = {name: await gated.transcribe(sound) for name, sound in sounds.items()}
    assert {name: transcript.text for name, transcript in heard.items()} == dict.fromkeys(sounds, "")
    gates = {name: transcript.gate for name, transcript in heard.items()}
    assert {name: gate for name, gate in gates.items() if not gate.startswith("no speech: a voice with ")} == {}


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("factor", [1.0, 0.1])
async def test_speech_passes_the_gate(ear: Ear, engine: SpeechToText, speech: AudioChunk, factor: float) -> None:
    gated = GatedSpeechToText(engine, await Silero.open())
    sound = joined([silence(2.0, RATE), speech, silence(3.0, RATE)], RATE)
    transcript = await gated.transcribe(from_floats(np.asarray(sound.floats() * factor, np.float32), RATE))
    assert transcript.gate == ""
    assert transcript.text
    assert transcript.seconds == sound.seconds
    assert 1.6 < transcript.segments[0].start <= transcript.segments[-1].end < 2.0 + speech.seconds + 0.5
    if factor == 1.0:
        assert transcript.text == ear.text
