"""Settings of a sentence encoder that runs in this process; knows no encoder by its name."""

from typing import Literal

from pydantic import Field

from configs.section import Section, Share

Pooling = Literal["cls", "mean"]
"""Which states of the last layer make the vector: that of the first token, or the mean of all."""


class OnnxEmbedding(Section):
    """Embeddings from a sentence encoder on ONNX Runtime: no server, no GPU."""

    model: str = "multilingual-e5-small"
    """multilingual-e5-small, bge-small-zh-v1.5 or bge-small-en-v1.5, which `tingshuo pull` fetches; or a folder."""
    pooling: Pooling | None = None
    """None takes what the model was trained with; a folder of your own must say it."""
    query_prefix: str | None = None
    """Put before a question; None takes what the model was trained with."""
    passage_prefix: str | None = None
    """Put before a document or a memory; likewise."""
    similarity: Share = 1.0
    """Cosine from which a passage counts as answering; at 1 words alone decide, and similarity only ranks."""
    memory_similarity: Share = 1.0
    """The same for a memory."""
    threads: int = Field(default=2, ge=1, le=64)
    """Cores that one text is encoded on."""
