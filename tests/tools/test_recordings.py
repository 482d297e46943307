"""Recordings written down by the real ears: one utterance a line, in its own language, and limits."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from configs.errors import AudioUnsupported, RequestTooLarge
from configs.settings import FasterWhisper as Section
from configs.settings import Limits, Listening
from models.audio import joined, silence, wav_bytes
from models.decoding import Decoder, decode, open_decoder
from models.engines.faster_whisper import FasterWhisper
from models.engines.silero import Silero
from models.speech_gate import GatedSpeechToText
from tools.recordings import Recorded

pytestmark = pytest.mark.anyio

WHISPER = Path(__file__).parents[1] / "fixtures" / "tiny-whisper"
SENTENCES: dict[str, str] = json.loads((WHISPER / "sentences.json").read_text(encoding="utf-8"))


@pytest.fixture
async def ears() -> AsyncIterator[FasterWhisper]:
    engine = await FasterWhisper.open(Section(device="cpu"), WHISPER / "ct2")
    yield engine
    await engine.aclose()


@pytest.fixture
async def decoder() -> AsyncIterator[Decoder]:
    async with open_decoder(Limits()) as opened:
        yield opened


async def recorded(ears: FasterWhisper, decoder: Decoder, limits: Limits | None = None) -> Recorded:
    detector = await Silero.open()
    return Recorded(GatedSpeechToText(ears, detector), detector, decoder, Listening(), limits or Limits())


async def test_each_utterance_is_a_line_in_its_language(ears: FasterWhisper, decoder: Decoder, tmp_path: Path) -> None:
    names = [name for name in sorted(SENTENCES) if (WHISPER / f"{name}.wav").exists()]
    pause, parts = silence(1.2, 16_000), []
    for name in names:
        sound = await decode(WHISPER / f"{name}.wav", max_bytes=10**6, max_seconds=10)
        parts += [pause, sound.resampled(16_000)]
    file = tmp_path / "meeting.wav"
    file.write_bytes(wav_bytes(joined([*parts, pause], 16_000)))
    assert (await (await recorded(ears, decoder)).transcribe(file)).splitlines() == [SENTENCES[name] for name in names]


async def test_silence_is_an_empty_text(ears: FasterWhisper, decoder: Decoder, tmp_path: Path) -> None:
    file = tmp_path / "silence.wav"
    file.write_bytes(wav_bytes(silence(3.0, 16_000)))
    assert await (await recorded(ears, decoder)).transcribe(file) == ""


async def test_what_is_too_long_or_no_sound_is_refused(ears: FasterWhisper, decoder: Decoder, tmp_path: Path) -> None:
    file = tmp_path / "long.wav"
    file.write_bytes(wav_bytes(silence(3.0, 16_000)))
    with pytest.raises(RequestTooLarge):
        await (await recorded(ears, decoder, Limits(recording_seconds=2))).transcribe(file)
    file.write_bytes(b"no sound at all")
    with pytest.raises(AudioUnsupported):
        await (await recorded(ears, decoder)).transcribe(file)
