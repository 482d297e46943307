"""Embeddings as OpenAI's clients ask for them, by the engine in force; what they are for, it does not know."""

import base64
from typing import Annotated, Any, Final, Literal

import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from agent.assistant import Assistant
from api.openai.answers import EmbeddingList
from api.openapi import JSON, answers, example, refusals
from configs.errors import ModelNotServed, RequestError

MOST: Final = 2_048
"""Texts of one request."""
OPENAI: Final = frozenset({"text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002"})
"""Names that clients send unless they are told another; whichever engine is in force answers to them."""

Text = Annotated[str, Field(min_length=1)]


class EmbeddingRequest(BaseModel):
    """Texts to be embedded."""

    model_config = ConfigDict(extra="ignore", **example(model="text-embedding-3-small", input=["paid leave", "年假"]))

    model: Annotated[str, Field(min_length=1, max_length=200)]
    input: Text | Annotated[list[Text], Field(min_length=1, max_length=MOST)] | list[int] | list[list[int]]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Annotated[int, Field(ge=1)] | None = None


class EmbeddingRoutes:
    """The route of embeddings, over one assistant."""

    def __init__(self, assistant: Assistant) -> None:
        self._vectors = assistant.store.vectors
        self._name = assistant.store.embeddings.model or assistant.store.embeddings.engine
        self.router = APIRouter(prefix="/v1/embeddings", tags=["embeddings"])
        self.router.post("", responses=answers("The vectors.", {JSON: EmbeddingList}) | refusals(404))(self.embedded)

    async def embedded(self, asked: EmbeddingRequest) -> dict[str, Any]:
        """One vector a text."""
        if asked.model not in {self._name, *OPENAI}:
            raise ModelNotServed(f"the model {asked.model!r} does not exist", f"Take {self._name}.", "model")
        given = [asked.input] if isinstance(asked.input, str) else asked.input
        texts = [text for text in given if isinstance(text, str)]
        if len(texts) != len(given) or not texts:
            hint = "Send text (with langchain: check_embedding_ctx_length=False)."
            raise RequestError("numbers of tokens cannot be embedded: each model has its own", hint, "input")
        vectors = await self._vectors.aembed_documents(texts)
        data = [
            {"object": "embedding", "index": at, "embedding": _encoded(vector, asked)}
            for at, vector in enumerate(vectors)
        ]
        # Nobody counts the tokens.
        usage = {"prompt_tokens": 0, "total_tokens": 0}
        return {"object": "list", "data": data, "model": self._name, "usage": usage}


def _encoded(vector: list[float], asked: EmbeddingRequest) -> list[float] | str:
    if asked.dimensions not in (None, len(vector)):
        raise RequestError(
            f"the vectors have {len(vector)} dimensions, not {asked.dimensions}", "Leave it out.", "dimensions"
        )
    if asked.encoding_format == "float":
        return vector
    return base64.b64encode(np.asarray(vector, "<f4").tobytes()).decode("ascii")
