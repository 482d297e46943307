"""Silero v6 on ONNX Runtime: speech or not, frame by frame; the weights are those in faster-whisper's wheel."""

from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import anyio.to_thread
import numpy as np

from configs.errors import EngineFailed, EngineNotInstalled, ModelNotFound
from models.audio import Floats

_CONTEXT = 64
"""Samples of the last frame that the network sees again."""

_STATE = (1, 1, 128)

_REMEDY = "pip install --force-reinstall 'faster-whisper>=1.2.1'"


class Silero:
    """A VoiceActivityDetector; streams share the network, each with its own memory of what came before."""

    name = "silero"
    frame_samples = 512

    def __init__(self, model: Path) -> None:
        """Loads the network; blocking. Raises EngineNotInstalled, EngineFailed."""
        try:
            import onnxruntime
            from onnxruntime.capi import onnxruntime_pybind11_state as failures
        except ImportError as error:
            raise EngineNotInstalled("ONNX Runtime is not installed", "pip install onnxruntime") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 4
        broken = (failures.Fail, failures.InvalidArgument, failures.InvalidGraph, failures.InvalidProtobuf)
        try:
            self._session = onnxruntime.InferenceSession(
                str(model), providers=["CPUExecutionProvider"], sess_options=options
            )
        except broken as error:
            raise EngineFailed(f"{str(model)!r} cannot be loaded: {error}", _REMEDY) from error

    @classmethod
    async def open(cls) -> "Silero":
        """The detector on the bundled weights. Raises EngineNotInstalled, ModelNotFound, EngineFailed."""
        return await anyio.to_thread.run_sync(cls, bundled_model())

    def open_stream(self) -> "SileroStream":
        """A fresh state."""
        return SileroStream(self._session)


@dataclass(slots=True)
class SileroStream:
    """One stream's state."""

    _session: Any
    _h: Floats = field(default_factory=lambda: np.zeros(_STATE, np.float32))
    _c: Floats = field(default_factory=lambda: np.zeros(_STATE, np.float32))
    _context: Floats = field(default_factory=lambda: np.zeros(_CONTEXT, np.float32))

    def probability(self, frame: Floats) -> float:
        """0 to 1 for the next frame, shape (512,), 16 kHz; about 0.2 ms."""
        return float(self.probabilities(frame[np.newaxis])[0])

    def probabilities(self, frames: Floats) -> Floats:
        """0 to 1 for each of the next frames, shape (frames, 512), 16 kHz; about 0.05 ms a frame."""
        if frames.shape[1:] != (Silero.frame_samples,):
            raise ValueError(f"a frame has the shape ({Silero.frame_samples},), not {frames.shape[1:]}")
        if not len(frames):
            return np.zeros(0, np.float32)
        before = np.concatenate([self._context[np.newaxis], frames[:-1, -_CONTEXT:]])
        heard = np.concatenate([before, frames], axis=1)
        found, self._h, self._c = self._session.run(None, {"input": heard, "h": self._h, "c": self._c})
        self._context = frames[-1, -_CONTEXT:].copy()
        return np.asarray(found, np.float32).ravel()

    def reset(self) -> None:
        """Forgets what came before."""
        self._h, self._c = np.zeros(_STATE, np.float32), np.zeros(_STATE, np.float32)
        self._context = np.zeros(_CONTEXT, np.float32)


def bundled_model() -> Path:
    """Where faster-whisper keeps the weights; found without importing it, which takes a second."""
    found = find_spec("faster_whisper")
    if found is None or not found.submodule_search_locations:
        raise EngineNotInstalled("faster-whisper, which carries Silero, is not installed", "pip install faster-whisper")
    model = Path(found.submodule_search_locations[0]) / "assets" / "silero_vad_v6.onnx"
    if not model.is_file():
        raise ModelNotFound(f"there is no {str(model)!r}", _REMEDY)
    return model
