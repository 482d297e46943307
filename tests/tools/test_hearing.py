"""The whole way in: recordings and streams, through decoding, gate and listener, are heard as well as by Whisper."""

import io
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from configs import settings
from models.audio import AudioChunk, joined, silence
from models.decoding import decode
from models.engines.espeak_ng import EspeakNg
from models.engines.faster_whisper import FasterWhisper
from models.engines.silero import Silero
from models.speech_gate import GatedSpeechToText
from models.text_to_speech import Voice
from tools.speech_input import Listener, Utterance

pytestmark = pytest.mark.anyio

FIXTURE = Path(__file__).parents[1] / "fixtures" / "tiny-whisper"
SENTENCES: dict[str, str] = json.loads((FIXTURE / "sentences.json").read_text(encoding="utf-8"))
WANTED = {name: (text, name[-2:]) for name, text in SENTENCES.items()}
RECORDINGS = {
    "wav, 8 kHz": ("pcm_s16le", "wav", 8_000),
    "wav, 16 kHz": ("pcm_s16le", "wav", 16_000),
    "flac, 48 kHz": ("flac", "flac", 48_000),
    "mp3, 44.1 kHz": ("libmp3lame", "mp3", 44_100),
    "webm/opus, 24 kHz": ("libopus", "webm", 24_000),
    "webm/opus, 48 kHz": ("libopus", "webm", 48_000),
}
Heard = dict[str, tuple[str, str]]


@pytest.fixture
async def ear() -> AsyncIterator[FasterWhisper]:
    engine = await FasterWhisper.open(settings.FasterWhisper(device="cpu"), FIXTURE / "ct2")
    yield engine
    await engine.aclose()


@pytest.fixture
async def spoken() -> dict[str, AudioChunk]:
    """The model's twenty sentences, as the voice that it was trained on speaks them."""
    sounds = {}
    async with aclosing(await EspeakNg.open()) as mouth:
        for name, text in SENTENCES.items():
            async with aclosing(mouth.synthesize(text, language=name[-2:], voice=Voice())) as speech:
                sounds[name] = joined([chunk async for chunk in speech], mouth.format.rate)
    return sounds


async def committed() -> dict[str, AudioChunk]:
    """The six sentences that are kept as recordings."""
    files = sorted(FIXTURE.glob("utt*.wav"))
    return {file.stem: await decode(file, max_bytes=10**6, max_seconds=10, rate=22_050) for file in files}


def recorded(sound: AudioChunk, codec: str, container: str, rate: int) -> bytes:
    """The sound as a file of that kind."""
    samples = np.frombuffer(sound.resampled(rate).pcm, "<i2").reshape(1, -1)
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


def library(ear: FasterWhisper, sound: AudioChunk) -> tuple[str, str]:
    """What the library makes of it, called as its own documents say, with our settings."""
    segments, info = ear._model.transcribe(
        sound.floats(), beam_size=5, temperature=[0.0, 0.2], condition_on_previous_text=False
    )
    text = "".join(segment.text for segment in segments).strip()
    ear._model.encode.forget()
    return text, info.language


def misheard(heard: Heard, library: Heard) -> str:
    """A table of what the library hears and we do not; empty where there is nothing."""
    rows = [f"{name}: {heard[name]} instead of {WANTED[name]}" for name in heard
            if library[name] == WANTED[name] != heard[name]]  # fmt: skip
    right = sum(library[name] == WANTED[name] for name in library)
    return "\n".join([f"the library has {right} of {len(library)} right, but here", *rows]) if rows else ""


@pytest.mark.parametrize("kind", RECORDINGS)
async def test_a_recording_is_heard_as_well_as_by_the_library_alone(
    ear: FasterWhisper, spoken: dict[str, AudioChunk], kind: str
) -> None:
    gated = GatedSpeechToText(ear, await Silero.open())
    ours, theirs = Heard(), Heard()
    # A telephone's band is not what the model was trained on: near its limits, eSpeak's slight variation would decide.
    narrow = kind == "wav, 8 kHz"
    for name, sound in (await committed() if narrow else spoken).items():
        decoded = await decode(recorded(sound, *RECORDINGS[kind]), max_bytes=10**7, max_seconds=30)
        transcript = await gated.transcribe(decoded)
        ours[name], theirs[name] = (transcript.text, transcript.language), library(ear, decoded)
    assert misheard(ours, theirs) == ""
    assert narrow or ours == WANTED
    assert sum(theirs[name] == WANTED[name] for name in theirs) >= 4


@pytest.mark.parametrize("rate", [16_000, 48_000])
async def test_a_stream_of_frames_is_heard_word_for_word(
    ear: FasterWhisper, spoken: dict[str, AudioChunk], rate: int
) -> None:
    detector = await Silero.open()
    gated = GatedSpeechToText(ear, detector)

    async def frames() -> AsyncGenerator[AudioChunk, None]:
        for sound in spoken.values():
            whole = joined([silence(0.5, rate), sound.resampled(rate), silence(1.2, rate)], rate)
            for start in range(0, len(whole.pcm), rate // 25):
                yield AudioChunk(whole.pcm[start : start + rate // 25], rate)

    async with aclosing(Listener(detector, settings.Listening()).listen(frames())) as events:
        sounds = [event.sound async for event in events if isinstance(event, Utterance)]
    heard = [await gated.transcribe(sound) for sound in sounds]
    assert [(transcript.text, transcript.language) for transcript in heard] == list(WANTED.values())


def test_the_table_names_what_only_the_library_hears() -> None:
    ours = {**WANTED, "utt02_en": ("Tell me a yolk.", "en"), "utt19_zh": ("再见。", "en")}
    theirs = {**WANTED, "utt19_zh": ("", "en")}
    table = misheard(ours, theirs)
    assert table.splitlines() == [
        "the library has 19 of 20 right, but here",
        "utt02_en: ('Tell me a yolk.', 'en') instead of ('Tell me a joke.', 'en')",
    ]
    assert misheard(WANTED, theirs) == ""
