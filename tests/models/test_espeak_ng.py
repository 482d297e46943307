"""eSpeak NG for real: both languages, speed and pitch as measured in the sound, one C library for several engines."""

import ctypes
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from statistics import median

import anyio
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.errors import EngineFailed, EngineNotInstalled, RequestError
from models.audio import AudioChunk, Floats, joined
from models.engines.chattts_speakers import NAMED
from models.engines.espeak_ng import VARIANTS, EspeakNg, is_speakable, pitch_number, voice_name
from models.text_to_speech import Voice

pytestmark = pytest.mark.anyio


@pytest.fixture
async def mouth() -> AsyncIterator[EspeakNg]:
    engine = await EspeakNg.open()
    yield engine
    await engine.aclose()


async def say(mouth: EspeakNg, text: str, language: str = "en", voice: Voice | None = None) -> AudioChunk:
    async with aclosing(mouth.synthesize(text, language=language, voice=voice or Voice())) as speech:
        return joined([chunk async for chunk in speech], mouth.format.rate)


def alike(one: AudioChunk, other: AudioChunk) -> bool:
    """Whether two sounds may be the same speech; eSpeak varies by some samples each time."""
    return one.samples > 0 and abs(one.samples - other.samples) < 0.03 * one.samples


def fundamental(samples: Floats, rate: int) -> float:
    """The median pitch of the voiced frames in hertz, by autocorrelation."""
    found = []
    for start in range(0, len(samples) - 2048, 1024):
        frame = samples[start : start + 2048]
        if float(np.sqrt(np.mean(frame**2))) < 0.03:
            continue
        similar = np.correlate(frame, frame, "full")[2047:]
        lag = rate // 400 + int(similar[rate // 400 : rate // 40].argmax())
        if similar[lag] > 0.5 * similar[0]:
            found.append(rate / lag)
    return float(np.median(found))


async def test_it_speaks_both_languages_at_its_own_rate(mouth: EspeakNg) -> None:
    assert (mouth.name, mouth.languages, mouth.format.rate) == ("espeak-ng", ("en", "zh"), 22_050)
    # People read three to six syllables of Chinese a second, and two to three words of English.
    chinese = await say(mouth, "员工每年有二十五天年假。", "zh")
    assert 11 / 6 < chinese.seconds < 11 / 3
    english = await say(mouth, "Every employee has twenty-five days of annual leave.")
    assert 9 / 3.5 < english.seconds < 9 / 2
    for sound in (chinese, english):
        assert 0.1 < np.abs(sound.floats()).max() <= 1.0


async def test_chunks_are_short_and_of_one_rate(mouth: EspeakNg) -> None:
    chunks = [chunk async for chunk in mouth.synthesize("Hello, how are you today?", language="en", voice=Voice())]
    assert len(chunks) > 10
    assert {chunk.rate for chunk in chunks} == {22_050}
    assert max(chunk.seconds for chunk in chunks) <= 0.0601


@pytest.mark.parametrize(
    ("longer", "shorter"),
    [
        ("我喜欢 Python 编程。", "我喜欢编程。"),
        ("The teacher is called 王明.", "The teacher is called."),
        ("房间号是 205。", "房间号是。"),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_mixed_text_is_spoken_whole(mouth: EspeakNg, language: str, longer: str, shorter: str) -> None:
    added = (await say(mouth, longer, language)).seconds - (await say(mouth, shorter, language)).seconds
    assert 0.2 < added < 1.2


async def test_han_characters_are_spoken_not_named(mouth: EspeakNg) -> None:
    assert alike(await say(mouth, "你好", "en"), await say(mouth, "你好", "zh"))


@pytest.mark.parametrize("text", ["", " ", "\n\t", "...", "。。。", "，！？", "—", "…", "«»", "“”", "\u200b", "\0"])
async def test_nothing_to_say_yields_nothing(mouth: EspeakNg, text: str) -> None:
    for language in mouth.languages:
        assert (await say(mouth, text, language)).samples == 0


async def test_a_character_that_it_cannot_say_yields_nothing(mouth: EspeakNg) -> None:
    assert is_speakable("♪")
    assert (await say(mouth, "♪")).samples == 0


async def test_markup_and_zero_bytes_do_not_cut_the_text(mouth: EspeakNg) -> None:
    plain = (await say(mouth, "alpha beta")).seconds
    for text in ("alpha \0 beta", "<alpha> beta", "alpha & beta", "[[alpha]] beta", "alpha \ud800 beta"):
        assert (await say(mouth, text)).seconds > 0.9 * plain


@pytest.mark.parametrize("speed", [0.5, 0.8, 1.5, 2.0])
async def test_speed(mouth: EspeakNg, speed: float) -> None:
    text = "Every employee has twenty five days of annual leave"
    own, other = await say(mouth, text), await say(mouth, text, voice=Voice(speed=speed))
    assert own.seconds / other.seconds == pytest.approx(speed, rel=0.15)


@pytest.mark.parametrize("pitch", [0.7, 0.85, 1.2, 1.5])
async def test_pitch(mouth: EspeakNg, pitch: float) -> None:
    found = []
    for text in ("Noah is mowing our lawn.", "Now I know a lemon is yellow.", "Our llama will roam all morning."):
        own, other = await say(mouth, text), await say(mouth, text, voice=Voice(pitch=pitch))
        found.append(fundamental(other.floats(), other.rate) / fundamental(own.floats(), own.rate))
    # No two sounds of eSpeak NG are the same to the sample, and what is estimated of one may be far off.
    assert median(found) == pytest.approx(pitch, rel=0.1)


@given(st.floats(0.5, 2.0), st.floats(0.5, 2.0))
def test_a_higher_pitch_is_a_higher_number_on_the_scale(one: float, other: float) -> None:
    assert 0 <= pitch_number(one) <= 100
    assert (one <= other) <= (pitch_number(one) <= pitch_number(other))


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Hello", "en", "en-us"),
        ("你好", "zh", "cmn"),
        ("Hello", "zh", "cmn"),
        ("Ask 王明", "en", "cmn"),
        ("㐀", "en", "cmn"),
        ("“Hello”", "en", "en-us"),
    ],
)
def test_whose_voice_it_is(text: str, language: str, expected: str) -> None:
    assert voice_name(text, language) == expected


