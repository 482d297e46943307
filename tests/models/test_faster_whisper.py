"""Whisper for real, on a tiny model of twenty sentences: exact transcripts, and every way a folder can be wrong."""

import io
import itertools
import json
import math
import shutil
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio.from_thread
import anyio.lowlevel
import av
import numpy as np
import numpy.typing as npt
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
from models.audio import AudioChunk, joined, silence
from models.decoding import decode
from models.engines.faster_whisper import FasterWhisper
from models.engines.whisper_encoding import OneEncoding
from models.engines.whisper_loading import failure
from models.speech_to_text import Hearing
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
    transcript = await ear.transcribe(await recording(FIXTURE / "utt12_zh.wav"), Hearing("zh"))
    assert (transcript.text, transcript.language_probability) == (SENTENCES["utt12_zh"], None)


async def test_the_languages_are_those_of_the_model(ear: FasterWhisper) -> None:
    assert sorted(ear.languages) == ["en", "zh"]
    with pytest.raises(EngineFailed, match="'fr'"):
        await ear.transcribe(AudioChunk(bytes(32_000), 16_000), Hearing("fr"))


async def test_nothing_is_written_that_the_library_would_not_write(
    ear: FasterWhisper, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound, generate, suppressed = await recording(FIXTURE / "utt00_en.wav"), ear._model.model.generate, list[Any]()

    class Spied:
        def generate(self, *given: Any, **options: Any) -> Any:
            suppressed.append(options["suppress_tokens"])
            return generate(*given, **options)

        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

    real = ear._model.model
    monkeypatch.setattr(ear._model, "model", Spied())
    for _ in range(2):
        await ear.transcribe(sound, Hearing("en"))
    list(ear._model.transcribe(sound.floats(), language="en", temperature=0.0)[0])
    ours, again, theirs = suppressed
    assert ours == again == theirs
    assert len(theirs) > 20


async def test_several_beams_and_temperatures_are_as_set() -> None:
    engine = await FasterWhisper.open(settings.FasterWhisper(device="cpu", beam_size=1, temperature=(0.0,)), MODEL)
    assert (await engine.transcribe(await recording(FIXTURE / "utt09_en.wav"))).text == "My name is Alice."
    await engine.aclose()


@dataclass
class Scripted:
    """Stands in for a loaded model: gives its segments, or fails."""

    runs: list[list[Any]]
    multilingual: bool = True
    error: Exception | None = None
    calls: list[dict[str, Any]] = field(default_factory=list)
    supported_languages: tuple[str, ...] = ("en", "zh", "fr")
    tokens: int = 51_866
    detected: str = "en"

    def __post_init__(self) -> None:
        found = [[(f"<|{self.detected}|>", 0.9), ("<|fr|>", 0.1)]]
        self.model = SimpleNamespace(
            is_multilingual=self.multilingual, unload_model=lambda: None, detect_language=lambda encoded: found
        )
        self.hf_tokenizer = SimpleNamespace(
            token_to_id={"<|en|>": 0, "<|zh|>": 1}.get,
            get_vocab_size=lambda: self.tokens,
            encode=lambda text, add_special_tokens: SimpleNamespace(ids=[ord(text[-1])]),
        )
        self.feature_extractor = Extractor()
        self.encode = OneEncoding(lambda features: features)

    def transcribe(self, samples: object, **options: Any) -> tuple[Iterator[Any], Any]:
        self.calls.append(options)
        if self.error:
            raise self.error
        return iter(self.runs[len(self.calls) - 1]), None


class Extractor:
    """Features of zeros, a hundred frames a second."""

    nb_max_frames = 3000

    def __call__(self, samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.zeros((80, len(samples) // 160 + 1), np.float32)


def segment(text: str, no_speech: float = 0.0, log_probability: float = -0.5, compression: float = 1.0) -> Any:
    scores = {"no_speech_prob": no_speech, "avg_logprob": log_probability, "compression_ratio": compression}
    return SimpleNamespace(text=text, start=0.0, end=1.0, words=None, **scores)


def scripted(model: Scripted, section: settings.FasterWhisper = CPU) -> FasterWhisper:
    return FasterWhisper(EngineThread("scripted"), model, section)


SECOND = AudioChunk(bytes(32_000), 16_000)


async def test_segments_are_joined_and_those_over_silence_are_left_out() -> None:
    runs = [[segment(" Thanks for watching!", 0.9, -0.9), segment(" One."), segment(" Two.", 0.9, -0.2), segment(" ")]]
    transcript = await scripted(Scripted(runs)).transcribe(SECOND)
    assert (transcript.text, transcript.gate) == ("One. Two.", "")
    assert [each.text for each in transcript.segments] == ["One.", "Two."]
    assert [each.confidence for each in transcript.segments] == [math.exp(-0.5), math.exp(-0.2)]


@pytest.mark.parametrize(
    ("heard", "gate"),
    [
        (segment("谢谢观看", 0.97, -0.9), "no speech: probability 0.97, tokens at -0.90"),
        (segment("谢谢观看", 0.4, -0.2), "a phrase of subtitles: no speech 0.40, tokens at -0.20"),
        (segment("no no no no", 0.1, -0.2, 2.61), "repetition: compression 2.61"),
        (segment(" "), "no speech: no words"),
    ],
)
async def test_the_gate_that_stopped_a_sound_is_named_with_its_figures(heard: Any, gate: str) -> None:
    transcript = await scripted(Scripted([[heard]])).transcribe(SECOND)
    assert (transcript.text, transcript.segments, transcript.gate) == ("", (), gate)


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
    await engine.transcribe(SECOND, Hearing(hotwords=("Tingshuo", "听说")))
    await engine.transcribe(SECOND)
    assert [call["hotwords"] for call in model.calls] == ["Tingshuo 听说", None]
    assert not any(call["condition_on_previous_text"] for call in model.calls)


@pytest.mark.parametrize(
    ("hearing", "detected", "prompt"),
    [
        (Hearing(), "zh", "以下是普通话的句子。"),
        (Hearing("zh"), "en", "以下是普通话的句子。"),
        (Hearing(), "en", None),
        (Hearing(task="translate"), "zh", None),
    ],
)
async def test_chinese_follows_a_sentence_in_simplified_characters(
    hearing: Hearing, detected: str, prompt: str | None
) -> None:
    model = Scripted([[segment("hi")]], detected=detected)
    await scripted(model, settings.FasterWhisper(model="large-v3")).transcribe(SECOND, hearing)
    (call,) = model.calls
    assert (call["initial_prompt"], call["language"]) == (prompt, hearing.language or detected)


async def test_the_sentence_before_chinese_can_be_left_out() -> None:
    model = Scripted([[segment("hi")]])
    await scripted(model, settings.FasterWhisper(zh_prompt="")).transcribe(SECOND, Hearing("zh"))
    assert model.calls[0]["initial_prompt"] is None


async def test_a_model_that_knows_no_prompts_gets_none(ear: FasterWhisper) -> None:
    model = Scripted([[segment("hi")]], tokens=2_016)
    await scripted(model).transcribe(SECOND, Hearing("zh", hotwords=("Tingshuo",)))
    assert {"hotwords", "initial_prompt"}.isdisjoint(model.calls[0])
    asked = Hearing(hotwords=("Tingshuo", "Staff handbook"))
    assert (await ear.transcribe(await recording(FIXTURE / "utt12_zh.wav"), asked)).text == SENTENCES["utt12_zh"]


async def test_a_draft_takes_one_beam_and_one_try() -> None:
    model = Scripted([[segment("hi")], [segment("hi")]])
    engine = scripted(model)
    for hearing in (Hearing(), Hearing(draft=True)):
        await engine.transcribe(SECOND, hearing)
    assert [(call["beam_size"], call["temperature"]) for call in model.calls] == [(5, [0.0, 0.2]), (1, [0.0])]


async def test_drafts_are_made_by_a_model_that_was_quick_and_is_free(
    ear: FasterWhisper, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = await recording(FIXTURE / "utt09_en.wav")
    assert not ear.drafts
    await ear.transcribe(sound)
    assert ear.drafts
    release = threading.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ear._thread.call, release.wait)
        await anyio.wait_all_tasks_blocked()
        assert not ear.drafts
        release.set()
    assert ear.drafts
    monkeypatch.setattr(time, "perf_counter", itertools.count(step=0.51).__next__)
    await ear.transcribe(sound)
    assert not ear.drafts


@pytest.mark.parametrize(
    ("name", "multilingual"), [("large-v3-turbo", True), ("/models/whisper-turbo", True), ("small.en", False)]
)
async def test_a_model_that_cannot_translate_says_which_can(name: str, multilingual: bool) -> None:
    engine = scripted(Scripted([], multilingual=multilingual), settings.FasterWhisper(model=name))
    with pytest.raises(EngineFailed, match="not taught to translate") as caught:
        await engine.transcribe(SECOND, Hearing(task="translate"))
    assert "large-v3," in caught.value.hint


async def test_a_translation_keeps_the_language_that_was_spoken() -> None:
    model = Scripted([[segment("Hello.")]], detected="zh")
    transcript = await scripted(model, settings.FasterWhisper(model="small")).transcribe(
        SECOND, Hearing(task="translate")
    )
    assert (transcript.text, transcript.language, model.calls[0]["task"]) == ("Hello.", "zh", "translate")


async def test_a_long_sound_is_heard_in_batches(ear: FasterWhisper) -> None:
    sound = joined([silence(70.0, 16_000), await recording(FIXTURE / "utt00_en.wav"), silence(1.0, 16_000)], 16_000)
    transcript = await ear.transcribe(sound, Hearing("en"))
    assert (transcript.text, transcript.gate) == (SENTENCES["utt00_en"], "")
    assert 69.5 < transcript.segments[0].start < transcript.segments[-1].end < sound.seconds


async def test_batches_are_as_large_as_set_and_1_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    import faster_whisper

    asked: list[dict[str, Any]] = []

    class Batches:
        def __init__(self, model: object) -> None:
            """Takes the model."""

        def transcribe(self, samples: object, **options: Any) -> tuple[list[Any], None]:
            asked.append(options)
            return [segment("batched")], None

    monkeypatch.setattr(faster_whisper, "BatchedInferencePipeline", Batches)
    for seconds, size in ((61.0, 4), (61.0, 1), (59.0, 4)):
        model = Scripted([[segment("one by one")]])
        engine = scripted(model, settings.FasterWhisper(batch_size=size))
        await engine.transcribe(silence(seconds, 16_000))
    assert [call["batch_size"] for call in asked] == [4]


async def test_a_cancelled_call_ends_between_batches(ear: FasterWhisper, monkeypatch: pytest.MonkeyPatch) -> None:
    import faster_whisper

    decoded, began, token = list[int](), anyio.Event(), anyio.lowlevel.current_token()

    class Batches:
        def __init__(self, model: object) -> None:
            """Takes the model."""

        def transcribe(self, samples: object, **options: Any) -> tuple[Iterator[Any], None]:
            return self.segments(), None

        def segments(self) -> Iterator[Any]:
            for batch in range(50):
                decoded.append(batch)
                anyio.from_thread.run_sync(began.set, token=token)
                time.sleep(0.02)
                yield segment("more")

    monkeypatch.setattr(faster_whisper, "BatchedInferencePipeline", Batches)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ear.transcribe, silence(61.0, 16_000), Hearing("en"))
        await began.wait()
        tasks.cancel_scope.cancel()
    assert len(decoded) < 5
    assert (await ear.transcribe(await recording(FIXTURE / "utt09_en.wav"))).text == "My name is Alice."


async def test_a_model_for_english_alone_says_so() -> None:
    engine = scripted(Scripted([[segment("hi")]], multilingual=False))
    assert engine.languages == ("en",)
    assert (await engine.transcribe(SECOND)).language_probability is None
    with pytest.raises(EngineFailed, match="'zh'"):
        await engine.transcribe(SECOND, Hearing("zh"))


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
