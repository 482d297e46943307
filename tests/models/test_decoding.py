"""Recordings: every container against the samples that went in, limits that hold while decoding, and files that lie."""

import io
import math
import os
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path

import anyio
import av
import numpy as np
import numpy.typing as npt
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import example, given
from hypothesis import strategies as st

from configs.errors import AudioUnsupported, RequestTooLarge
from configs.settings import Limits
from models.audio import AudioChunk
from models.decoding import Decoder, decode, open_decoder

Samples = npt.NDArray[np.int16]
ROOT = Path(__file__).parents[2]
HERTZ = 500.0
ENCODERS = {
    "wav": ("pcm_s16le", "wav"),
    "float wav": ("pcm_f32le", "wav"),
    "24-bit wav": ("pcm_s24le", "wav"),
    "8-bit wav": ("pcm_u8", "wav"),
    "mu-law wav": ("pcm_mulaw", "wav"),
    "flac": ("flac", "flac"),
    "ogg opus": ("libopus", "ogg"),
    "mp3": ("libmp3lame", "mp3"),
    "webm": ("libopus", "webm"),
    "m4a": ("aac", "mp4"),
    "aac": ("aac", "adts"),
}


SHARED: list[tuple[BlockingPortal, Decoder]] = []


@pytest.fixture(scope="module", autouse=True)
def shared() -> Iterator[None]:
    """A decoder, with its processes, for all tests of this file."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(open_decoder(Limits())) as decoder,
    ):
        SHARED.append((portal, decoder))
        yield
        SHARED.clear()


def tone(seconds: float, rate: int, channels: int = 1) -> Samples:
    """The same sine in each channel, shape (samples, channels)."""
    mono = 8192 * np.sin(2 * np.pi * HERTZ * np.arange(round(seconds * rate)) / rate)
    return np.repeat(np.round(mono).astype(np.int16)[:, np.newaxis], channels, axis=1)


def encoded(kind: str, samples: Samples, rate: int, layout: str = "mono") -> bytes:
    codec, container = ENCODERS[kind]
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, layout=layout)
        assert isinstance(stream, av.AudioStream)
        for start in range(0, len(samples), rate):
            frame = av.AudioFrame.from_ndarray(samples[start : start + rate].reshape(1, -1), "s16", layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


def wav(samples: Samples, rate: int) -> bytes:
    """As the standard library writes it, which knows nothing of FFmpeg."""
    file = io.BytesIO()
    with wave.open(file, "wb") as output:
        output.setnchannels(samples.shape[1])
        output.setsampwidth(2)
        output.setframerate(rate)
        output.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


def decoded(
    source: bytes | Path, max_bytes: int = 10_000_000, max_seconds: float = 60, rate: int = 16_000
) -> AudioChunk:
    portal, decoder = SHARED[0]
    return portal.call(partial(decoder.decode, source, max_bytes=max_bytes, max_seconds=max_seconds, rate=rate))


def assert_is_the_tone(sound: AudioChunk, seconds: float, *, padding: float = 0.0) -> None:
    """Its pitch, its loudness, and its length, to which an encoder may have added."""
    assert seconds - 0.02 <= sound.seconds <= seconds + 0.02 + padding
    middle = sound.floats()[len(sound.floats()) // 4 : 3 * len(sound.floats()) // 4]
    assert abs(int(np.abs(np.fft.rfft(middle)).argmax()) * sound.rate / len(middle) - HERTZ) <= 2
    assert math.sqrt(2 * float(np.mean(middle**2))) == pytest.approx(0.25, rel=0.1)


@pytest.mark.parametrize("kind", ENCODERS)
def test_every_format_gives_the_sound_that_went_in(kind: str) -> None:
    source = encoded(kind, tone(1.0, 48_000), 48_000)
    assert_is_the_tone(decoded(source), 1.0, padding=0.1)


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_a_lossless_format_at_the_wanted_rate_gives_the_very_samples(kind: str) -> None:
    samples = np.random.default_rng(1).integers(-32768, 32768, (16_000, 1)).astype(np.int16)
    assert decoded(encoded(kind, samples, 16_000)).pcm == samples.tobytes()


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 96_000, 192_000])
@pytest.mark.parametrize("channels", [1, 2, 6, 8])
def test_any_rate_and_any_number_of_channels(rate: int, channels: int) -> None:
    assert_is_the_tone(decoded(wav(tone(0.5, rate, channels), rate)), 0.5)


def test_channels_are_averaged() -> None:
    left, right = np.full(1_600, 1_000), np.full(1_600, -400)
    samples = np.frombuffer(decoded(wav(np.stack([left, right], axis=1).astype(np.int16), 16_000)).pcm, "<i2")
    assert set(samples.tolist()) == {300}


def test_another_rate_can_be_wanted() -> None:
    sound = decoded(encoded("flac", tone(1.0, 48_000), 48_000), rate=24_000)
    assert sound.rate == 24_000
    assert_is_the_tone(sound, 1.0)


def test_the_rate_may_change_on_the_way() -> None:
    chained = encoded("aac", tone(1.0, 48_000), 48_000) + encoded("aac", tone(1.0, 16_000), 16_000)
    assert_is_the_tone(decoded(chained), 2.0, padding=0.2)


def test_a_path_is_read(tmp_path: Path) -> None:
    file = tmp_path / "声音.flac"
    file.write_bytes(encoded("flac", tone(0.5, 16_000), 16_000))
    assert_is_the_tone(decoded(file), 0.5)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_decoding_leaves_the_loop_free_and_gives_the_same() -> None:
    source = encoded("flac", tone(0.5, 48_000), 48_000)
    assert await decode(source, max_bytes=10**6, max_seconds=1) == decoded(source)


@pytest.mark.anyio
async def test_cancelling_ends_the_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    with anyio.CancelScope() as scope:

        def check() -> None:
            seen.append("packet")
            anyio.from_thread.run_sync(scope.cancel)
            check_cancelled()

        check_cancelled = anyio.from_thread.check_cancelled
        monkeypatch.setattr("models.decoding.from_thread.check_cancelled", check)
        await decode(wav(tone(5, 48_000), 48_000), max_bytes=10**7, max_seconds=10)
    assert scope.cancelled_caught
    assert seen == ["packet"]


NOT_AUDIO = {
    "empty": b"",
    "garbage": np.random.default_rng(2).bytes(5_000),
    "text": "听说 is no sound. ".encode() * 100,
    "half a header": wav(tone(0.1, 16_000), 16_000)[:20],
    "a header alone": wav(tone(0.0, 16_000), 16_000),
    "zeros": bytes(10_000),
    "PNG": bytes.fromhex("89504e470d0a1a0a0000000d494844520000000100000001080600000"[:56]) + bytes(200),
    "PDF": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n" * 20,
    "HTML": b"<!DOCTYPE html><html><body>404</body></html>" * 20,
}


@pytest.mark.parametrize("name", NOT_AUDIO)
def test_what_is_no_audio_is_refused_and_formats_are_named(name: str) -> None:
    with pytest.raises(AudioUnsupported) as caught:
        decoded(NOT_AUDIO[name])
    assert "WAV" in caught.value.hint
    assert "WebM" in caught.value.hint


def test_a_picture_without_sound_is_refused() -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as output:
        stream = output.add_stream("mjpeg", rate=1, width=16, height=16, pix_fmt="yuvj420p")
        output.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((24, 16), np.uint8), "yuvj420p")))
        output.mux(stream.encode(None))
    with pytest.raises(AudioUnsupported, match="no audio"):
        decoded(file.getvalue())


@pytest.mark.parametrize("kind", ["wav", "flac", "mp3", "ogg opus", "webm", "aac"])
def test_a_truncated_recording_gives_what_it_holds(kind: str) -> None:
    source = encoded(kind, tone(2.0, 48_000), 48_000)
    assert 0.3 < decoded(source[: len(source) // 2]).seconds < 1.7


def test_a_truncated_m4a_has_lost_its_index_and_is_refused() -> None:
    source = encoded("m4a", tone(2.0, 48_000), 48_000)
    with pytest.raises(AudioUnsupported):
        decoded(source[: len(source) // 2])


def test_damage_in_the_middle_costs_only_what_is_damaged() -> None:
    source = bytearray(encoded("mp3", tone(2.0, 48_000), 48_000))
    source[len(source) // 2 : len(source) // 2 + 800] = bytes(800)
    assert 1.5 < decoded(bytes(source)).seconds < 2.2


@given(st.sampled_from(["wav", "flac", "mp3", "ogg opus", "webm", "m4a"]), st.binary(max_size=40), st.floats(0, 1))
@example("webm", b"\xff" * 40, 0.5)
def test_damaged_bytes_give_sound_or_a_proper_refusal(kind: str, damage: bytes, place: float) -> None:
    source = bytearray(encoded(kind, tone(0.2, 48_000), 48_000))
    at = int(place * len(source))
    source[at : at + len(damage)] = damage
    try:
        sound = decoded(bytes(source), max_seconds=5)
    except (AudioUnsupported, RequestTooLarge):
        return
    assert 0 < sound.seconds <= 5.1


@pytest.mark.parametrize("where", ["missing.wav", ".", "bad\0name.wav"])
def test_a_path_that_is_no_file_is_refused(where: str, tmp_path: Path) -> None:
    with pytest.raises(AudioUnsupported, match="not a file"):
        decoded(tmp_path / where)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_and_a_device_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for endless in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(AudioUnsupported, match="not a file"):
            decoded(endless)


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret.wav"
    file.write_bytes(wav(tone(0.1, 16_000), 16_000))
    file.chmod(0)
    with pytest.raises(AudioUnsupported, match="cannot be read"):
        decoded(file)


PLAYLISTS: dict[str, Callable[[Path], str]] = {
    "HLS of a neighbour": lambda file: f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{file.name}\n#EXT-X-ENDLIST\n",
    "concat of a neighbour": lambda file: f"ffconcat version 1.0\nfile {file.name}\n",
    "HLS": lambda file: f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{file}\n#EXT-X-ENDLIST\n",
    "HLS by URL": lambda file: f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{file}\n#EXT-X-ENDLIST\n",
    "concat": lambda file: f"ffconcat version 1.0\nfile '{file}'\n",
    "SDP": lambda file: "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    "DASH": lambda file: f'<?xml version="1.0"?><MPD type="static"><Period><BaseURL>{file}</BaseURL></Period></MPD>',
}
WATCHED = """
import io
import sys
from pathlib import Path
from configs.errors import AudioUnsupported
from models.ffmpeg import decoded

