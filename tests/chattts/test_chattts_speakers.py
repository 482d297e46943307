"""Speakers: the same voice today, tomorrow and in another process; nothing but a vector is read from a file."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from configs.errors import DataFolderUnwritable, EngineFailed, RequestError
from models.engines.chattts_speakers import NAMED, Speakers

pytestmark = pytest.mark.chattts

OPENAI = {
    *("alloy", "ash", "ballad", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer", "verse", "marin", "cedar")
}
MEAN, DEVIATION = np.full(8, 2, np.float32), np.full(8, 0.5, np.float32)
SPEAK = """
import sys; from pathlib import Path; import numpy as np
from models.engines.chattts_speakers import Speakers
vector = Speakers(Path(sys.argv[1]), np.full(8, 2, np.float32), np.full(8, 0.5, np.float32)).vector("alloy")
sys.stdout.write(vector.tobytes().hex())
"""


def speakers(folder: Path) -> Speakers:
    return Speakers(folder, MEAN, DEVIATION)


def test_a_speaker_is_the_same_in_another_process_and_on_another_machine(tmp_path: Path) -> None:
    first = speakers(tmp_path / "here").vector("alloy")
    for folder in ("here", "elsewhere"):
        command = [sys.executable, "-c", SPEAK, str(tmp_path / folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout == first.tobytes().hex()


def test_the_file_decides_once_it_is_there(tmp_path: Path) -> None:
    first = speakers(tmp_path).vector("nova")
    other = Speakers(tmp_path, MEAN + 9, DEVIATION)
    assert np.array_equal(other.vector("nova"), first)
    assert not np.array_equal(other.vector("sage"), speakers(tmp_path / "x").vector("sage"))


def test_openais_names_and_the_default_are_different_speakers(tmp_path: Path) -> None:
    known = speakers(tmp_path)
    assert OPENAI | {"default"} <= set(known.names())
    assert len({known.vector(name).tobytes() for name in NAMED}) == 14


def test_the_seeds_of_the_names_never_change(tmp_path: Path) -> None:
    # The first normal numbers of NumPy's frozen generator at the seeds 0 and 1, as its documentation and books print.
    unit = Speakers(tmp_path, np.zeros(2, np.float32), np.ones(2, np.float32))
    assert unit.vector("default") == pytest.approx([1.76405235, 0.40015721])
    assert unit.vector("alloy") == pytest.approx([1.62434536, -0.61175641])


def test_a_file_put_there_is_a_voice(tmp_path: Path) -> None:
    known = speakers(tmp_path)
    known.vector("alloy")
    (tmp_path / "alloy.safetensors").rename(tmp_path / "granny.safetensors")
    assert known.vector("granny").shape == (8,)
    assert "granny" in known.names()


@pytest.mark.parametrize("name", ["nobody", "", "../alloy", "/etc/passwd", "alloy.safetensors", "蘁淰敥欀"])
def test_an_unknown_name_is_refused_with_the_known_ones(tmp_path: Path, name: str) -> None:
    with pytest.raises(RequestError) as refusal:
        speakers(tmp_path).vector(name)
    assert repr(name) in refusal.value.message
    assert "alloy, ash, ballad, cedar, coral" in refusal.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_holds_no_speaker_is_named(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    file = tmp_path / "alloy.safetensors"
    for content in (b"", b"\x80\x04K\x01.", b"speaker"):
        file.write_bytes(content)
        with pytest.raises(EngineFailed, match="alloy"):
            speakers(tmp_path).vector("alloy")
    for tensors in ({"else": MEAN}, {"speaker": MEAN[:3]}, {"speaker": MEAN * np.float32("nan")}):
        save_file(tensors, file)
        with pytest.raises(EngineFailed, match="alloy"):
            speakers(tmp_path).vector("alloy")


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataFolderUnwritable, match="alloy"):
        speakers(tmp_path / "file" / "speakers").vector("alloy")
