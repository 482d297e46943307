"""From a folder to a sentence encoder that is loaded, and from a text to vectors; knows no prefix and no queue."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from configs.errors import EngineFailed, EngineNotInstalled, ModelNotFound
from configs.sentence_encoder import Pooling
from models.sentence_encoders import FETCH, TOKENIZER, graph_of

Floats = npt.NDArray[np.float32]

WINDOW: Final = 512
"""Tokens that an encoder sees at once, where its tokenizer does not say less."""
OVERLAP: Final = 32
"""Tokens that two windows of a longer text share, at most."""


@dataclass(frozen=True, slots=True)
class Window:
    """Tokens that are encoded at once, each sequence as long as the others."""

    ids: Sequence[int]
    mask: Sequence[int]
    types: Sequence[int]


class OnnxEncoder:
    """An encoder and its tokenizer; blocking."""

    def __init__(self, folder: Path, pooling: Pooling, threads: int) -> None:
        """Loads both. Raises ModelNotFound, EngineNotInstalled and EngineFailed."""
        graph = graph_of(folder)
        if graph is None or not (folder / TOKENIZER).is_file():
            raise ModelNotFound(f"there is no encoder with a {TOKENIZER} in {str(folder)!r}", FETCH)
        self._pooling = pooling
        self._graph = graph
        self._tokenizer = _tokenizer(folder / TOKENIZER)
        self._session = _session(graph, threads)
        self._inputs = frozenset(one.name for one in self._session.get_inputs())
        if "input_ids" not in self._inputs or not self._inputs <= _INPUTS:
            raise EngineFailed(f"{str(graph)!r} is no encoder: it takes {', '.join(sorted(self._inputs))}", _OTHER)

    def windows(self, text: str) -> list[Window]:
        """The whole text: one window, or where it has more tokens than the encoder sees, several that overlap."""
        # What is no character, as half of a pair of surrogates, has no token either.
        whole = self._tokenizer.encode(text.encode("utf-8", "replace").decode("utf-8"))
        return [Window(one.ids, one.attention_mask, one.type_ids) for one in (whole, *whole.overflowing)]

    def encode(self, window: Window) -> Floats:
        """The window's unit vector, shape (dimensions,). Raises EngineFailed."""
        given = {"input_ids": window.ids, "attention_mask": window.mask, "token_type_ids": window.types}
        fed = {name: np.array([given[name]], np.int64) for name in self._inputs}
        with _translated(self._graph):
            states = self._session.run(None, fed)[0]
        if states.ndim != 3:
            raise EngineFailed(f"{str(self._graph)!r} gives no states of tokens, but {states.shape}", _OTHER)
        return unit(states[0, 0] if self._pooling == "cls" else states[0].mean(axis=0))


def unit(vector: Floats) -> Floats:
    """The vector at the length 1."""
    return vector / max(float(np.linalg.norm(vector)), 1e-12)


_INPUTS: Final = frozenset({"input_ids", "attention_mask", "token_type_ids"})
_OTHER: Final = "Take the export of an encoder whose first output is `last_hidden_state`."


def _tokenizer(path: Path) -> Any:  # noqa: ANN401
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise EngineNotInstalled("tokenizers is not installed", "pip install tokenizers") from error
    try:
        found = Tokenizer.from_buffer(path.read_bytes())
    except ValueError as error:
        raise EngineFailed(f"{str(path)!r} is damaged: {error}", FETCH) from error
    window = min(WINDOW, (found.truncation or {}).get("max_length", WINDOW))
    found.no_padding()
    found.enable_truncation(window, stride=min(OVERLAP, window // 4))
    return found


def _session(graph: Path, threads: int) -> Any:  # noqa: ANN401
    try:
        import onnxruntime
    except ImportError as error:
        raise EngineNotInstalled("ONNX Runtime is not installed", "pip install onnxruntime") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    # Threads that wait for work must not take the time of who hears and speaks.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    with _translated(graph):
        return onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"], sess_options=options)


@contextmanager
def _translated(graph: Path) -> Generator[None, None, None]:
    from onnxruntime.capi import onnxruntime_pybind11_state as failures

    broken = (failures.Fail, failures.InvalidArgument, failures.InvalidGraph, failures.InvalidProtobuf)
    try:
        yield
    except (*broken, failures.RuntimeException, failures.NotImplemented) as error:
        raise EngineFailed(f"{str(graph)!r} cannot be used: {error}", FETCH) from error
