"""PocketSphinx for real on English speech, its cuts and its scores by hand, and what a broken wheel says."""

import itertools
import math
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.errors import EngineFailed, EngineNotInstalled
from models.audio import AudioChunk, from_floats, joined, silence
from models.decoding import decode
from models.engines.pocketsphinx import LONGEST_PIECE, PocketSphinx, loud_parts, pieces
from models.speech_to_text import Hearing
from models.worker import EngineThread

pytestmark = pytest.mark.anyio

FIXTURE = Path(__file__).parents[1] / "fixtures" / "flite"
SAID = {"hello": "hello how are you today", "weather": "what is the weather like tomorrow"}


@pytest.fixture
async def ear() -> AsyncIterator[PocketSphinx]:
    async with aclosing(await PocketSphinx.open()) as engine:
        yield engine


async def recording(name: str) -> AudioChunk:
    return await decode(FIXTURE / f"{name}.wav", max_bytes=10**6, max_seconds=10)


def scaled(sound: AudioChunk, factor: float) -> AudioChunk:
    return from_floats(np.asarray(sound.floats() * factor, np.float32), sound.rate)


@pytest.mark.parametrize("name", SAID)
async def test_it_hears_what_was_said_and_when(ear: PocketSphinx, name: str) -> None:
    sound = joined([silence(0.5, 16_000), await recording(name), silence(1.0, 16_000)], 16_000)
    transcript = await ear.transcribe(sound)
    assert (transcript.text, transcript.language, transcript.gate) == (SAID[name], "en", "")
    assert (transcript.language_probability, transcript.seconds) == (None, sound.seconds)
    (segment,) = transcript.segments
    assert [word.text for word in segment.words] == SAID[name].split()
    assert (segment.start, segment.end) == (segment.words[0].start, segment.words[-1].end)
    assert 0.5 <= segment.start < 0.9
    assert sound.seconds - 1.6 < segment.end <= sound.seconds - 1.0
    assert segment.confidence is not None
    assert 0 < segment.confidence <= 1


async def test_any_rate_will_do(ear: PocketSphinx) -> None:
    assert (await ear.transcribe((await recording("hello")).resampled(48_000))).text == SAID["hello"]


async def test_it_hears_the_same_again_however_loud_and_whatever_came_between(ear: PocketSphinx) -> None:
    spoken = await recording("hello")
    noise = from_floats(np.random.default_rng(5).uniform(-0.3, 0.3, 32_000).astype(np.float32), 16_000)
    heard = []
    for before, factor in ((noise, 1.0), (silence(1.0, 16_000), 0.1), (await recording("weather"), 0.5)):
        await ear.transcribe(before)
        heard.append((await ear.transcribe(scaled(spoken, factor), Hearing("en"))).text)
    assert heard == [SAID["hello"]] * 3


def test_pauses_do_not_count_for_the_mean() -> None:
    voice, murmur = scaled(AudioChunk(b"\xff\x7f" * 1_600, 16_000), 0.5), AudioChunk(b"\x00\x04" * 1_600, 16_000)
    sound = joined([silence(0.1, 16_000), voice, murmur, silence(0.3, 16_000), voice], 16_000)
    assert loud_parts(sound) == joined([voice, voice], 16_000)
    assert loud_parts(silence(0.2, 16_000)) == silence(0.2, 16_000)


@pytest.mark.parametrize("samples", [0, 1, 100, 400, 4_000])
async def test_a_sound_too_short_for_a_word_gives_none(ear: PocketSphinx, samples: int) -> None:
    transcript = await ear.transcribe(AudioChunk(bytes(2 * samples), 16_000))
    assert (transcript.text, transcript.segments) == ("", ())
    assert transcript.gate == ("no speech" if samples else "too short")


@pytest.mark.parametrize("language", ["zh", "fr"])
async def test_another_language_is_refused_with_a_way_to_hear_it(ear: PocketSphinx, language: str) -> None:
    with pytest.raises(EngineFailed, match=f"English only, not '{language}'") as caught:
        await ear.transcribe(silence(1.0, 16_000), Hearing(language))
    assert "tingshuo pull" in caught.value.hint


async def test_a_translation_is_refused_with_a_way_to_get_one(ear: PocketSphinx) -> None:
    with pytest.raises(EngineFailed, match="does not translate") as caught:
        await ear.transcribe(silence(1.0, 16_000), Hearing(task="translate"))
    assert "tingshuo pull" in caught.value.hint