for script in sorted(Path.cwd().glob("*.wav")):
    for source in (script.open("rb"), io.BytesIO(script.read_bytes())):
        try:
            decoded(source, 60, 16_000)
        except AudioUnsupported:
            print("refused", script.stem)
"""


def test_a_file_that_names_other_files_is_refused_and_opens_none(tmp_path: Path) -> None:
    target = tmp_path / "target.ts"
    os.mkfifo(target)  # whoever opened it would wait for ever
    for name, script in PLAYLISTS.items():
        (tmp_path / f"{name}.wav").write_text(script(target), encoding="utf-8")
    command = [sys.executable, "-c", WATCHED]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=30, check=True
    )
    assert sorted(done.stdout.splitlines()) == sorted([f"refused {name}" for name in PLAYLISTS] * 2)


def test_too_many_bytes_are_refused_before_they_are_read(tmp_path: Path) -> None:
    source = wav(tone(0.5, 16_000), 16_000)
    (tmp_path / "a.wav").write_bytes(source)
    assert decoded(source, max_bytes=len(source)).seconds == 0.5
    for each in (source, tmp_path / "a.wav"):
        with pytest.raises(RequestTooLarge, match=f"{len(source) - 1} bytes"):
            decoded(each, max_bytes=len(source) - 1)


def test_too_many_seconds_are_refused_and_the_limit_itself_is_not() -> None:
    source = wav(tone(2.0, 16_000), 16_000)
    assert decoded(source, max_seconds=2.0).seconds == 2.0
    with pytest.raises(RequestTooLarge, match=r"longer than 1\.9 seconds"):
        decoded(source, max_seconds=1.9)


@pytest.mark.parametrize("rate", [1, 100, 3_999])
def test_a_rate_that_no_recorder_has_is_refused_before_it_is_resampled(rate: int) -> None:
    with pytest.raises(AudioUnsupported, match=f"{rate} samples a second"):
        decoded(wav(np.zeros((50_000, 1), np.int16), rate), max_seconds=10**9)
