"""Where Whisper runs: every machine and every wish in one table, and where cuBLAS is looked for."""

import ctypes
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from configs.errors import AssistantError, ConfigError, EngineUnavailable
from models.engines import placement
from models.engines.placement import LIBRARY, Machine, Placement, find_machine, place

CPU = frozenset({"float32", "int8", "int8_float32"})
MODERN = frozenset({"float32", "float16", "bfloat16", "int8", "int8_float16", "int8_float32"})
PASCAL = frozenset({"float32", "int8", "int8_float32"})
NO_INT8 = frozenset({"float32"})

BARE = Machine(0, False, {"cpu": CPU})
GPU = Machine(1, True, {"cpu": CPU, "cuda": MODERN})
OLD_GPU = Machine(2, True, {"cpu": CPU, "cuda": PASCAL})
NO_CUBLAS = Machine(1, False, {"cpu": CPU, "cuda": MODERN})


@pytest.mark.parametrize(
    ("device", "compute_type", "machine", "expected"),
    [
        ("auto", "auto", BARE, Placement("cpu", "int8")),
        ("auto", "auto", GPU, Placement("cuda", "float16")),
        ("auto", "auto", OLD_GPU, Placement("cuda", "int8")),
        ("auto", "auto", NO_CUBLAS, Placement("cpu", "int8")),
        ("auto", "auto", Machine(0, False, {"cpu": NO_INT8}), Placement("cpu", "float32")),
        ("auto", "int8_float16", GPU, Placement("cuda", "int8_float16")),
        ("cpu", "auto", GPU, Placement("cpu", "int8")),
        ("cpu", "float32", GPU, Placement("cpu", "float32")),
        ("cuda", "auto", GPU, Placement("cuda", "float16")),
        ("cuda", "float32", OLD_GPU, Placement("cuda", "float32")),
    ],
)
def test_where_it_runs(device: str, compute_type: str, machine: Machine, expected: Placement) -> None:
    assert place(device, compute_type, machine) == expected


@pytest.mark.parametrize(
    ("device", "compute_type", "machine", "error", "message", "remedy"),
    [
        ("cuda", "auto", BARE, EngineUnavailable, "no CUDA device", "nvidia-smi"),
        ("cuda", "auto", NO_CUBLAS, EngineUnavailable, LIBRARY, "pip install nvidia-cublas-cu12"),
        ("cpu", "float16", GPU, ConfigError, "'float16', which cpu cannot", "float32, int8, int8_float32"),
        ("cuda", "float16", OLD_GPU, ConfigError, "'float16', which cuda cannot", "auto or one of"),
        ("auto", "int4", BARE, ConfigError, "'int4'", "auto or one of"),
    ],
)
def test_what_cannot_be_is_said_with_its_remedy(
    device: str, compute_type: str, machine: Machine, error: type[AssistantError], message: str, remedy: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        place(device, compute_type, machine)
    assert remedy in caught.value.hint


def test_this_machine_can_at_least_use_its_processor() -> None:
    machine = find_machine()
    assert "float32" in machine.compute_types["cpu"]
    assert place("cpu", "auto", machine).device == "cpu"


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The libraries that were loaded; those in a folder can be, those of the system cannot."""
    libraries: list[str] = []

    def load(name: str, mode: int) -> None:
        if not Path(name).is_file():
            raise OSError(name)
        assert mode == ctypes.RTLD_GLOBAL
        libraries.append(name)

    monkeypatch.setattr(ctypes, "CDLL", load)
    monkeypatch.setattr("ctranslate2.get_cuda_device_count", lambda: 1)
    monkeypatch.setattr("ctranslate2.get_supported_compute_types", lambda device: {"float32"})
    return libraries


def nvidia(folder: Path | None) -> object:
    """What `find_spec` finds where NVIDIA's wheel is in that folder, or is not installed."""
    spec = ModuleSpec("nvidia.cublas", None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    return lambda name: spec if folder else None


def test_cublas_is_found_in_nvidias_wheel(loaded: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    light = tmp_path / "lib" / LIBRARY.replace("cublas", "cublasLt", 1)
    for library in (light, tmp_path / "lib" / LIBRARY):
        library.touch()
    monkeypatch.setattr(placement, "find_spec", nvidia(tmp_path))
    assert find_machine().cublas
    assert loaded == [str(light), str(tmp_path / "lib" / LIBRARY)]


@pytest.mark.parametrize("installed", [True, False])
def test_without_the_libraries_there_is_no_cublas(
    installed: bool, loaded: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(placement, "find_spec", nvidia(tmp_path if installed else None))
    assert not find_machine().cublas
    assert loaded == []
