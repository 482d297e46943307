"""Reranking: a second look at what search has found; a Protocol, behind which an engine may stand."""

from collections.abc import Sequence
from typing import Protocol


class Reranker(Protocol):
    """Judges how well texts answer a question."""

    async def rank(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        """A score for each text, in their order; the larger, the better. Raises EngineError."""
        ...
