"""What people give by mistake: an exit code, a line that says what, and one that says how to mend it."""

import time
import wave
from pathlib import Path

import av
import numpy as np
import pytest
import soxr

from tests.e2e.conftest import QUESTIONS, Ended, Tingshuo

USAGE, DATA, UNAVAILABLE, IO, CONFIG = 2, 65, 69, 74, 78
"""As sysexits.h has them."""


def samples(path: Path) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], int]:
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768.0, file.getframerate()


def write(path: Path, data: "np.ndarray[tuple[int], np.dtype[np.float64]]", rate: int, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        scaled = (np.clip(data, -1, 1) * 32767).astype("<i2")
        file.writeframes(np.repeat(scaled[:, np.newaxis], channels, axis=1).tobytes())
    return path


def told(done: Ended, code: int, *words: str) -> None:
    """It ended so, with nothing on standard output and at most the two lines of an error."""
    assert done.code == code, done
    assert done.out == ""
    lines = done.err.splitlines()
    assert lines[0].startswith("error: "), done
    assert len(lines) == 1 or lines[1].startswith("  try: "), done
    assert len(lines) <= 2, done
    for word in words:
        assert word in done.err


BAD_RECORDINGS = {
    "words.wav": b"these are words, not samples",
    "empty.wav": b"",
    "header.wav": b"RIFF\x24\x08\x00\x00WAVEfmt ",
    "truncated.flac": b"fLaC\x00\x00\x00\x22" + bytes(20),
    "noise.mp3": bytes(range(256)) * 10,
    "playlist.wav": b"#EXTM3U\nfile:///etc/passwd\n",
}


@pytest.mark.parametrize("name", BAD_RECORDINGS)
def test_what_is_no_recording(tingshuo: Tingshuo, name: str) -> None:
    Path(name).write_bytes(BAD_RECORDINGS[name])
    told(tingshuo("ask", name), DATA, "try:")


def test_a_recording_without_samples(tingshuo: Tingshuo) -> None:
    told(tingshuo("ask", write(Path("none.wav"), np.zeros(0), 16_000)), DATA, "no samples")


def test_a_recording_without_speech(tingshuo: Tingshuo, handbook: Path) -> None:
    told(tingshuo("ask", write(Path("quiet.wav"), np.zeros(32_000), 16_000)), DATA, "no speech", "quiet.wav")


def test_three_hours_of_silence_in_a_small_file_are_refused_in_seconds(tingshuo: Tingshuo) -> None:
    with av.open("long.flac", "w") as container:
        stream = container.add_stream("flac", rate=8000, layout="mono")
        for _ in range(3 * 60):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 60 * 8000), np.int16), format="s16", layout="mono")
            frame.sample_rate = 8000
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert Path("long.flac").stat().st_size < 3_000_000  # 172 MB when unpacked
    began = time.monotonic()
    told(tingshuo("ask", "long.flac"), DATA, "900 seconds")
    assert time.monotonic() - began < 10


def test_eight_channels_of_192_khz_are_heard_as_any_other(tingshuo: Tingshuo, handbook: Path) -> None:
    sound, rate = samples(QUESTIONS / "vacation.wav")
    odd = write(Path("odd.wav"), soxr.resample(sound, rate, 192_000), 192_000, channels=8)
    done = tingshuo("ask", odd, "--no-speech")
    assert done.code == 0, done
    assert "25 days" in done.out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["ask", "gone.wav"], DATA, ["no such file"]),
        (["ask", ""], DATA, ["empty"]),
        (["ask", "  \n"], DATA, ["empty"]),
        (["ask", "x" * 9000], DATA, ["8000"]),
        (["ask", "hello", "--persona", "nobody"], CONFIG, ["nobody", "default"]),
        (["ask", "hello", "--knowledge", "nothing"], DATA, ["nothing", "ingest"]),
        (["ask", "./hollow"], DATA, ["folder", "tingshuo ingest ./hollow"]),
        (["ask", "hello", "--conversation", "c\udcff"], DATA, ["conversation"]),
        (["knowledge", "search", ""], DATA, ["empty"]),
        (["knowledge", "search", "x" * 9000], DATA, ["8000"]),
        (["knowledge", "search", "hello", "--knowledge", "k\udcff"], DATA, ["knowledge base"]),
        (["ask", "hello", "--out", "missing/answer.wav"], IO, ["missing/answer.wav"]),
        (["demo", "--out", "/proc/answer.wav"], IO, ["/proc/answer.wav"]),
        (["demo", "--question", "gone.wav"], DATA, ["no such file"]),
        (["chat", "--persona", "nobody"], CONFIG, ["nobody"]),
        (["knowledge", "search", "hello", "--knowledge", "nothing"], DATA, ["nothing"]),
        (["knowledge", "remove", "nothing"], DATA, ["default"]),
        (["serve", "--host", "0.0.0.0"], CONFIG, ["0.0.0.0", "ssh -L"]),
        (["ingest", ".", "--knowledge", ""], DATA, ["knowledge base"]),
        (["ingest", "hollow"], DATA, ["no document"]),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else None,
)
def test_arguments(tingshuo: Tingshuo, arguments: list[str], code: int, words: list[str]) -> None:
    Path("hollow").mkdir()
    told(tingshuo(*arguments), code, *words)


