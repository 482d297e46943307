"""Small files that hold hours, or millions of samples: refused by what their packets say, else in the decoding."""

import io
import subprocess
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from configs.errors import RequestTooLarge
from models import ffmpeg
from models.ffmpeg import decoded

ROOT = Path(__file__).parents[2]


def silent(
    codec: str, container: str, seconds: int, *, rate: int = 24_000, layout: str = "mono", said: Fraction = Fraction(1)
) -> bytes:
    """Silence, whose packets say that they last `said` of what they do."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, layout=layout, options={"strict": "-2"})
        assert isinstance(stream, av.AudioStream)
        fitted = av.AudioResampler(stream.format, layout, rate, stream.codec_context.frame_size or rate)
        blank = np.zeros((1, rate * len(av.AudioLayout(layout).channels)), np.int16)
        for start in range(0, seconds * rate, rate):
            frame = av.AudioFrame.from_ndarray(blank, "s16", layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            for one in fitted.resample(frame):
                output.mux(list(_scaled(stream.encode(one), said)))
        output.mux(list(_scaled(stream.encode(None), said)))
    return file.getvalue()


def _scaled(packets: "list[av.Packet[av.AudioStream]]", said: Fraction) -> "Iterator[av.Packet[av.AudioStream]]":
    for packet in packets:
        assert packet.pts is not None
        assert packet.dts is not None
        packet.pts, packet.dts = int(packet.pts * said), int(packet.dts * said)
        packet.duration = int((packet.duration or 0) * said)
        yield packet


FILES = {
    "flac": ("flac", "flac"),
    "opus": ("libopus", "ogg"),
    "mp3": ("libmp3lame", "mp3"),
    "aac": ("aac", "adts"),
    "m4a": ("aac", "mp4"),
    "webm": ("libopus", "webm"),
    "wav": ("pcm_s16le", "wav"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_long_recording_is_refused_before_any_of_it_is_decoded(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = silent(*FILES[kind], 13)
    assert decoded(io.BytesIO(data), 14, 16_000).seconds == pytest.approx(13, abs=0.2)

    def refuse(*_: object) -> None:
        raise AssertionError("it was decoded")

    monkeypatch.setattr(ffmpeg, "_frames", refuse)
    with pytest.raises(RequestTooLarge, match="longer than 10 seconds"):
        decoded(io.BytesIO(data), 10, 16_000)


@pytest.mark.parametrize("kind", FILES)
def test_half_a_second_over_the_limit_is_not_too_little(kind: str) -> None:
    with pytest.raises(RequestTooLarge, match=r"longer than 10\.5 seconds"):
        decoded(io.BytesIO(silent(*FILES[kind], 11)), 10.5, 16_000)


def test_packets_that_say_too_little_are_stopped_while_they_are_decoded() -> None:
    data = silent("aac", "mp4", 60, said=Fraction(1, 100))
    with av.open(io.BytesIO(data), "r") as container:
        assert (container.duration or 0) < av.time_base  # a check of the test: the file lies
    with pytest.raises(RequestTooLarge, match="longer than 10 seconds"):
        decoded(io.BytesIO(data), 10, 16_000)


def test_a_short_recording_with_more_samples_than_a_long_one_is_refused_soon() -> None:
    wide = silent("flac", "flac", 5, rate=655_350, layout="7.1")
    assert len(wide) < 1_000_000  # of 26 million samples
    began = time.process_time()
    with pytest.raises(RequestTooLarge, match="more than 2880000 samples"):
        decoded(io.BytesIO(wide), 15, 16_000)
    assert time.process_time() - began < 1
    assert decoded(io.BytesIO(wide), 900, 16_000).seconds == pytest.approx(5)


BOMB = """
import io, resource, sys
from configs.errors import RequestTooLarge
from models.ffmpeg import decoded

source = sys.stdin.buffer.read()
before = resource.getrusage(resource.RUSAGE_SELF)
try:
    decoded(io.BytesIO(source), 60, 16_000)
except RequestTooLarge:
    after = resource.getrusage(resource.RUSAGE_SELF)
    print(after.ru_maxrss - before.ru_maxrss, after.ru_utime - before.ru_utime)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has other units elsewhere")
@pytest.mark.parametrize("said", [Fraction(1), Fraction(1, 1000)])
def test_twenty_minutes_of_silence_is_refused_soon_and_in_little_memory(said: Fraction) -> None:
    source = silent("aac", "mp4", 1200, rate=8000, said=said)
    assert len(source) < 200_000
    done = subprocess.run(
        [sys.executable, "-c", BOMB], cwd=ROOT, input=source, capture_output=True, timeout=50, check=True
    )
    kilobytes, seconds = map(float, done.stdout.split())
    assert kilobytes < 20_000  # they would be 38 MB at 16 kHz
    assert seconds < 1
