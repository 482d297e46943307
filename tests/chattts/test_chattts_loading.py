"""Loading: each bad file is named, no file changes, nothing is fetched, and the device is the one asked for."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from configs.errors import EngineFailed, EngineUnavailable, ModelNotFound
from configs.settings import load_settings
from models.engines import chattts_loading as loading
from models.readiness import text_to_speech_candidates
from models.selection import Candidate, choose
from models.weights import CHATTTS_FILES, chattts_folder
from tests.chattts.tiny import Tiny, hashes_of

pytestmark = pytest.mark.chattts

OFFLINE = """
import sys; from pathlib import Path
def guard(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        sys.stderr.write(f"went for the network: {event} {args}")
        raise RuntimeError(event)
sys.addaudithook(guard)
from models.engines.chattts_loading import load_chat
from tests.chattts.tiny import hashes_of, tiny_config
folder = Path(sys.argv[1])
chat = load_chat("cpu", folder, hashes_of(folder), tiny_config(int(sys.argv[2])))
import torchaudio
print(chat.has_loaded(use_decoder=True), torchaudio.transforms.MelSpectrogram.__name__)
"""


@pytest.fixture
def copy(tiny: Tiny, tmp_path: Path) -> Path:
    """A folder of the same files that a test may harm."""
    for name in CHATTTS_FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((tiny.folder / name).read_bytes())
    return tmp_path


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {str(file): (file.stat().st_mtime_ns, file.read_bytes()) for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("name", CHATTTS_FILES)
def test_a_missing_file_is_named(tiny: Tiny, copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(ModelNotFound) as refusal:
        loading.load_chat("cpu", copy, tiny.hashes, tiny.config)
    assert refusal.value.message == f"{copy} lacks {name}"
    assert "tingshuo pull" in refusal.value.hint


def flipped(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


@pytest.mark.parametrize("name", CHATTTS_FILES)
@pytest.mark.parametrize("harm", [flipped, lambda content: content[: len(content) // 2], lambda content: b""])
def test_a_corrupt_or_partial_file_is_named_and_left_as_it_is(tiny: Tiny, copy: Path, name: str, harm: Any) -> None:
    (copy / name).write_bytes(harm((copy / name).read_bytes()))
    before = state(copy)
    with pytest.raises(EngineFailed) as refusal:
        loading.load_chat("cpu", copy, tiny.hashes, tiny.config)
    assert refusal.value.message.startswith(f"{name} in {copy} differ")
    assert state(copy) == before


def test_all_bad_files_are_named_at_once(tiny: Tiny, copy: Path) -> None:
    for name in CHATTTS_FILES[:2]:
        (copy / name).write_bytes(b"")
    with pytest.raises(EngineFailed, match=f"{CHATTTS_FILES[0]}, {CHATTTS_FILES[1]} in"):
        loading.load_chat("cpu", copy, tiny.hashes, tiny.config)


def test_the_released_weights_are_checked_against_the_packages_table(copy: Path) -> None:
    """The table of the package's own check, and every one of our tiny files is another than the released one."""
    from ChatTTS import Chat

    assert loading.released_hashes() == Chat().sha256_map
    assert {loading.hash_key(name) for name in CHATTTS_FILES} == set(loading.released_hashes())
    with pytest.raises(EngineFailed) as refusal:
        loading.load_chat("cpu", copy, None, None)
    assert all(name in refusal.value.message for name in CHATTTS_FILES)


def test_a_file_that_breaks_after_the_check_is_refused_and_left_as_it_is(
    tiny: Tiny, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package's own check runs once more; as it is called by default, it would rename the file and download."""
    monkeypatch.setattr(loading, "check_files", lambda folder, hashes: None)
    (copy / CHATTTS_FILES[0]).write_bytes(b"broken")
    before = state(copy)
    with pytest.raises(EngineFailed, match="refused"):
        loading.load_chat("cpu", copy, tiny.hashes, tiny.config)
    assert state(copy) == before


def test_a_gpu_too_small_for_the_weights_is_said(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from ChatTTS import Chat

    def load(chat: Chat, **options: object) -> bool:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(Chat, "load", load)
    with pytest.raises(EngineFailed, match="no memory"):
        loading.load_chat("cpu", tiny.folder, tiny.hashes, tiny.config)


def test_loading_needs_no_network_and_changes_no_file(tiny: Tiny) -> None:
    """In a process of its own, where no variable keeps the libraries from the network."""
    before = state(tiny.folder)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "TRANSFORMERS_"))}
    command = [sys.executable, "-c", OFFLINE, str(tiny.folder), str(tiny.config.gpt.num_text_tokens)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, cwd=Path(__file__).parents[2]
    )
    assert (done.stdout, done.stderr) == ("True MelSpectrogram\n", "")
    assert state(tiny.folder) == before


