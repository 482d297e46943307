"""What every mouth does, whichever engine it is; and what it says is heard back by an ear."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path

import anyio
import numpy as np
import pytest

from configs import settings
from models.audio import AudioChunk, joined
from models.engines.espeak_ng import EspeakNg
from models.engines.fake import FakeTextToSpeech
from models.engines.faster_whisper import FasterWhisper
from models.text_to_speech import TextToSpeech, Voice

pytestmark = pytest.mark.anyio

WHISPER = Path(__file__).parents[1] / "fixtures" / "tiny-whisper"
SENTENCES: dict[str, str] = json.loads((WHISPER / "sentences.json").read_text(encoding="utf-8"))
TEXTS = {"en": "Hello, how are you today?", "zh": "你好，你今天怎么样？"}


async def open_fake() -> TextToSpeech:
    return FakeTextToSpeech(settings.FakeTextToSpeech())


MOUTHS: dict[str, Callable[[], Awaitable[TextToSpeech]]] = {"espeak-ng": EspeakNg.open, "fake": open_fake}


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=MOUTHS)
async def mouth(request: pytest.FixtureRequest) -> AsyncIterator[TextToSpeech]:
    async with aclosing(await MOUTHS[request.param]()) as engine:
        yield engine


async def say(mouth: TextToSpeech, text: str, language: str = "en", voice: Voice | None = None) -> AudioChunk:
    async with aclosing(mouth.synthesize(text, language=language, voice=voice or Voice())) as speech:
        return joined([chunk async for chunk in speech], mouth.format.rate)


@pytest.mark.parametrize("language", TEXTS)
async def test_it_speaks_chinese_and_english_in_its_own_format(mouth: TextToSpeech, language: str) -> None:
    assert language in mouth.languages
    async with aclosing(mouth.synthesize(TEXTS[language], language=language, voice=Voice())) as speech:
        chunks = [chunk async for chunk in speech]
    assert {chunk.rate for chunk in chunks} == {mouth.format.rate}
    assert all(chunk.samples for chunk in chunks)
    sound = joined(chunks, mouth.format.rate)
    assert 0.4 < sound.seconds < 6
    assert 0.05 < np.abs(sound.floats()).max() <= 1.0


@pytest.mark.parametrize("text", ["", "  ", "\n"])
async def test_a_blank_text_yields_nothing(mouth: TextToSpeech, text: str) -> None:
    assert (await say(mouth, text)).samples == 0


async def test_a_longer_text_is_a_longer_sound(mouth: TextToSpeech) -> None:
    assert (await say(mouth, "One two three four five six.")).seconds > 1.5 * (await say(mouth, "One two.")).seconds


async def test_a_faster_voice_is_a_shorter_sound(mouth: TextToSpeech) -> None:
    own, fast = await say(mouth, TEXTS["en"]), await say(mouth, TEXTS["en"], voice=Voice(speed=1.5))
    assert own.seconds / 2 < fast.seconds < own.seconds / 1.2


async def test_leaving_after_a_chunk_frees_the_engine(mouth: TextToSpeech) -> None:
    async with aclosing(mouth.synthesize(TEXTS["en"] * 20, language="en", voice=Voice())) as speech:
        assert (await anext(speech)).samples
    with anyio.fail_after(20):
        assert (await say(mouth, TEXTS["en"])).seconds > 0.4


async def test_cancelling_frees_the_engine(mouth: TextToSpeech) -> None:
    with anyio.fail_after(20):
        with anyio.CancelScope() as scope:
            async with aclosing(mouth.synthesize(TEXTS["en"] * 20, language="en", voice=Voice())) as speech:
                async for _ in speech:
                    scope.cancel()
                    await anyio.lowlevel.checkpoint()
        assert scope.cancelled_caught
        assert (await say(mouth, TEXTS["en"])).seconds > 0.4


async def test_concurrent_callers_queue(mouth: TextToSpeech) -> None:
    alone = (await say(mouth, TEXTS["en"])).seconds
    lengths: list[float] = []

    async def call() -> None:
        lengths.append((await say(mouth, TEXTS["en"])).seconds)

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(call)
    assert lengths == [pytest.approx(alone, rel=0.03)] * 3


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_what_the_mouth_says_the_ear_hears() -> None:
    """All twenty sentences that the tiny Whisper was taught, spoken anew; eSpeak never says anything quite the same."""
    async with (
        aclosing(await EspeakNg.open()) as mouth,
        aclosing(await FasterWhisper.open(settings.FasterWhisper(device="cpu"), WHISPER / "ct2")) as ear,
    ):
        heard = {}
        for name, text in SENTENCES.items():
            transcript = await ear.transcribe(await say(mouth, text, name[-2:]))
            heard[name] = (transcript.text, transcript.language)
    right = [name for name, found in heard.items() if found == (SENTENCES[name], name[-2:])]
    for language in ("en", "zh"):
        taught = [name for name in SENTENCES if name.endswith(language)]
        assert len([name for name in right if name in taught]) >= 0.75 * len(taught), heard
