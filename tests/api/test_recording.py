"""Where an answer's sound goes."""

import os
import stat
import wave
from pathlib import Path

import pytest

from api.terminal.recording import check_writable, write_recording
from configs.errors import StorageError
from models.audio import AudioChunk

SOUND = AudioChunk(b"\x01\x00" * 800, 8000)


def test_a_recording_takes_the_place_of_another_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "answer.wav"
    path.write_text("old")
    check_writable(path)
    assert path.read_text() == "old"
    write_recording(path, SOUND)
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnframes()) == (8000, 800)
    assert os.listdir(tmp_path) == ["answer.wav"]


def test_a_new_recording_is_as_readable_as_any_new_file(tmp_path: Path) -> None:
    write_recording(tmp_path / "answer.wav", SOUND)
    (tmp_path / "plain").touch()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1


def test_checking_leaves_nothing(tmp_path: Path) -> None:
    check_writable(tmp_path / "answer.wav")
    assert not os.listdir(tmp_path)


def test_a_device_stays_a_device() -> None:
    check_writable(Path(os.devnull))
    write_recording(Path(os.devnull), SOUND)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    link, real = tmp_path / "link.wav", tmp_path / "real.wav"
    real.touch()
    link.symlink_to(real)
    check_writable(link)
    write_recording(link, SOUND)
    assert link.is_symlink()
    assert real.stat().st_size > 1600


@pytest.mark.parametrize("name", [".", "missing/answer.wav", "file/answer.wav", "x" * 300 + ".wav"])
def test_what_cannot_be_written_is_told_beforehand(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be written") as told:
        check_writable(tmp_path / name)
    assert "--out" in told.value.hint
    assert os.listdir(tmp_path) == ["file"]
