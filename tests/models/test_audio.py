"""Sound: bytes and floats both ways, and a stream resampled in pieces as the whole sound would be."""

import io
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.audio import AudioChunk, Resampler, from_floats, joined, silence, wav_bytes, write_wav

samples = st.lists(st.integers(-32768, 32767), max_size=400)
rates = st.sampled_from([8_000, 16_000, 22_050, 24_000, 44_100, 48_000])


def chunk(values: list[int], rate: int = 16_000) -> AudioChunk:
    return AudioChunk(np.array(values, "<i2").tobytes(), rate)


def tone(seconds: float, rate: int, hertz: float = 440.0) -> AudioChunk:
    times = np.arange(round(seconds * rate)) / rate
    return from_floats((0.5 * np.sin(2 * np.pi * hertz * times)).astype(np.float32), rate)


@given(samples)
def test_floats_and_back_changes_no_sample(values: list[int]) -> None:
    assert from_floats(chunk(values).floats(), 16_000) == chunk(values)


@given(st.lists(st.floats(-4, 4, width=32), max_size=100))
def test_floats_are_clipped_and_off_by_half_a_step_at_most(values: list[float]) -> None:
    back = from_floats(np.array(values, np.float32), 16_000).floats()
    assert np.allclose(back, np.clip(values, -1, 32767 / 32768), atol=0.5 / 32768 + 1e-7)


@given(samples, rates)
def test_a_wav_file_says_the_same(values: list[int], rate: int) -> None:
    sound = chunk(values, rate)
    with wave.open(io.BytesIO(wav_bytes(sound))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, rate)
        assert file.readframes(file.getnframes()) == sound.pcm


def test_a_wav_file_is_written(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", tone(0.1, 8_000))
    assert (tmp_path / "a.wav").read_bytes() == wav_bytes(tone(0.1, 8_000))


@given(st.lists(samples, max_size=5))
def test_joined_chunks_hold_all_samples_in_order(parts: list[list[int]]) -> None:
    assert joined([chunk(part) for part in parts], 16_000) == chunk([value for part in parts for value in part])


def test_nothing_joined_sounds_at_the_given_rate() -> None:
    assert joined([], 24_000) == AudioChunk(b"", 24_000)


def test_chunks_of_several_rates_are_not_joined() -> None:
    with pytest.raises(AssertionError, match="several rates"):
        joined([chunk([1], 8_000), chunk([1], 16_000)], 8_000)


@pytest.mark.parametrize(("seconds", "rate", "count"), [(0.0, 16_000, 0), (0.5, 16_000, 8_000), (0.1, 22_050, 2_205)])
def test_silence_is_as_long_as_asked(seconds: float, rate: int, count: int) -> None:
    quiet = silence(seconds, rate)
    assert (quiet.samples, quiet.seconds) == (count, count / rate)
    assert not quiet.floats().any()


@given(rates, rates, st.lists(st.integers(0, 3_000), min_size=1, max_size=8))
def test_a_stream_resampled_in_pieces_is_the_whole_resampled(source: int, target: int, sizes: list[int]) -> None:
    whole = tone(sum(sizes) / source, source)
    stream, at, parts = Resampler(source, target), 0, []
    for number, size in enumerate(sizes):
        piece = AudioChunk(whole.pcm[2 * at : 2 * (at + size)], source)
        parts.append(stream.push(piece, last=number == len(sizes) - 1))
        at += size
    found, expected = joined(parts, target), whole.resampled(target)
    assert found.samples == expected.samples
    assert np.allclose(found.floats(), expected.floats(), atol=2 / 32768)


@pytest.mark.parametrize("target", [8_000, 16_000, 22_050, 48_000])
def test_a_tone_keeps_its_pitch_loudness_and_length(target: int) -> None:
    sound = tone(1.0, 24_000, hertz=500.0).resampled(target)
    assert abs(sound.seconds - 1.0) <= 1 / target
    spectrum = np.abs(np.fft.rfft(sound.floats()))
    assert abs(int(spectrum.argmax()) / sound.seconds - 500.0) <= 1.0
    assert np.abs(sound.floats()).max() == pytest.approx(0.5, abs=0.01)


def test_the_same_rate_changes_nothing() -> None:
    sound = tone(0.1, 16_000)
    assert sound.resampled(16_000) is sound
    assert Resampler(16_000, 16_000).push(sound) is sound
