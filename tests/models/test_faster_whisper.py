"""Whisper for real, on a tiny model of twenty sentences: exact transcripts, and every way a folder can be wrong."""

import io
import json
import math
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from configs import settings
from configs.errors import (
    AssistantError,
    ConfigError,
    EngineFailed,
    EngineNotInstalled,
    EngineUnavailable,
    ModelNotFound,
)
from models.audio import AudioChunk
from models.decoding import decode
from models.engines.faster_whisper import FasterWhisper, failure, is_speech
from models.worker import EngineThread

pytestmark = pytest.mark.anyio

FIXTURE = Path(__file__).parents[1] / "fixtures" / "tiny-whisper"
MODEL = FIXTURE / "ct2"
SENTENCES: dict[str, str] = json.loads((FIXTURE / "sentences.json").read_text(encoding="utf-8"))
UTTERANCES = sorted(path.stem for path in FIXTURE.glob("*.wav"))
CPU = settings.FasterWhisper(device="cpu")


@pytest.fixture
async def ear() -> AsyncIterator[FasterWhisper]:
    engine = await FasterWhisper.open(CPU, MODEL)
    yield engine
    await engine.aclose()


async def recording(source: bytes | Path) -> AudioChunk:
    return await decode(source, max_bytes=10**7, max_seconds=30)


def encoded(sound: AudioChunk, codec: str, container: str) -> bytes:
    """The sound at 48 kHz in another container."""
    samples = np.frombuffer(sound.resampled(48_000).pcm, "<i2").reshape(1, -1)
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=48_000, layout="mono")
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


def test_there_are_three_utterances_in_each_language() -> None:
    assert [name[-2:] for name in UTTERANCES] == ["en"] * 3 + ["zh"] * 3


@pytest.mark.parametrize("name", UTTERANCES)
async def test_an_utterance_is_heard_word_for_word_in_its_language(ear: FasterWhisper, name: str) -> None:
    sound = await recording(FIXTURE / f"{name}.wav")
    transcript = await ear.transcribe(sound)
    assert (transcript.text, transcript.language) == (SENTENCES[name], name[-2:])
    assert transcript.language_probability == pytest.approx(1.0, abs=0.1)
    assert (transcript.seconds, transcript.gate) == (sound.seconds, "")
    (segment,) = transcript.segments
    assert segment.text == SENTENCES[name]
    assert segment.confidence is not None
    assert 0.5 < segment.confidence <= 1
    assert 0 <= segment.start < segment.end <= sound.seconds + 0.5
    assert segment.words == ()


@pytest.mark.parametrize(
    ("codec", "container"),
    [("flac", "flac"), ("libmp3lame", "mp3"), ("libopus", "webm"), ("libopus", "ogg"), ("aac", "mp4")],
)
@pytest.mark.parametrize("name", ["utt00_en", "utt19_zh"])
async def test_the_container_does_not_matter(ear: FasterWhisper, name: str, codec: str, container: str) -> None:
    source = encoded(await recording(FIXTURE / f"{name}.wav"), codec, container)
    assert (await ear.transcribe(await recording(source))).text == SENTENCES[name]


async def test_a_given_language_is_not_detected(ear: FasterWhisper) -> None:
    transcript = await ear.transcribe(await recording(FIXTURE / "utt12_zh.wav"), language="zh")
    assert (transcript.text, transcript.language_probability) == (SENTENCES["utt12_zh"], None)


async def test_the_languages_are_those_of_the_model(ear: FasterWhisper) -> None:
    assert sorted(ear.languages) == ["en", "zh"]
    with pytest.raises(EngineFailed, match="'fr'"):
        await ear.transcribe(AudioChunk(bytes(32_000), 16_000), language="fr")


async def test_several_beams_and_temperatures_are_as_set() -> None:
    engine = await FasterWhisper.open(settings.FasterWhisper(device="cpu", beam_size=1, temperature=(0.0,)), MODEL)
    assert (await engine.transcribe(await recording(FIXTURE / "utt09_en.wav"))).text == "My name is Alice."
    await engine.aclose()


@pytest.mark.parametrize(
    ("no_speech", "log_probability", "counts"),
    [
        (0.0, -0.1, True),
        (0.0, -2.0, True),  # mumbled, but surely speech
        (0.6, -2.0, True),
        (0.99, -0.1, True),  # pure tones and hum score like this with real words over them
        (0.61, -0.71, False),
        (0.99, -1.0, False),
    ],
)
def test_both_scores_together_decide_whether_a_segment_was_spoken(
    no_speech: float, log_probability: float, counts: bool
) -> None:
    assert is_speech(no_speech, log_probability) is counts


@dataclass
class Scripted:
    """Stands in for a loaded model: gives its segments, or fails."""

    runs: list[list[Any]]
    multilingual: bool = True
    error: Exception | None = None
    calls: list[dict[str, Any]] = field(default_factory=list)
    supported_languages: tuple[str, ...] = ("en", "zh", "fr")

    def __post_init__(self) -> None:
        self.model = SimpleNamespace(is_multilingual=self.multilingual, unload_model=lambda: None)
        self.hf_tokenizer = SimpleNamespace(token_to_id={"<|en|>": 0, "<|zh|>": 1}.get)

    def transcribe(self, samples: object, **options: Any) -> tuple[Iterator[Any], Any]:
        self.calls.append(options)
        if self.error:
            raise self.error
        return iter(self.runs[len(self.calls) - 1]), SimpleNamespace(language="en", language_probability=0.9)


