"""Microphone and loudspeaker, on a stand-in for PortAudio."""

import sys
from typing import Any

import pytest
from anyio import fail_after
from anyio.to_thread import run_sync

from api.terminal.sound_devices import BUFFERED, FRAME, Loudspeaker, load_devices, open_loudspeaker, open_microphone
from configs.errors import EngineNotInstalled, EngineUnavailable
from models.audio import AudioChunk
from tests.api.sound_stand_in import Devices

pytestmark = pytest.mark.anyio


def frame(number: int) -> AudioChunk:
    return AudioChunk(number.to_bytes(2, "little") * FRAME, 16_000)


def pulled(loudspeaker: Loudspeaker, frames: int) -> bytes:
    out = bytearray(b"\xff" * 2 * frames)
    loudspeaker.fill(memoryview(out), frames, None, None)
    return bytes(out)


async def test_what_is_heard_arrives_whole_and_in_order() -> None:
    devices = Devices()
    async with open_microphone(devices) as frames:
        for number in range(5):
            await run_sync(devices.hear, frame(number))
        with fail_after(5):
            assert [await anext(frames) for _ in range(5)] == [frame(number) for number in range(5)]
    assert devices.microphone.closed


async def test_a_slow_listener_loses_the_oldest_and_not_the_memory() -> None:
    devices = Devices()
    async with open_microphone(devices) as frames:
        sound = b"".join(frame(number).pcm for number in range(BUFFERED + 10))
        await run_sync(devices.hear, AudioChunk(sound, 16_000))
        with fail_after(5):
            heard = [await anext(frames) for _ in range(BUFFERED)]
    assert heard == [frame(number) for number in range(10, BUFFERED + 10)]


async def test_sound_after_the_end_is_nobodys_error() -> None:
    devices = Devices()
    async with open_microphone(devices):
        pass
    await run_sync(devices.hear, frame(1))


def test_the_loudspeaker_plays_in_order_then_silence() -> None:
    loudspeaker = Loudspeaker()
    loudspeaker.add(AudioChunk(b"\x01\x00\x02\x00", 16_000))
    loudspeaker.add(AudioChunk(b"\x03\x00", 16_000))
    assert pulled(loudspeaker, 2) == b"\x01\x00\x02\x00"
    assert loudspeaker.playing
    assert pulled(loudspeaker, 3) == b"\x03\x00" + bytes(4)
    assert not loudspeaker.playing


def test_a_cut_is_silence_at_once() -> None:
    loudspeaker = Loudspeaker()
    loudspeaker.add(frame(7))
    pulled(loudspeaker, 10)
    loudspeaker.cut()
    assert pulled(loudspeaker, 10) == bytes(20)


@pytest.mark.parametrize("which", ["microphone", "loudspeaker"])
async def test_a_machine_without_the_device_is_told_so(which: str) -> None:
    devices = Devices(missing=which)
    opened: Any = open_microphone(devices) if which == "microphone" else open_loudspeaker(devices, 16_000)
    with pytest.raises(EngineUnavailable, match=f"the {which} cannot be opened"):
        async with opened:
            pass


@pytest.mark.parametrize(
    ("raised", "remedy"), [(ImportError, "make setup EXTRAS=mic"), (OSError, "sudo apt install libportaudio2")]
)
def test_what_is_missing_is_told_with_its_command(
    monkeypatch: pytest.MonkeyPatch, raised: type[Exception], remedy: str
) -> None:
    class Missing:
        def find_spec(self, name: str, *where: object) -> None:
            if name == "sounddevice":
                raise raised("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    with pytest.raises(EngineNotInstalled) as told:
        load_devices()
    assert remedy in told.value.hint
