"""One encoding for two uses: how often the encoder runs, and that nothing comes out differently."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from configs import settings
from models.audio import Floats
from models.decoding import decode
from models.engines.faster_whisper import FasterWhisper
from models.engines.whisper_encoding import OneEncoding, detect_language
from models.engines.whisper_loading import load
from models.speech_to_text import Hearing

pytestmark = pytest.mark.anyio

FIXTURE = Path(__file__).parents[1] / "fixtures" / "tiny-whisper"
CPU = settings.FasterWhisper(device="cpu")
UTTERANCES = sorted(FIXTURE.glob("*.wav"))


class Counted:
    """An encoder that counts its calls."""

    def __init__(self, encode: Any = None) -> None:
        self.calls = 0
        self._encode = encode

    def __call__(self, features: Floats) -> Any:
        self.calls += 1
        return self._encode(features) if self._encode else float(features.sum())


def test_the_same_features_are_encoded_once_and_others_anew() -> None:
    counted = Counted()
    encode = OneEncoding(counted)
    one, two = np.ones((2, 3), np.float32), np.full((2, 3), 2, np.float32)
    assert [encode(one), encode(one.copy()), encode(two), encode(one)] == [6, 6, 12, 6]
    assert counted.calls == 3
    encode.forget()
    assert (encode(one), counted.calls) == (6, 4)


def test_an_encoder_that_fails_leaves_nothing_behind() -> None:
    def broken(features: Floats) -> Any:
        raise RuntimeError("out of memory")

    encode = OneEncoding(broken)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="out of memory"):
            encode(np.ones((2, 3), np.float32))


@pytest.fixture
async def counted() -> AsyncIterator[tuple[FasterWhisper, Counted]]:
    engine = await FasterWhisper.open(CPU, FIXTURE / "ct2")
    encoder = Counted(engine._model.encode._encode)
    engine._model.encode._encode = encoder
    yield engine, encoder
    await engine.aclose()


@pytest.mark.parametrize("path", UTTERANCES, ids=lambda path: path.stem)
async def test_finding_the_language_costs_no_second_encoding(
    counted: tuple[FasterWhisper, Counted], path: Path
) -> None:
    engine, encoder = counted
    sound = await decode(path, max_bytes=10**6, max_seconds=30)
    detected = await engine.transcribe(sound)
    assert (detected.language, encoder.calls) == (path.stem[-2:], 1)
    given = await engine.transcribe(sound, Hearing(path.stem[-2:]))
    assert (given.text, given.segments, encoder.calls) == (detected.text, detected.segments, 2)


async def test_the_language_is_the_one_that_the_library_finds() -> None:
    model = load(CPU, FIXTURE / "ct2")
    for path in UTTERANCES:
        samples = (await decode(path, max_bytes=10**6, max_seconds=30)).floats()
        language, probability = detect_language(model, samples)
        theirs, their_probability, _ = model.detect_language(samples)
        assert language == theirs == path.stem[-2:]
        assert probability == pytest.approx(their_probability, abs=0.02)
