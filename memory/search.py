"""Search: the passages that answer a question, or none; dense and lexical ranks fused, support judged in code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from sqlite3 import Connection
from typing import Final, Literal, TypeGuard

from anyio.to_thread import run_sync
from langchain_core.embeddings import Embeddings

from configs.settings import Grounding
from memory import catalogue, vector_collections
from memory.demands import Inquiry, lookup, pieces_of, take_apart
from memory.evidence import Evidence
from memory.index import VectorIndex
from memory.ingestion import model_of
from memory.ledger import Ledger
from memory.lexical import parse_question
from memory.neighbours import widened
from memory.passages import Passage
from memory.reranking import Reranker
from memory.script import language_of

CANDIDATES: Final = 20
"""Passages that each of the two searches brings."""
JUDGED: Final = 16
"""Of those that both bring, so many are read sentence by sentence: the ones that hold most of the question's words."""
FOREIGN: Final = 0.85
"""What a passage in another language than the question's counts when they are put in order."""
FUSION: Final = 60
"""The constant of reciprocal rank fusion: the larger, the less the first ranks stand out."""
NEVER: Final = 1.0
"""The cut at which similarity only ranks, and words alone decide."""
DENSE_ALONE: Final = 0.24
"""Cosine from which a passage counts as answering where dense search stands alone and has no cut of its own."""

Rankers = Literal["both", "lexical", "dense"]
"""Which searches bring passages and judge them; "both" is the product, the others are there to compare."""


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What the documents hold on a question."""

    passages: tuple[Passage, ...]
    """Those that answer, the best first; none if the question is not answerable."""
    answerable: bool
    coverage: float
    """How far one passage at most says what is asked, 0 to 1."""
    similarity: float | None
    """The largest cosine similarity of a passage; None where nothing was compared."""
    nearest: tuple[Passage, ...] = ()
    """What search ranks first, whether or not it answers; no wider than it was found."""


NOTHING: Final = Retrieval((), False, 0.0, None)


@dataclass(frozen=True, slots=True)
class _Candidate:
    passage: Passage
    coverage: float
    """How far it says what is asked, 0 to 1."""
    similarity: float | None
    """The cosine; None where dense search did not bring it."""
    place: int
    """Among those that lexical search brings; one past the last where it did not."""


class Searcher:
    """Searches knowledge bases."""

    def __init__(
        self,
        ledger: Ledger,
        index: VectorIndex,
        embeddings: Embeddings,
        grounding: Grounding,
        similarity: float | None,
        reranker: Reranker | None = None,
    ) -> None:
        self._ledger = ledger
        self._index = index
        self._embeddings = embeddings
        self._grounding = grounding
        self._similarity = similarity
        self._reranker = reranker

    async def search(
        self, question: str, bases: Sequence[int], limit: int | None, rankers: Rankers = "both"
    ) -> Retrieval:
        """See Knowledge.search. Raises EngineError where a reranker fails."""
        if not bases or not parse_question(question).has_content:
            return NOTHING
        near = {} if rankers == "lexical" else await self._nearest(question, bases)
        inquiry = take_apart(question)
        found = await self._ledger.read(
            partial(_candidates, inquiry=inquiry, bases=bases, near=near, lexical=rankers != "dense")
        )
        most = self._grounding.passages if limit is None else limit
        ranked = _by_rank(question, found, dense=rankers == "dense", similar=self._similarity is not None)
        supporting = await self._ordered(question, [one for one in ranked if self._supports(one, rankers)])
        best = supporting[:most]
        return Retrieval(
            await self._read([replace(one.passage, score=self._score(one)) for one in best]),
            answerable=bool(supporting),
            coverage=max((candidate.coverage for candidate in found), default=0.0),
            similarity=max(near.values(), default=None),
            nearest=tuple(replace(one.passage, score=self._score(one)) for one in ranked[:most]),
        )

    async def _ordered(self, question: str, supporting: list[_Candidate]) -> list[_Candidate]:
        """As they are ranked, or as the reranker has it."""
        if not self._reranker or not supporting:
            return supporting
        scores = await self._reranker.rank(question, [one.passage.text for one in supporting])
        return [one for _, one in sorted(zip(scores, supporting, strict=True), key=lambda pair: -pair[0])]

    async def _read(self, passages: Sequence[Passage]) -> tuple[Passage, ...]:
        """The passages with their neighbours, as far as `grounding.neighbours` goes."""
        reach, ids = self._grounding.neighbours, [passage.id for passage in passages]
        if not reach or not ids:
            return tuple(passages)
        around = await self._ledger.read(partial(catalogue.sections, ids=ids, reach=reach))
        return tuple(widened(passage, around[passage.id], reach, apart=ids) for passage in passages)

    async def _nearest(self, question: str, bases: Sequence[int]) -> dict[int, float]:
        """The similarities of the nearest passages, the nearest first."""
        # Embedding changes nothing, so a cancelled turn need not wait for it.
        vector = await run_sync(self._embeddings.embed_query, question, abandon_on_cancel=True)
        model = model_of(self._embeddings)
        collections = await self._ledger.read(partial(vector_collections.ready, owners=bases))
        found = [pair for one in collections for pair in await self._index.nearest(one, model, vector, CANDIDATES)]
        return dict(sorted(found, key=lambda pair: -pair[1])[:CANDIDATES])

    def _supports(self, candidate: _Candidate, rankers: Rankers) -> bool:
        cut = self._similarity
        if rankers == "dense":
            return (candidate.similarity or 0.0) >= (DENSE_ALONE if cut is None else cut)
        near = judges(cut) and (candidate.similarity or 0.0) >= cut
        return near or candidate.coverage >= self._grounding.coverage

    def _score(self, candidate: _Candidate) -> float:
        similarity = candidate.similarity or 0.0 if judges(self._similarity) else 0.0
        return min(1.0, max(candidate.coverage, similarity))


def judges(cut: float | None) -> TypeGuard[float]:
    """Whether similarity says what answers, beside the words."""
    return cut is not None and cut < NEVER


def fuse(rankings: Sequence[Sequence[int]]) -> dict[int, float]:
    """Reciprocal rank fusion: for each id the sum of 1 / (60 + its rank), ranks from 1."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, number in enumerate(ranking, 1):
            scores[number] = scores.get(number, 0.0) + 1 / (FUSION + rank)
    return scores


