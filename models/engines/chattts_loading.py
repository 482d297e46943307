"""From a folder of weights to a ChatTTS in memory: checked file by file, nothing renamed, nothing downloaded."""

import ctypes
import hashlib
import json
import logging
import sys
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from configs.errors import EngineFailed, EngineNotInstalled, EngineUnavailable, ModelNotFound
from models.weights import CHATTTS_FILES, missing

PACKAGES = ("ChatTTS", "torch", "requests")
INSTALL = "uv sync --extra chattts"
FETCH = "tingshuo pull --only chattts"


def is_installed() -> bool:
    """Whether the packages are there; imports none of them."""
    return all(find_spec(package) for package in PACKAGES)


@cache
def count_gpus() -> int:
    """How many GPUs NVIDIA's driver shows this process; imports nothing heavy."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int()
    return count.value if driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 else 0


def will_use_gpu(device: str, gpus: int) -> bool:
    """Whether the setting puts ChatTTS on a GPU; on a CPU a second of speech takes about ten."""
    return device != "cpu" and gpus > 0


def check_files(folder: Path, hashes: Mapping[str, str]) -> None:
    """Compares the SHA-256 of each file. Raises ModelNotFound or EngineFailed, which name the files."""
    if lacking := missing(folder, CHATTTS_FILES):
        raise ModelNotFound(f"{folder} lacks {', '.join(lacking)}", FETCH)
    wrong = [name for name in CHATTTS_FILES if _sha256(folder / name) != hashes[hash_key(name)]]
    if wrong:
        raise EngineFailed(
            f"{', '.join(wrong)} in {folder} differ from the release: damaged or cut short",
            f"Delete them, then: {FETCH}",
        )


def released_hashes() -> dict[str, str]:
    """The SHA-256 of each released file, from the package; imports nothing of it."""
    spec = find_spec("ChatTTS")
    if spec is None or spec.origin is None:
        raise EngineNotInstalled("ChatTTS is not installed", INSTALL)
    hashes: dict[str, str] = json.loads(Path(spec.origin).with_name("res").joinpath("sha256_map.json").read_bytes())
    return hashes


def load_chat(device: str, folder: Path, hashes: Mapping[str, str] | None, config: object | None) -> Any:  # noqa: ANN401
    """A loaded ChatTTS.Chat; `hashes` and `config` are for other weights than the released ones. Blocking, seconds.

    Raises EngineNotInstalled, ModelNotFound, EngineUnavailable or EngineFailed.
    """
    if not is_installed():
        raise EngineNotInstalled("ChatTTS is not installed", INSTALL)
    wanted = dict(hashes or released_hashes())
    check_files(folder, wanted)
    import torch

    bypass_torchaudio_extension()
    from ChatTTS import Chat
    from transformers.utils import logging as transformers_logging

    from models.engines.chattts_model import failures

    transformers_logging.disable_progress_bar()
    # Its warnings tell of what is dealt with here: an interruption, a cut, an early end.
    quiet = logging.getLogger("ChatTTS")
    quiet.setLevel(logging.ERROR)
    chat = Chat(quiet)
    chat.sha256_map = wanted
    chat.config = config or chat.config
    where = torch.device(_device(device, torch.cuda.is_available()))
    # Any source but "custom" renames files or downloads; "local", the default, even runs what it downloads.
    with failures():
        loaded = chat.load(source="custom", custom_path=str(folder), device=where, compile=False)
    if not loaded:
        raise EngineFailed(f"ChatTTS refused the weights in {folder}", f"Delete them, then: {FETCH}")
    return chat


def _device(device: str, torch_finds_gpu: bool) -> str:
    if device == "cuda" or will_use_gpu(device, count_gpus()):
        if not torch_finds_gpu:
            raise EngineUnavailable(
                "PyTorch cannot use a GPU here",
                "Update NVIDIA's driver, or set `text_to_speech.chattts.device` to cpu, which is far too slow to talk.",
            )
        return "cuda"
    return "cpu"


def bypass_torchaudio_extension() -> None:
    """Has torchaudio do without its compiled part, which refuses every PyTorch but the one it was built with.

    ChatTTS and vocos use its MelSpectrogram alone, which is Python.
    """
    if "torchaudio" in sys.modules:
        return
    extension = ModuleType("torchaudio._extension")
    vars(extension).update(
        _IS_TORCHAUDIO_EXT_AVAILABLE=False, _IS_ALIGN_AVAILABLE=False, fail_if_no_align=lambda function: function
    )
    sys.modules["torchaudio._extension"] = extension


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def hash_key(name: str) -> str:
    """A file's name in ChatTTS's own table: asset/gpt/config.json is sha256_asset_gpt_config_json."""
    return "sha256_" + name.replace("/", "_").replace(".", "_")