def test_importing_the_engine_imports_nothing_of_the_extra() -> None:
    code = "import sys, models.engines.chattts, models.readiness; print({'torch', 'ChatTTS'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("wanted", "gpus", "torch_finds", "device"),
    [
        ("auto", 0, False, "cpu"),
        ("cpu", 1, False, "cpu"),
        ("auto", 1, True, "cuda"),
        ("cpu", 1, True, "cpu"),
        ("cuda", 1, True, "cuda"),
    ],
)
def test_the_device_is_the_one_asked_for(
    monkeypatch: pytest.MonkeyPatch, wanted: str, gpus: int, torch_finds: bool, device: str
) -> None:
    monkeypatch.setattr(loading, "count_gpus", lambda: gpus)
    assert loading._device(wanted, torch_finds) == device


@pytest.mark.parametrize(("wanted", "gpus"), [("cuda", 0), ("auto", 1), ("cuda", 1)])
def test_a_gpu_that_cannot_be_used_is_no_silent_cpu(monkeypatch: pytest.MonkeyPatch, wanted: str, gpus: int) -> None:
    monkeypatch.setattr(loading, "count_gpus", lambda: gpus)
    with pytest.raises(EngineUnavailable, match="GPU"):
        loading._device(wanted, False)


def test_gpus_are_counted_as_pytorch_counts_them() -> None:
    import torch

    assert loading.count_gpus() >= torch.cuda.device_count()
    assert (loading.count_gpus() > 0) == torch.cuda.is_available()


def candidate() -> Candidate:
    return next(each for each in text_to_speech_candidates(load_settings()) if each.engine == "chattts")


def test_readiness(tiny: Tiny, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = [1]
    monkeypatch.setattr(loading, "count_gpus", lambda: counted[0])
    lacking = candidate()
    assert (lacking.ready, lacking.failure, lacking.remedy) == (False, ModelNotFound, "tingshuo pull --only chattts")
    folder = chattts_folder(data_folder)
    folder.parent.mkdir(parents=True)
    folder.symlink_to(tiny.folder)
    assert (candidate().ready, candidate().automatic) == (True, True)
    assert choose("text_to_speech", "auto", text_to_speech_candidates(load_settings())).engine == "chattts"
    counted[0] = 0
    assert (candidate().ready, candidate().automatic) == (True, False)
    assert "CPU" in candidate().reason
    assert choose("text_to_speech", "auto", text_to_speech_candidates(load_settings())).engine == "espeak-ng"
    assert choose("text_to_speech", "chattts", text_to_speech_candidates(load_settings())).engine == "chattts"
    monkeypatch.setenv("TINGSHUO_TEXT_TO_SPEECH__CHATTTS__DEVICE", "cuda")
    assert (candidate().ready, candidate().reason) == (False, "there is no CUDA device")
    monkeypatch.setattr(loading, "PACKAGES", ("no_such_package",))
    counted[0] = 1
    assert (candidate().ready, candidate().remedy) == (False, "uv sync --extra chattts")


def test_hashes_are_those_of_the_files(tiny: Tiny) -> None:
    assert hashes_of(tiny.folder) == tiny.hashes
