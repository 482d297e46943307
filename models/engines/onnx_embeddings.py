"""A sentence encoder on ONNX Runtime as LangChain's Embeddings; never fetches weights."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from anyio.to_thread import run_sync
from langchain_core.embeddings import Embeddings

from configs.errors import ConfigError
from configs.sentence_encoder import OnnxEmbedding
from models.engines.onnx_encoder import OnnxEncoder
from models.sentence_encoders import POOLING, Recipe, encoder_folder, identity, recipe


class OnnxEmbeddings(Embeddings):
    """Unit vectors of texts, each encoded alone, one after the other on one thread.

    In a batch, an encoder in 8-bit integers rounds each text by the others, and on a CPU it takes longer. The encoder
    is loaded when first needed. Raises ModelNotFound, EngineNotInstalled and EngineFailed.
    """

    def __init__(self, folder: Path, how: Recipe, model: str, *, threads: int) -> None:
        """`model` is what an index remembers the vectors by."""
        self.model = model
        self._how = how
        self._open = partial(OnnxEncoder, folder, how.pooling, threads)
        self._encoder: OnnxEncoder | None = None
        self._thread = ThreadPoolExecutor(1, "onnx-embeddings")

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector a text; blocking. A question that comes meanwhile waits for one of them, not for all."""
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
        return self._thread.submit(self._encoded, text).result()

    def _encoded(self, text: str) -> list[float]:
        if self._encoder is None:
            self._encoder = self._open()
        vector: list[float] = self._encoder.encode(text).tolist()
        return vector


def open_embeddings(settings: OnnxEmbedding, data: Path) -> OnnxEmbeddings:
    """The embeddings that these settings describe. Raises ConfigError where nobody says how an encoder pools."""
    how = recipe(settings)
    if how is None:
        raise ConfigError(f"nobody says how {settings.model!r} pools", POOLING)
    return OnnxEmbeddings(encoder_folder(settings.model, data), how, identity(settings), threads=settings.threads)
