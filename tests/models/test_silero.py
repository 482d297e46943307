"""Silero: our stream of frames against faster-whisper's own run over a whole sound, and what a broken wheel says."""

import subprocess
import sys
import wave
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest
from faster_whisper.vad import get_vad_model

from configs.errors import EngineFailed, EngineNotInstalled, ModelNotFound
from models.audio import AudioChunk, Floats
from models.engines import silero
from models.engines.silero import Silero, bundled_model

ROOT = Path(__file__).parents[2]
UTTERANCES = sorted((ROOT / "tests" / "fixtures" / "tiny-whisper").glob("*.wav"))


def frames(path: Path) -> Floats:
    """The sound in frames, shape (frames, 512)."""
    with wave.open(str(path)) as file:
        sound = AudioChunk(file.readframes(file.getnframes()), file.getframerate()).resampled(16_000).floats()
    return sound[: len(sound) // 512 * 512].reshape(-1, 512)


@pytest.fixture(scope="module")
def detector() -> Silero:
    return Silero(bundled_model())


@pytest.mark.parametrize("path", UTTERANCES, ids=lambda path: path.stem)
def test_a_stream_agrees_with_a_second_implementation(detector: Silero, path: Path) -> None:
    heard = frames(path)
    stream = detector.open_stream()
    found = [stream.probability(frame) for frame in heard]
    # faster-whisper blanks the end of the last frame in place, so it gets a copy with one more frame.
    expected = get_vad_model()(np.concatenate([heard, np.zeros((1, 512), np.float32)]).ravel()).ravel()[:-1]
    assert np.allclose(found, expected, atol=1e-4)
    assert max(found) > 0.9


def test_silence_is_no_speech(detector: Silero) -> None:
    stream = detector.open_stream()
    assert max(stream.probability(np.zeros(512, np.float32)) for _ in range(60)) < 0.1


def test_streams_do_not_hear_each_other(detector: Silero) -> None:
    heard = frames(UTTERANCES[0])
    alone, mixed, other = detector.open_stream(), detector.open_stream(), detector.open_stream()
    for frame in heard:
        expected = alone.probability(frame)
        assert mixed.probability(frame) == expected
        other.probability(frame[::-1].copy())


def test_reset_forgets(detector: Silero) -> None:
    heard = frames(UTTERANCES[0])
    stream = detector.open_stream()
    first = [stream.probability(frame) for frame in heard]
    assert stream.probability(heard[0]) != first[0]
    stream.reset()
    assert [stream.probability(frame) for frame in heard] == first


@pytest.mark.parametrize("samples", [0, 511, 513])
def test_a_frame_of_another_size_is_a_mistake(detector: Silero, samples: int) -> None:
    with pytest.raises(ValueError, match="512"):
        detector.open_stream().probability(np.zeros(samples, np.float32))
    with pytest.raises(ValueError, match="512"):
        detector.open_stream().probabilities(np.zeros((2, samples), np.float32))


@pytest.mark.parametrize("content", [b"", b"no network" * 100])
def test_damaged_weights_are_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "silero.onnx").write_bytes(content)
    with pytest.raises(EngineFailed, match=r"silero\.onnx"):
        Silero(tmp_path / "silero.onnx")


def test_a_missing_package_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silero, "find_spec", lambda name: None)
    with pytest.raises(EngineNotInstalled) as caught:
        bundled_model()
    assert caught.value.hint == "pip install faster-whisper"


def test_a_missing_runtime_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(EngineNotInstalled) as caught:
        Silero(Path("silero.onnx"))
    assert caught.value.hint == "pip install onnxruntime"


def test_weights_missing_from_the_wheel_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spec = ModuleSpec("faster_whisper", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(silero, "find_spec", lambda name: spec)
    with pytest.raises(ModelNotFound, match=r"silero_vad_v6\.onnx"):
        bundled_model()


def test_the_weights_are_found_without_importing_whisper() -> None:
    code = (
        "import sys; from models.engines.silero import *; Silero(bundled_model()); print('ctranslate2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.anyio
async def test_it_opens_on_the_bundled_weights() -> None:
    detector = await Silero.open()
    assert (detector.name, detector.frame_samples) == ("silero", 512)