def segment(text: str, no_speech: float = 0.0, log_probability: float = -0.5) -> Any:
    scores = {"no_speech_prob": no_speech, "avg_logprob": log_probability}
    return SimpleNamespace(text=text, start=0.0, end=1.0, words=None, **scores)


def scripted(model: Scripted) -> FasterWhisper:
    return FasterWhisper(EngineThread("scripted"), model, CPU)


SECOND = AudioChunk(bytes(32_000), 16_000)


async def test_segments_are_joined_and_those_over_silence_are_left_out() -> None:
    runs = [[segment(" Thanks for watching!", 0.9, -0.9), segment(" One."), segment(" Two.", 0.9, -0.2), segment(" ")]]
    transcript = await scripted(Scripted(runs)).transcribe(SECOND)
    assert (transcript.text, transcript.gate) == ("One. Two.", "")
    assert [each.text for each in transcript.segments] == ["One.", "Two."]
    assert [each.confidence for each in transcript.segments] == [math.exp(-0.5), math.exp(-0.2)]


async def test_when_no_segment_was_spoken_the_gate_says_so() -> None:
    transcript = await scripted(Scripted([[segment("谢谢观看", 0.9, -0.9)]])).transcribe(SECOND)
    assert (transcript.text, transcript.segments, transcript.gate) == ("", (), "no speech")


async def test_words_have_times_where_they_are_asked_for() -> None:
    engine = await FasterWhisper.open(settings.FasterWhisper(device="cpu", word_times=True), MODEL)
    transcript = await engine.transcribe(await recording(FIXTURE / "utt00_en.wav"))
    await engine.aclose()
    words = [word for each in transcript.segments for word in each.words]
    assert [word.text for word in words][:5] == SENTENCES["utt00_en"].split()
    times = [time for word in words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert all(0 <= word.probability <= 1 for word in words)


async def test_hotwords_are_handed_on_and_nothing_hangs_on_what_was_said_before() -> None:
    model = Scripted([[segment("hi")], [segment("hi")]])
    engine = scripted(model)
    await engine.transcribe(SECOND, hotwords=("Tingshuo", "听说"))
    await engine.transcribe(SECOND)
    assert [call["hotwords"] for call in model.calls] == ["Tingshuo 听说", None]
    assert not any(call["condition_on_previous_text"] for call in model.calls)


async def test_a_model_for_english_alone_says_so() -> None:
    engine = scripted(Scripted([[segment("hi")]], multilingual=False))
    assert engine.languages == ("en",)
    assert (await engine.transcribe(SECOND)).language_probability is None
    with pytest.raises(EngineFailed, match="'zh'"):
        await engine.transcribe(SECOND, language="zh")


@pytest.mark.parametrize(
    ("complaint", "error", "remedy"),
    [
        ("CUDA failed with error out of memory", EngineFailed, "int8_float16"),
        ("Library libcublas.so.12 is not found or cannot be loaded", EngineUnavailable, "nvidia-cublas-cu12"),
        ("Library cublas64_12.dll is not found or cannot be loaded", EngineUnavailable, "nvidia-cublas-cu12"),
        ("something else", EngineFailed, "doctor"),
    ],
)
async def test_what_ctranslate2_says_gets_its_remedy(complaint: str, error: type[AssistantError], remedy: str) -> None:
    with pytest.raises(error) as caught:
        await scripted(Scripted([], error=RuntimeError(complaint))).transcribe(SECOND)
    assert complaint in caught.value.message
    assert remedy in caught.value.hint
    assert type(failure(RuntimeError(complaint))) is error


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MODEL, tmp_path / "model"))


@pytest.mark.parametrize("name", ["model.bin", "config.json", "tokenizer.json", "vocabulary.json"])
async def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(ModelNotFound, match=name) as caught:
        await FasterWhisper.open(CPU, copy)
    assert "tingshuo pull" in caught.value.hint


async def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"model\.bin"):
        await FasterWhisper.open(CPU, tmp_path / "nowhere")


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "cut": lambda content: content[: len(content) // 2],
    "random": lambda content: np.random.default_rng(4).bytes(len(content)),
    "something else": lambda content: b'{"error": "not found"}',
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(
    "name", ["model.bin", "config.json", "tokenizer.json", "vocabulary.json", "preprocessor_config.json"]
)
async def test_a_damaged_file_is_named(copy: Path, name: str, damage: str) -> None:
    (copy / name).write_bytes(DAMAGES[damage]((copy / name).read_bytes()))
    with pytest.raises(EngineFailed, match=name) as caught:
        await FasterWhisper.open(CPU, copy)
    assert "tingshuo pull" in caught.value.hint


async def test_a_preprocessor_of_another_model_is_named(copy: Path) -> None:
    path = copy / "preprocessor_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "feature_size": 128}), encoding="utf-8")
    with pytest.raises(ModelNotFound, match=r"preprocessor_config\.json"):
        await FasterWhisper.open(CPU, copy)


async def test_a_number_type_that_the_device_lacks_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(ConfigError, match="int4"):
        await FasterWhisper.open(settings.FasterWhisper(device="cpu", compute_type="int4"), MODEL)


async def test_a_missing_package_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(EngineNotInstalled) as caught:
        await FasterWhisper.open(CPU, MODEL)
    assert caught.value.hint == "pip install faster-whisper"
