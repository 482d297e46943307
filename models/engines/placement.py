"""Where CTranslate2 runs and in which numbers: the GPU where it can be used; policy apart from what the machine has."""

import ctypes
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from configs.errors import ConfigError, EngineUnavailable

LIBRARY = "cublas64_12.dll" if sys.platform == "win32" else "libcublas.so.12"
"""What CTranslate2 opens when it first computes on a GPU; PyTorch for CUDA 13 brings another version."""

REMEDY = "Run `pip install nvidia-cublas-cu12`, or set `speech_to_text.faster_whisper.device` to cpu."


@dataclass(frozen=True, slots=True)
class Machine:
    """What CTranslate2 finds."""

    gpus: int
    cublas: bool
    """cuBLAS for CUDA 12 can be loaded."""
    compute_types: Mapping[str, frozenset[str]]
    """What each device can compute with."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a model runs, and in which numbers."""

    device: str
    compute_type: str


def place(device: str, compute_type: str, machine: Machine) -> Placement:
    """Where to run. Raises EngineUnavailable for a CUDA that is asked for and cannot be used, ConfigError."""
    chosen = device
    if device == "auto":
        chosen = "cuda" if machine.gpus and machine.cublas else "cpu"
    if chosen == "cuda" and not machine.gpus:
        raise EngineUnavailable("no CUDA device can be used", "Check `nvidia-smi`, or set the device to cpu.")
    if chosen == "cuda" and not machine.cublas:
        raise EngineUnavailable(f"CUDA is asked for, but {LIBRARY} cannot be loaded", REMEDY)
    known = machine.compute_types[chosen]
    if compute_type == "auto":
        preferred = ("float16", "int8", "float32") if chosen == "cuda" else ("int8", "float32")
        return Placement(chosen, next(each for each in preferred if each in known))
    if compute_type not in known:
        raise ConfigError(
            f"`speech_to_text.faster_whisper.compute_type` is {compute_type!r}, which {chosen} cannot compute with",
            f"Set it to auto or one of: {', '.join(sorted(known))}.",
        )
    return Placement(chosen, compute_type)


def find_machine() -> Machine:
    """What this machine has; loads cuBLAS where there is a GPU."""
    import ctranslate2

    gpus = ctranslate2.get_cuda_device_count()
    devices = ("cpu", "cuda") if gpus else ("cpu",)
    known = {device: frozenset(ctranslate2.get_supported_compute_types(device)) for device in devices}
    return Machine(gpus, bool(gpus) and _load_cublas(), known)


def _load_cublas() -> bool:
    """Loads cuBLAS for the whole process, from the system or else from NVIDIA's wheel."""
    if _loads(LIBRARY):
        return True
    found = find_spec("nvidia.cublas") if find_spec("nvidia") else None
    folders = [
        Path(place) / name for place in (found and found.submodule_search_locations) or () for name in ("lib", "bin")
    ]
    # cuBLAS needs its light-weight part, which nothing else would find in there.
    light = LIBRARY.replace("cublas", "cublasLt", 1)
    return any(_loads(str(folder / light)) and _loads(str(folder / LIBRARY)) for folder in folders)


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library, mode=ctypes.RTLD_GLOBAL)
    except OSError:
        return False
    return True