def _by_rank(question: str, candidates: list[_Candidate], *, dense: bool, similar: bool) -> list[_Candidate]:
    """The best first; similarity ranks alone, or where it tells of meaning beside what the passages say."""
    language = language_of(question)
    foreign = {one.passage.id: FOREIGN if language_of(one.passage.text) != language else 1.0 for one in candidates}
    said = sorted(candidates, key=lambda one: (-one.coverage * foreign[one.passage.id], one.place))
    near = sorted(candidates, key=lambda one: -(one.similarity or 0.0))
    rankings = [near] if dense else [said, near] if similar else [said]
    ranks = fuse([[one.passage.id for one in ranking] for ranking in rankings])
    return sorted(said, key=lambda one: -ranks[one.passage.id])


def _candidates(
    connection: Connection, inquiry: Inquiry, bases: Sequence[int], near: Mapping[int, float], *, lexical: bool
) -> list[_Candidate]:
    """What the searches bring, judged, as one state of the ledger has it."""
    words = {demand.text: tuple(lookup(word) for word in demand.words) for demand in inquiry.demands}
    pieces = tuple(dict.fromkeys(piece for run in inquiry.runs for piece in pieces_of(run)))
    seen = catalogue.frequencies(connection, bases, pieces)
    evidence = Evidence(
        inquiry,
        {text: catalogue.count_matches(connection, bases, terms) for text, terms in words.items()},
        seen,
        catalogue.count_passages(connection, bases),
    )
    terms = tuple(dict.fromkeys([*(term for some in words.values() for term in some), *pieces]))
    best = catalogue.best_matches(connection, bases, terms, CANDIDATES) if lexical else []
    ranks = fuse([tuple(near), best])
    held = catalogue.terms_of(connection, ranks)
    likely = sorted(held, key=lambda number: (-evidence.glance(held[number]), -ranks[number]))[:JUDGED]
    read = dict.fromkeys([*likely, *near])
    openings = catalogue.openings(connection, read)
    found = []
    for number, passage in catalogue.passages(connection, read).items():
        said, sentence = evidence.best(passage.text, passage.document, passage.heading, openings.get(number, ""))
        place = best.index(number) if number in best else CANDIDATES
        found.append(_Candidate(replace(passage, sentence=sentence), said, near.get(number), place))
    return found
