"""What every voice activity detector does: tells speech from silence, frame by frame, each stream for itself."""

from functools import partial
from pathlib import Path

import anyio
import numpy as np
import pytest

from models.audio import Floats
from models.decoding import decode
from models.engines.fake import FakeVoiceActivity
from models.engines.silero import Silero, bundled_model
from models.voice_activity import VoiceActivityDetector

FIXTURES = Path(__file__).parents[1] / "fixtures"
RECORDINGS = sorted((FIXTURES / "tiny-whisper").glob("*.wav")) + sorted((FIXTURES / "flite").glob("*.wav"))


@pytest.fixture(scope="module", params=["silero", "fake"])
def detector(request: pytest.FixtureRequest) -> VoiceActivityDetector:
    return Silero(bundled_model()) if request.param == "silero" else FakeVoiceActivity()


def frames(path: Path, size: int) -> Floats:
    """A recording with half a second of silence before and after it, shape (frames, size)."""
    sound = anyio.run(partial(decode, path, max_bytes=10**6, max_seconds=10)).floats()
    padded = np.pad(sound, 8_000)
    return padded[: len(padded) // size * size].reshape(-1, size)


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_speech_stands_out_from_the_silence_around_it(detector: VoiceActivityDetector, path: Path) -> None:
    stream = detector.open_stream()
    found = np.array([stream.probability(frame) for frame in frames(path, detector.frame_samples)])
    quiet = 8_000 // detector.frame_samples - 1
    assert ((found >= 0) & (found <= 1)).all()
    assert found[:quiet].max() < 0.35
    assert found[-quiet // 2 :].max() < 0.35
    assert (found[quiet:-quiet] > 0.5).mean() > 0.5


def test_a_reset_stream_is_as_a_fresh_one(detector: VoiceActivityDetector) -> None:
    heard = frames(RECORDINGS[0], detector.frame_samples)
    fresh, used = detector.open_stream(), detector.open_stream()
    for frame in heard:
        used.probability(frame)
    used.reset()
    assert [used.probability(frame) for frame in heard] == [fresh.probability(frame) for frame in heard]


NOISE = {
    "white": np.random.default_rng(1).uniform(-0.9, 0.9, (300, 512)),
    "clicks": np.where(np.random.default_rng(2).random((300, 512)) > 0.999, 0.9, 0.0),
    "silence": np.zeros((300, 512)),
}


@pytest.mark.parametrize("name", [*(path.stem for path in RECORDINGS), *NOISE])
@pytest.mark.parametrize("at_once", [1000, 7])
def test_many_frames_at_once_are_judged_as_one_by_one(detector: VoiceActivityDetector, name: str, at_once: int) -> None:
    if name in NOISE:
        heard = NOISE[name].astype(np.float32)
    else:
        (path,) = (path for path in RECORDINGS if path.stem == name)
        heard = frames(path, detector.frame_samples)
    one, many = detector.open_stream(), detector.open_stream()
    expected = [one.probability(frame) for frame in heard]
    found = [many.probabilities(heard[start : start + at_once]) for start in range(0, len(heard), at_once)]
    assert np.concatenate(found) == pytest.approx(expected, abs=1e-4)
    # And what comes after is heard as if they had come one by one.
    assert many.probability(heard[0]) == pytest.approx(one.probability(heard[0]), abs=1e-4)


def test_no_frames_have_no_probabilities_and_change_nothing(detector: VoiceActivityDetector) -> None:
    heard = frames(RECORDINGS[0], detector.frame_samples)
    stream, other = detector.open_stream(), detector.open_stream()
    assert stream.probabilities(heard[:30]).shape == other.probabilities(heard[:30]).shape == (30,)
    assert stream.probabilities(heard[:0]).shape == (0,)
    assert stream.probability(heard[30]) == other.probability(heard[30])


def test_a_frame_is_not_kept_or_changed(detector: VoiceActivityDetector) -> None:
    heard = frames(RECORDINGS[0], detector.frame_samples)
    expected, stream, reused = detector.open_stream(), detector.open_stream(), np.empty_like(heard[0])
    for frame in heard:
        reused[:] = frame
        assert stream.probability(reused) == expected.probability(frame)
        assert (reused == frame).all()
        reused[:] = 0.5
