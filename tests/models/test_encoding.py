"""Encoded streams, read back by FFmpeg and by the standard library; and speech at another tempo."""

import io
import wave

import numpy as np
import pytest

from models.audio import AudioChunk, Floats, from_floats, joined
from models.encoding import FORMATS, STREAM_RATE, Tempo, open_encoder
from models.ffmpeg import decoded

TONE = 440
"""Hertz."""


def tone(seconds: float, rate: int = STREAM_RATE) -> AudioChunk:
    times = np.arange(round(seconds * rate)) / rate
    return from_floats((0.3 * np.sin(2 * np.pi * TONE * times)).astype(np.float32), rate)


def cut(sound: AudioChunk, samples: int) -> list[AudioChunk]:
    return [AudioChunk(sound.pcm[at : at + 2 * samples], sound.rate) for at in range(0, len(sound.pcm), 2 * samples)]


def strongest(samples: Floats, rate: int) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * rate / len(samples))


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "pcm"])
@pytest.mark.parametrize("samples", [37, 1_600, 100_000])
def test_a_tone_comes_out_of_every_format(kind: str, samples: int) -> None:
    encoder = open_encoder(FORMATS[kind])
    data = b"".join([*(encoder.push(chunk) for chunk in cut(tone(0.5), samples)), encoder.finish()])
    sound = decoded(io.BytesIO(data), 10, STREAM_RATE)
    assert sound.seconds == pytest.approx(0.5, abs=0.12)
    assert strongest(sound.floats(), STREAM_RATE) == pytest.approx(TONE, abs=3)
    assert np.abs(sound.floats()).max() == pytest.approx(0.3, abs=0.05)


@pytest.mark.parametrize("kind", ["wav", "pcm", "flac"])
def test_what_loses_nothing_gives_the_very_samples(kind: str) -> None:
    encoder, sound = open_encoder(FORMATS[kind]), tone(0.3)
    data = encoder.push(sound) + encoder.finish()
    if kind == "pcm":
        assert data == sound.pcm
        return
    back = decoded(io.BytesIO(data), 10, STREAM_RATE)
    # FLAC's last frame is shorter than its block.
    assert back.pcm == sound.pcm


def test_the_standard_library_reads_the_wav() -> None:
    encoder, sound = open_encoder(FORMATS["wav"]), tone(0.1)
    with wave.open(io.BytesIO(encoder.push(sound) + encoder.finish())) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, STREAM_RATE)
        assert file.readframes(sound.samples + 1) == sound.pcm


@pytest.mark.parametrize("kind", FORMATS)
def test_half_a_second_leaves_before_the_end(kind: str) -> None:
    encoder = open_encoder(FORMATS[kind])
    assert sum(len(encoder.push(chunk)) for chunk in cut(tone(0.5), 2_400)) > 500
    encoder.finish()


@pytest.mark.parametrize("kind", FORMATS)
def test_a_stream_without_sound_ends_too(kind: str) -> None:
    encoder = open_encoder(FORMATS[kind])
    assert isinstance(encoder.push(AudioChunk(b"", STREAM_RATE)) + encoder.finish(), bytes)


@pytest.mark.parametrize("factor", [0.5, 1, 1.7, 2, 4])
@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000])
def test_a_tempo_changes_the_length_and_not_the_pitch(factor: float, rate: int) -> None:
    tempo = Tempo(rate, STREAM_RATE, factor)
    parts = [*(tempo.push(chunk) for chunk in cut(tone(2, rate), 1_000)), tempo.finish()]
    sound = joined(parts, STREAM_RATE)
    assert sound.seconds == pytest.approx(2 / factor, rel=0.05)
    assert strongest(sound.floats(), STREAM_RATE) == pytest.approx(TONE, rel=0.02)


@pytest.mark.parametrize("factor", [1, 2])
def test_a_tempo_of_nothing_is_nothing(factor: float) -> None:
    assert Tempo(16_000, STREAM_RATE, factor).finish().samples == 0