async def test_it_says_the_same_twice_and_another_voice_leaves_nothing_behind(mouth: EspeakNg) -> None:
    first = await say(mouth, "The same again.")
    await say(mouth, "别的声音。", "zh", Voice(speed=2, pitch=2))
    assert alike(await say(mouth, "The same again."), first)


async def test_a_cancelled_clause_stops_within_a_piece(mouth: EspeakNg, monkeypatch: pytest.MonkeyPatch) -> None:
    taken, begun, string_at = [0], threading.Event(), ctypes.string_at

    def slowly(address: int, size: int) -> bytes:
        taken[0] += 1
        begun.set()
        time.sleep(0.002)
        return string_at(address, size)

    with monkeypatch.context() as patched, anyio.fail_after(20):
        patched.setattr(ctypes, "string_at", slowly)
        async with anyio.create_task_group() as group:
            group.start_soon(say, mouth, "This sentence is long. " * 500)
            await anyio.to_thread.run_sync(begun.wait)
            group.cancel_scope.cancel()
    assert taken[0] < 500  # the whole text has more than ten thousand pieces
    assert (await say(mouth, "Free again.")).seconds > 0.5


async def test_engines_share_the_library_and_the_last_one_closes_it(mouth: EspeakNg) -> None:
    expected = await say(mouth, "The library is shared.")
    async with aclosing(await EspeakNg.open()) as other:
        assert alike(await say(other, "The library is shared."), expected)
    await other.aclose()  # closing twice counts once
    assert alike(await say(mouth, "The library is shared."), expected)


async def test_it_opens_again_after_it_was_closed() -> None:
    sounds = []
    for _ in range(3):
        async with aclosing(await EspeakNg.open()) as engine:
            sounds.append(await say(engine, "Once more."))
    assert all(alike(sound, sounds[0]) for sound in sounds)


async def test_it_is_closed_even_where_everything_is_cancelled() -> None:
    engine = await EspeakNg.open()
    (own,) = [thread for thread in threading.enumerate() if thread.name.startswith("espeak-ng")]
    with anyio.CancelScope() as scope:
        scope.cancel()
        await engine.aclose()
    await anyio.to_thread.run_sync(own.join, 10)
    assert not own.is_alive()


async def test_several_engines_speak_at_once_without_mixing_voices(mouth: EspeakNg) -> None:
    voices = [Voice(speed=0.7), Voice(), Voice(speed=1.5)]
    alone = [await say(mouth, "One two three.", "en", voice) for voice in voices]
    together: list[list[AudioChunk]] = [[], [], []]

    async def speak(number: int) -> None:
        async with aclosing(await EspeakNg.open()) as engine:
            for _ in range(5):
                together[number].append(await say(engine, "One two three.", "en", voices[number]))

    async with anyio.create_task_group() as group:
        for number in range(3):
            group.start_soon(speak, number)
    for sounds, expected in zip(together, alone, strict=True):
        assert len(sounds) == 5
        assert all(alike(sound, expected) for sound in sounds)


async def test_a_missing_package_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(EngineNotInstalled) as caught:
        await EspeakNg.open()
    assert caught.value.hint == "pip install espeakng-loader"


@pytest.mark.parametrize("part", ["get_library_path", "get_data_path"])
async def test_a_broken_wheel_is_named(part: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(f"espeakng_loader.{part}", lambda: str(tmp_path / "gone"))
    with pytest.raises(EngineFailed, match="gone") as caught:
        await EspeakNg.open()
    assert "espeakng-loader" in caught.value.hint
    monkeypatch.undo()
    async with aclosing(await EspeakNg.open()) as engine:
        assert (await say(engine, "Mended.")).seconds > 0.2


async def test_named_voices_sound_apart_in_both_languages(mouth: EspeakNg) -> None:
    for text, language in (("How many days are there in a year?", "en"), ("员工每年有二十五天年假。", "zh")):
        low, high = [await say(mouth, text, language, Voice(name)) for name in ("onyx", "nova")]
        assert fundamental(high.floats(), high.rate) > 1.3 * fundamental(low.floats(), low.rate)


async def test_a_voice_that_it_does_not_have_is_an_error_that_names_those_it_has(mouth: EspeakNg) -> None:
    with pytest.raises(RequestError, match="nobody") as caught:
        await say(mouth, "Hello.", voice=Voice("nobody"))
    assert "alloy" in caught.value.hint


def test_both_mouths_know_the_same_names() -> None:
    assert set(VARIANTS) == set(NAMED)
