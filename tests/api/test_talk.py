"""A spoken conversation on a stand-in for PortAudio, with scripted engines and real time."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest
from anyio import create_task_group, fail_after, sleep
from anyio.to_thread import run_sync

from agent.assistant import Assistant, open_assistant
from api.terminal.ask import Wishes
from api.terminal.talk import converse
from configs.settings import load_settings
from models.audio import AudioChunk, from_floats, silence
from tests.api.sound_stand_in import Devices

pytestmark = pytest.mark.anyio

SCRIPTED = {
    "TINGSHUO_PERSONA": "companion",
    "TINGSHUO_CHAT__ENGINE": "fake",
    "TINGSHUO_CHAT__FAKE__REPLIES": '["One short reply."]',
    "TINGSHUO_SPEECH_TO_TEXT__ENGINE": "fake",
    "TINGSHUO_TEXT_TO_SPEECH__ENGINE": "fake",
    "TINGSHUO_VOICE_ACTIVITY__ENGINE": "fake",
}
SPEECH = from_floats((0.3 * np.sin(np.arange(8000) / 5)).astype(np.float32), 16_000)
PAUSE = silence(1.0, 16_000)


@pytest.fixture
def devices() -> Devices:
    return Devices()


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch, data_folder: Path) -> None:
    for name, value in SCRIPTED.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
async def assistant(scripted: None) -> AsyncIterator[Assistant]:
    async with open_assistant(load_settings()) as opened:
        yield opened


def loud(played: bytearray) -> bool:
    # A copy: the stand-in's thread goes on writing.
    return bool(np.abs(np.frombuffer(bytes(played), "<i2")).max(initial=0) > 1000)


async def until(condition: Callable[[], bool]) -> None:
    with fail_after(10):
        while not condition():  # noqa: ASYNC110  # another thread's doing
            await sleep(0.01)


async def test_a_question_is_heard_and_its_reply_is_played(
    assistant: Assistant, devices: Devices, capsys: pytest.CaptureFixture[str]
) -> None:
    async with create_task_group() as tasks:
        tasks.start_soon(_converse, assistant, devices, False)
        await until(lambda: hasattr(devices, "microphone"))
        await run_sync(devices.hear, AudioChunk(SPEECH.pcm + PAUSE.pcm, 16_000))
        await until(lambda: loud(devices.played))
        tasks.cancel_scope.cancel()
    out = capsys.readouterr().out
    assert "> Hello there." in out
    assert "One short reply." in out
    assert devices.microphone.closed
    assert devices.loudspeaker.closed


async def test_speaking_over_a_reply_silences_the_loudspeaker(
    assistant: Assistant, devices: Devices, capsys: pytest.CaptureFixture[str]
) -> None:
    async with create_task_group() as tasks:
        tasks.start_soon(_converse, assistant, devices, False)
        await until(lambda: hasattr(devices, "microphone"))
        await run_sync(devices.hear, AudioChunk(SPEECH.pcm + PAUSE.pcm, 16_000))
        await until(lambda: loud(devices.played))
        await run_sync(devices.hear, SPEECH)
        await until(lambda: "…" in capsys.readouterr().out)
        devices.played.clear()
        await until(lambda: len(devices.played) > 2 * 24_000 // 5)
        assert not loud(devices.played)
        tasks.cancel_scope.cancel()
    stored = await assistant.store.turns.of("talk")
    assert [turn.outcome for turn in stored] == ["interrupted"]


async def test_in_half_duplex_its_own_voice_does_not_interrupt_it(assistant: Assistant, devices: Devices) -> None:
    async with create_task_group() as tasks:
        tasks.start_soon(_converse, assistant, devices, True)
        await until(lambda: hasattr(devices, "microphone"))
        await run_sync(devices.hear, AudioChunk(SPEECH.pcm + PAUSE.pcm, 16_000))
        await until(lambda: loud(devices.played))
        await run_sync(devices.hear, SPEECH)
        while not (stored := await assistant.store.turns.of("talk")):  # noqa: ASYNC110
            await sleep(0.02)
        tasks.cancel_scope.cancel()
    assert [turn.outcome for turn in stored] == ["completed"]


async def _converse(assistant: Assistant, devices: Devices, half_duplex: bool) -> None:
    await converse(assistant, devices, Wishes(conversation="talk"), half_duplex=half_duplex)
