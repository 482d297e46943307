"""A sentence encoder on ONNX Runtime as LangChain's Embeddings; never fetches weights."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from anyio.to_thread import run_sync
from langchain_core.embeddings import Embeddings

from configs.errors import ConfigError
from configs.sentence_encoder import OnnxEmbedding
from models.engines.onnx_encoder import Floats, OnnxEncoder, Window, unit
from models.sentence_encoders import POOLING, Recipe, encoder_folder, identity, recipe


class OnnxEmbeddings(Embeddings):
    """Unit vectors of texts, each encoded alone, one after the other on one thread.

    One of more tokens than the encoder sees is encoded in windows, whose vectors count by their tokens. In a batch, an
    encoder in 8-bit integers rounds each text by the others, and on a CPU it takes longer. The encoder is loaded when
    first needed. Raises ModelNotFound, EngineNotInstalled and EngineFailed.
    """

    def __init__(self, folder: Path, how: Recipe, model: str, *, threads: int) -> None:
        """`model` is what an index remembers the vectors by."""
        self.model = model
        self._how = how
        self._open = partial(OnnxEncoder, folder, how.pooling, threads)
        self._encoder: OnnxEncoder | None = None
        self._thread = ThreadPoolExecutor(1, "onnx-embeddings")

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector a text; blocking. A question that comes meanwhile waits for one window, not for all texts."""
        return [self._embedded(self._how.passage_prefix + text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question; blocking."""
        return self._embedded(self._how.query_prefix + text)

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """As `embed_documents`; a cancelled call ends at once."""
        return await run_sync(self.embed_documents, texts, abandon_on_cancel=True)

    async def aembed_query(self, text: str) -> list[float]:
        """As `embed_query`; a cancelled call ends at once."""
        return await run_sync(self.embed_query, text, abandon_on_cancel=True)

    async def aclose(self) -> None:
        """Ends the thread once it has done what it was given; no call may follow."""
        await run_sync(self._thread.shutdown)

    def _embedded(self, text: str) -> list[float]:
        windows = self._thread.submit(self._windows, text).result()
        vectors = [self._thread.submit(self._encoded, window).result() for window in windows]
        vector: list[float] = unit(np.average(vectors, axis=0, weights=[len(one.ids) for one in windows])).tolist()
        return vector

    def _windows(self, text: str) -> list[Window]:
        return self._loaded().windows(text)

    def _encoded(self, window: Window) -> Floats:
        return self._loaded().encode(window)

    def _loaded(self) -> OnnxEncoder:
        if self._encoder is None:
            self._encoder = self._open()
        return self._encoder


def open_embeddings(settings: OnnxEmbedding, data: Path) -> OnnxEmbeddings:
    """The embeddings that these settings describe. Raises ConfigError where nobody says how an encoder pools."""
    how = recipe(settings)
    if how is None:
        raise ConfigError(f"nobody says how {settings.model!r} pools", POOLING)
    return OnnxEmbeddings(encoder_folder(settings.model, data), how, identity(settings), threads=settings.threads)
