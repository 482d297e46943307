"""Search: the passages that answer a question, or none; dense and lexical ranks fused, support judged in code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from sqlite3 import Connection
from typing import Final

from anyio.to_thread import run_sync
from langchain_core.embeddings import Embeddings

from configs.settings import Grounding
from memory import catalogue, vector_collections
from memory.coverage import Coverage
from memory.index import VectorIndex
from memory.ingestion import model_of
from memory.ledger import Ledger
from memory.lexical import Question, parse_question
from memory.passages import Passage
from memory.script import language_of

CANDIDATES: Final = 20
"""Passages that each of the two searches brings."""
FUSION: Final = 60
"""The constant of reciprocal rank fusion: the larger, the less the first ranks stand out."""


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What the documents hold on a question."""

    passages: tuple[Passage, ...]
    """Those that answer, the best first; none if the question is not answerable."""
    answerable: bool
    coverage: float
    """The largest share of the question that one passage holds, 0 to 1."""
    similarity: float | None
    """The largest cosine similarity of a passage; None where nothing was compared."""


NOTHING: Final = Retrieval((), False, 0.0, None)


@dataclass(frozen=True, slots=True)
class _Candidate:
    passage: Passage
    rank: float
    """By both searches; the larger, the better."""
    coverage: float
    similarity: float | None


class Searcher:
    """Searches knowledge bases."""

    def __init__(
        self,
        ledger: Ledger,
        index: VectorIndex,
        embeddings: Embeddings,
        grounding: Grounding,
        similarity: float | None,
    ) -> None:
        self._ledger = ledger
        self._index = index
        self._embeddings = embeddings
        self._grounding = grounding
        self._similarity = similarity

    async def search(self, question: str, bases: Sequence[int], limit: int | None) -> Retrieval:
        """See Knowledge.search."""
        parsed = parse_question(question)
        if not bases or not parsed.has_content:
            return NOTHING
        near = await self._nearest(question, bases)
        found = await self._ledger.read(partial(_candidates, question=parsed, bases=bases, near=near))
        language = language_of(question)
        supporting = sorted(
            (candidate for candidate in found if self._supports(candidate)),
            key=lambda candidate: (language_of(candidate.passage.text) != language, -candidate.rank),
        )
        passages = tuple(replace(candidate.passage, score=self._score(candidate)) for candidate in supporting)
        return Retrieval(
            passages[: self._grounding.passages if limit is None else limit],
            answerable=bool(passages),
            coverage=max((candidate.coverage for candidate in found), default=0.0),
            similarity=max(near.values(), default=None),
        )

    async def _nearest(self, question: str, bases: Sequence[int]) -> dict[int, float]:
        """The similarities of the nearest passages, the nearest first."""
        # Embedding changes nothing, so a cancelled turn need not wait for it.
        vector = await run_sync(self._embeddings.embed_query, question, abandon_on_cancel=True)
        model = model_of(self._embeddings)
        collections = await self._ledger.read(partial(vector_collections.ready, owners=bases))
        found = [pair for one in collections for pair in await self._index.nearest(one, model, vector, CANDIDATES)]
        return dict(sorted(found, key=lambda pair: -pair[1])[:CANDIDATES])

    def _supports(self, candidate: _Candidate) -> bool:
        near = self._similarity is not None and (candidate.similarity or 0.0) >= self._similarity
        return near or candidate.coverage >= self._grounding.coverage

    def _score(self, candidate: _Candidate) -> float:
        similarity = candidate.similarity or 0.0 if self._similarity is not None else 0.0
        return min(1.0, max(candidate.coverage, similarity))


def fuse(rankings: Sequence[Sequence[int]]) -> dict[int, float]:
    """Reciprocal rank fusion: for each id the sum of 1 / (60 + its rank), ranks from 1."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, number in enumerate(ranking, 1):
            scores[number] = scores.get(number, 0.0) + 1 / (FUSION + rank)
    return scores


def _candidates(
    connection: Connection, question: Question, bases: Sequence[int], near: Mapping[int, float]
) -> list[_Candidate]:
    """What either search brings, as one state of the ledger has it."""
    terms = question.terms
    ranks = fuse([tuple(near), catalogue.best_matches(connection, bases, terms, CANDIDATES)])
    held = catalogue.terms_of(connection, ranks)
    coverage = Coverage(
        question,
        catalogue.frequencies(connection, bases, terms),
        catalogue.count_passages(connection, bases),
    )
    return [
        _Candidate(passage, ranks[number], coverage.of(held[number]), near.get(number))
        for number, passage in catalogue.passages(connection, ranks).items()
    ]
