"""ChatTTS as a TextToSpeech: callers queue, a cancelled one frees the engine, and nothing to say is nothing."""

import logging
import threading
from contextlib import aclosing
from pathlib import Path

import anyio
import numpy as np
import pytest

from configs.errors import EngineFailed, EngineNotInstalled, RequestError
from models.audio import AudioChunk, joined
from models.engines.chattts import ChatTts
from models.engines.chattts_text import STEP
from models.text_to_speech import TextToSpeech, Voice
from tests.chattts.conftest import WANTED, Roll
from tests.chattts.tiny import Tiny
from tests.conftest import Backend

pytestmark = [pytest.mark.chattts, pytest.mark.anyio]

TEXT = "你好，世界。"


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Backend:
    return request.param, {}


async def said(engine: TextToSpeech, text: str = TEXT, voice: Voice | None = None) -> AudioChunk:
    async with aclosing(engine.synthesize(text, language="zh", voice=voice or Voice())) as speech:
        return joined([chunk async for chunk in speech], engine.format.rate)


async def test_it_speaks_in_chunks_of_its_format(engine: ChatTts, roll: Roll) -> None:
    roll(100)
    async with aclosing(engine.synthesize("hello world", language="en", voice=Voice("alloy", 1.5))) as speech:
        chunks = [chunk async for chunk in speech]
    assert len(chunks) > 3
    assert {chunk.rate for chunk in chunks} == {engine.format.rate} == {24_000}
    assert sum(chunk.samples for chunk in chunks) == 100 * STEP - 256
    assert np.abs(joined(chunks, 24_000).floats()).max() > 0.01


@pytest.mark.parametrize("text", ["", "  ", "😀🎉", "123", "?!", "——", "[1]"])
async def test_nothing_to_say_is_nothing(engine: ChatTts, roll: Roll, text: str) -> None:
    """The package makes up speech for these."""
    dice = roll(40)
    assert (await said(engine, text)).samples == 0
    assert dice.draws == 0


async def test_what_cannot_be_said_is_logged(engine: ChatTts, roll: Roll, caplog: pytest.LogCaptureFixture) -> None:
    roll(40)
    assert (await said(engine, "你好 3")).samples
    assert [(record.levelno, record.args) for record in caplog.records] == [(logging.WARNING, ("3",))]


async def test_callers_queue_and_each_hears_what_it_would_alone(engine: ChatTts) -> None:
    texts = ["你好", "hello", "世界"]
    alone = [await said(engine, text) for text in texts]
    together: dict[str, AudioChunk] = {}

    async def caller(text: str) -> None:
        together[text] = await said(engine, text)

    async with anyio.create_task_group() as callers:
        for text in texts:
            callers.start_soon(caller, text)
    assert [together[text] for text in texts] == alone
    assert len({chunk.pcm for chunk in alone}) == 3


async def test_a_cancelled_caller_frees_the_engine_within_a_step(
    engine: ChatTts, roll: Roll, interrupted: threading.Event
) -> None:
    reached = threading.Event()

    def hold() -> None:
        reached.set()
        assert interrupted.wait(20)

    dice = roll(lambda draw: draw == 200, {45: hold})
    async with anyio.create_task_group() as callers:
        callers.start_soon(said, engine)
        await anyio.to_thread.run_sync(reached.wait)
        callers.cancel_scope.cancel()
    assert dice.draws == 46
    roll(40)
    assert (await said(engine)).samples == 40 * STEP - 256


async def test_a_caller_who_leaves_between_chunks_frees_the_engine(engine: ChatTts, roll: Roll) -> None:
    dice = roll(lambda draw: False)
    async with aclosing(engine.synthesize(TEXT, language="zh", voice=Voice())) as speech:
        await anext(speech)
        made = dice.draws
    assert dice.draws == made == 36
    roll(40)
    assert (await said(engine)).samples == 40 * STEP - 256


async def test_the_next_caller_gets_its_turn_when_the_first_is_cancelled(engine: ChatTts, roll: Roll) -> None:
    begun = threading.Event()
    heard: list[AudioChunk] = []
    roll(lambda draw: draw in (150, 190), {5: begun.set})

    async def first(scope: anyio.CancelScope) -> None:
        with scope:
            await said(engine)

    async def second() -> None:
        heard.append(await said(engine))

    scope = anyio.CancelScope()
    async with anyio.create_task_group() as callers:
        callers.start_soon(first, scope)
        await anyio.to_thread.run_sync(begun.wait)
        callers.start_soon(second)
        await anyio.lowlevel.checkpoint()
        scope.cancel()
    assert len(heard) == 1
    assert heard[0].samples


async def test_an_unknown_voice_is_refused_and_the_engine_serves_on(engine: ChatTts, roll: Roll) -> None:
    dice = roll(40)
    with pytest.raises(RequestError, match="nobody"):
        await said(engine, voice=Voice("nobody"))
    assert dice.draws == 0
    assert (await said(engine, voice=Voice("nova"))).samples


async def test_voices_sound_different_and_are_kept(engine: ChatTts, roll: Roll, tmp_path: Path) -> None:
    sounds = []
    for name in ("nova", "onyx", "nova"):
        roll(40)
        sounds.append(await said(engine, voice=Voice(name)))
    assert sounds[0] == sounds[2] != sounds[1]
    kept = {file.name for file in (tmp_path / "speakers").iterdir()}
    assert kept == {"default.safetensors", "nova.safetensors", "onyx.safetensors"}


async def test_the_same_words_are_the_same_after_a_restart(tiny: Tiny, tmp_path: Path) -> None:
    sounds = []
    for _ in range(2):
        engine = await ChatTts.open(WANTED, tiny.folder, tmp_path, hashes=tiny.hashes, config=tiny.config)
        sounds.append(await said(engine, "你好"))
        await engine.aclose()
    assert sounds[0] == sounds[1]
    assert sounds[0].samples


async def test_it_ends_after_three_attempts_with_an_error(engine: ChatTts, roll: Roll) -> None:
    roll(lambda draw: True)
    with pytest.raises(EngineFailed, match="too soon"):
        await said(engine)
    roll(40)
    assert (await said(engine)).samples


async def test_a_text_beyond_one_call_is_refused_and_not_cut(engine: ChatTts, roll: Roll) -> None:
    dice = roll(40)
    with pytest.raises(EngineFailed, match="too long"):
        await said(engine, "好" * 300)
    assert dice.draws == 0


async def test_closing_twice_is_closing(engine: ChatTts) -> None:
    await engine.aclose()
    await engine.aclose()


async def test_without_the_extra_it_says_how_to_install_it(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.engines.chattts_loading.PACKAGES", ("torch", "no_such_package"))
    with pytest.raises(EngineNotInstalled) as missing:
        await ChatTts.open(WANTED, tiny.folder, tmp_path)
    assert missing.value.hint == "uv sync --extra chattts"