@pytest.mark.parametrize(
    "arguments",
    [
        ["ask"],
        ["sing"],
        ["ask", "a", "--loudly"],
        ["ask", "a", "--no-speech", "--out", "a.wav"],
        ["serve", "--port", "65536"],
        ["knowledge", "remove"],
        ["ingest"],
    ],
)
def test_a_command_that_is_used_wrongly(tingshuo: Tingshuo, arguments: list[str]) -> None:
    done = tingshuo(*arguments)
    assert (done.code, done.out) == (USAGE, "")
    assert "Usage: " in done.err


@pytest.mark.parametrize(
    ("variables", "code", "words"),
    [
        ({"TINGSHUO_CHAT__ENGINE": "oracle"}, CONFIG, ["oracle", "extractive"]),
        ({"TINGSHUO_CHAT__ENGINE": "ollama"}, UNAVAILABLE, ["ollama", "127.0.0.1:9"]),
        ({"TINGSHUO_EMBEDDINGS__ENGINE": "ollama"}, UNAVAILABLE, ["ollama"]),
        ({"TINGSHUO_LIMITS__TURN": "soon"}, CONFIG, ["limits.turn", "TINGSHUO_LIMITS__TURN"]),
        ({"TINGSHUO_CHAT": "{"}, CONFIG, []),
        ({"TINGSHUO_CONFIG": "gone.yaml"}, CONFIG, ["gone.yaml"]),
        ({"TINGSHUO_CONFIG": "bad.yaml"}, CONFIG, ["bad.yaml"]),
        ({"TINGSHUO_CONFIG": "odd.yaml"}, CONFIG, ["colour"]),
        ({"TINGSHUO_DATA": "/proc/data"}, IO, ["/proc/data"]),
    ],
)
def test_settings(
    tingshuo: Tingshuo, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], code: int, words: list[str]
) -> None:
    Path("bad.yaml").write_text("chat: [unclosed\npersona: x")
    Path("odd.yaml").write_text("colour: blue\n")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    told(tingshuo("ask", "hello", "--no-speech"), code, *words)


def test_documents_that_cannot_be_read_do_not_keep_the_others_out(tingshuo: Tingshuo) -> None:
    folder = Path("documents")
    folder.mkdir()
    (folder / "good.md").write_text("# Good\n\nThe vault opens at nine.\n")
    (folder / "binary.md").write_bytes(np.random.default_rng(1).bytes(5000))
    (folder / "empty.txt").write_bytes(b"")
    with (folder / "huge.txt").open("wb") as file:
        file.truncate(200_000_000)
    began = time.monotonic()
    done = tingshuo("ingest", folder, "gone.md")
    assert time.monotonic() - began < 20
    assert done.code == DATA
    assert "default: 1 added, 4 failed" in done.out
    for name in ("binary.md", "empty.txt", "huge.txt", "gone.md"):
        assert name in done.err
    assert done.err.count("  try: ") == 4
    assert "nine" in tingshuo("ask", "When does the vault open?", "--no-speech").out