@given(st.integers(0, 100 * 16_000), st.integers(0, 2**32 - 1))
def test_pieces_cover_the_sound_and_none_is_too_long(samples: int, seed: int) -> None:
    coarse = np.random.default_rng(seed).uniform(-1, 1, 160).astype(np.float32)
    found = pieces(np.resize(coarse, samples))
    assert (found[0][0], found[-1][1]) == (0, samples)
    assert all(end == start for (_, end), (start, _) in itertools.pairwise(found))
    assert all(end - start <= LONGEST_PIECE * 16_000 for start, end in found)


def test_a_long_sound_is_cut_where_it_is_quiet() -> None:
    sound = np.ones(50 * 16_000, np.float32)
    for pause in (17.0, 36.5):
        sound[int(pause * 16_000) : int((pause + 0.3) * 16_000)] = 0.0
    cuts = [end / 16_000 for _, end in pieces(sound)[:-1]]
    assert [17.0 < cuts[0] < 17.3, 36.5 < cuts[1] < 36.8] == [True, True]
    assert len(cuts) == 2


class Scripted:
    """Stands in for a decoder: notes what it is asked, and says the same words for each piece."""

    def __init__(self) -> None:
        self.open = False
        self.blocks = 0
        self.log: list[str] = []

    def current_search(self) -> str:
        return "main"

    def activate_search(self, name: str) -> None:
        self.log.append(name)

    def get_cmn(self, update: bool) -> str:
        return "40,3"

    def set_cmn(self, mean: str) -> None:
        self.log.append(mean)

    def start_utt(self) -> None:
        assert not self.open
        self.open = True

    def process_raw(self, pcm: bytes) -> None:
        assert 0 < len(pcm) <= 16_000
        self.blocks += 1

    def end_utt(self) -> None:
        assert self.open
        self.open = False

    def seg(self) -> list[Any]:
        found = [("<s>", 0, 9, 1.0), ("hello(2)", 10, 49, 0.25), ("[NOISE]", 50, 59, 0.1), ("you", 60, 99, 1.0)]
        return [SimpleNamespace(word=w, start_frame=s, end_frame=e, prob=p) for w, s, e, p in found]


async def test_each_piece_is_a_segment_with_times_of_the_whole_sound() -> None:
    decoder = Scripted()
    async with aclosing(PocketSphinx(EngineThread("scripted"), decoder)) as ear:
        transcript = await ear.transcribe(silence(30.0, 16_000))
    assert transcript.text == "hello you hello you"
    first, second = transcript.segments
    assert (first.text, first.start, first.end) == ("hello you", 0.1, 1.0)
    assert first.confidence == pytest.approx(math.sqrt(0.25))
    assert second.start - first.start == pytest.approx(15.05, abs=0.01)  # the first quiet tenth of a second after 15 s
    assert decoder.log == ["mean", "main", "40,3", "40,3"]


async def test_cancelling_leaves_the_decoder_ready_after_one_block() -> None:
    class Cancelling(Scripted):
        def process_raw(self, pcm: bytes) -> None:
            super().process_raw(pcm)
            anyio.from_thread.run_sync(scope.cancel, token=token)

    decoder, token = Cancelling(), anyio.lowlevel.current_token()
    async with aclosing(PocketSphinx(EngineThread("scripted"), decoder)) as ear:
        with anyio.CancelScope() as scope:
            await ear.transcribe(silence(30.0, 16_000))
        assert scope.cancelled_caught
        assert (decoder.blocks, decoder.open) == (1, False)


async def test_a_failing_decoder_is_an_engine_that_failed() -> None:
    class Failing(Scripted):
        def process_raw(self, pcm: bytes) -> None:
            raise RuntimeError("Failed to process utterance")

    decoder = Failing()
    async with aclosing(PocketSphinx(EngineThread("scripted"), decoder)) as ear:
        with pytest.raises(EngineFailed, match="Failed to process"):
            await ear.transcribe(silence(1.0, 16_000))
    assert not decoder.open


async def test_a_missing_package_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    with pytest.raises(EngineNotInstalled) as caught:
        await PocketSphinx.open()
    assert caught.value.hint == "pip install pocketsphinx"


async def test_a_broken_wheel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pocketsphinx.get_model_path", lambda part="": f"/nowhere/{part}")
    with pytest.raises(EngineFailed) as caught:
        await PocketSphinx.open()
    assert "pip install --force-reinstall pocketsphinx" in caught.value.hint
