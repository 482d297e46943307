"""Recollection: the memories that answer a question, or none; judged in code, of one space only."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from sqlite3 import Connection
from typing import Final

from anyio.to_thread import run_sync
from langchain_core.embeddings import Embeddings

from configs import settings
from memory import memory_lexicon, memory_tables
from memory.chunking import estimate_tokens
from memory.coverage import Coverage
from memory.index import VectorIndex
from memory.ingestion import model_of
from memory.ledger import Ledger
from memory.memory_lexicon import REPLY_MARK
from memory.personal_terms import PersonalQuestion, asked, stated_of_self, tells_name
from memory.remembered import Memory, Space
from memory.search import CANDIDATES, fuse, judges
from memory.statements import statements
from memory.time_spans import time_span

RELATED: Final = 0.2
"""The share of a question that a memory must hold to come close to it."""
POOL: Final = 60
"""Memories that the lexical search brings, of which the best are ranked by all they hold."""

_PAST: Final = re.compile(
    r"\bused to\b|\bbefore\b|\bprevious(?:ly)?\b|\bformer(?:ly)?\b|\bin the past\b|\bback then\b|\bearlier\b|\bonce\b"
    r"|\blast year\b|\boriginally\b|\bat first\b|\bold (?:job|address|phone|number|car|flat|house|company)\b"
    "|以前|之前|原来|原先|过去|曾经|从前|早先|去年|前年|当时|最早|最初|旧的",
    re.I,
)
_SAID: Final = (
    "say|said|told|tell|recommend(?:ed)?|suggest(?:ed)?|advised?|mention(?:ed)?|propose[d]?|explain(?:ed)?|write|wrote"
    "|give|gave"
)
_REPLY: Final = re.compile(
    rf"\b(?:did you|you(?:'ve| have)?) (?:just |once |already )?(?:{_SAID})\b"
    r"|\byour (?:suggestion|recommendation|advice|answer|reply)\b"
    "|你(?:上次|之前|昨天|刚才|当时|给我|曾经|那次|是怎么|怎么)*(?:说|推荐|建议|告诉|提到|提过|讲|写"
    "|解释|给)(?:过|的|了|我)"
    "|你的(?:建议|推荐|回答)",
    re.I,
)
"""Asks what was said back, so that replies may answer."""


@dataclass(frozen=True, slots=True)
class Recollection:
    """What the memory holds on a question."""

    memories: tuple[Memory, ...]
    """Those that answer, the best first; none if the question is not answerable."""
    answerable: bool
    coverage: float
    """The largest share of the question that one memory holds, 0 to 1."""
    similarity: float | None
    """The largest cosine similarity of a memory; None where nothing was compared."""
    nearest: Memory | None = None
    """What comes closest where nothing answers."""


NOTHING: Final = Recollection((), False, 0.0, None)


@dataclass(frozen=True, slots=True)
class _Inquiry:
    """A question as it is looked up."""

    personal: PersonalQuestion
    past: bool
    of_reply: bool
    within: tuple[datetime, datetime] | None
    without: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Candidate:
    memory: Memory
    rank: float
    """By both searches; the larger, the better."""
    coverage: float
    met: tuple[bool, ...]
    """Which parts of the question it holds."""
    similarity: float | None


class Recaller:
    """Recalls what users have said."""

    def __init__(
        self,
        ledger: Ledger,
        index: VectorIndex,
        embeddings: Embeddings,
        wanted: settings.Memory,
        similarity: float | None,
    ) -> None:
        self._ledger = ledger
        self._index = index
        self._embeddings = embeddings
        self._wanted = wanted
        self._similarity = similarity

    async def recall(self, space: Space, question: str, without: Collection[str], now: datetime) -> Recollection:
        """See Memories.recall."""
        place = await self._ledger.read(partial(_place, space=space))
        if place is None:
            return NOTHING
        number, collection = place
        asks = partial(
            _Inquiry,
            past=bool(_PAST.search(question)),
            of_reply=bool(_REPLY.search(question)),
            without=frozenset(without),
        )
        span, whole = time_span(question, now), asks(asked(_topic(question)), within=None)
        if span is None and not whole.personal.has_content:
            return NOTHING
        near = await self._nearest(collection, question)
        if span is not None:
            then = asks(asked(_topic(span.rest)), within=(span.begin, span.end))
            found = await self._found(number, then, near, now)
            if found.answerable:
                return found
        return await self._found(number, whole, near, now)

    async def _nearest(self, collection: int | None, question: str) -> dict[int, float]:
        """The similarities of the nearest memories, the nearest first."""
        if collection is None:
            return {}
        # Embedding changes nothing, so a cancelled turn need not wait for it.
        vector = await run_sync(self._embeddings.embed_query, question, abandon_on_cancel=True)
        return dict(await self._index.nearest(collection, model_of(self._embeddings), vector, CANDIDATES))

    async def _found(self, space: int, inquiry: _Inquiry, near: Mapping[int, float], now: datetime) -> Recollection:
        if not inquiry.personal.has_content:
            if inquiry.within is None:
                return NOTHING
            return await self._said_then(space, inquiry)
        candidates = await self._ledger.read(
            partial(_candidates, space=space, inquiry=inquiry, near=near, threshold=self._wanted.coverage)
        )
        supporting = [one for one in candidates if self._supports(one)]
        memories = fitting(
            [replace(one.memory, score=self._score(one)) for one in self._ordered(supporting, inquiry, now)],
            self._wanted.items,
            self._wanted.tokens,
        )
        related = [] if memories else [one for one in candidates if one.coverage >= RELATED]
        return Recollection(
            memories,
            answerable=bool(memories),
            coverage=max((one.coverage for one in candidates), default=0.0),
            similarity=max((one.similarity for one in candidates if one.similarity is not None), default=None),
            nearest=next((one.memory for one in self._ordered(related, inquiry, now)), None),
        )

    async def _said_then(self, space: int, inquiry: _Inquiry) -> Recollection:
        """What was said in a stretch of time, where the question asks for nothing else: the most important first."""
        assert inquiry.within is not None
        begin, end = inquiry.within
        found = await self._ledger.read(partial(memory_tables.said_in, space=space, begin=begin, end=end, limit=POOL))
        kept = [
            memory for memory in found if _fits(memory, inquiry) and (memory.kind != "turn" or statements(memory.text))
        ]
        kept.sort(key=lambda memory: (-memory.importance, -memory.id))
        memories = fitting([replace(memory, score=1.0) for memory in kept], self._wanted.items, self._wanted.tokens)
        return Recollection(memories, bool(memories), 1.0 if memories else 0.0, None)

    def _supports(self, candidate: _Candidate) -> bool:
        near = judges(self._similarity) and (candidate.similarity or 0.0) >= self._similarity
        return near or candidate.coverage >= self._wanted.coverage

    def _score(self, candidate: _Candidate) -> float:
        similarity = candidate.similarity or 0.0 if judges(self._similarity) else 0.0
        return min(1.0, max(candidate.coverage, similarity))

    def _ordered(self, found: Iterable[_Candidate], inquiry: _Inquiry, now: datetime) -> list[_Candidate]:
        """The best first, by rank, age and importance; those that hold the same parts of the question stand together,
        the newest first, since they answer the same thing and the last word counts. Where the question asks about the
        past, what has ended and what was said before the newest comes first.
        """
        groups: dict[tuple[bool, ...], list[_Candidate]] = {}
        for one in found:
            groups.setdefault(one.met, []).append(one)
        order = sorted(groups.values(), key=lambda group: -max(self._weight(one, now) for one in group))
        return [one for group in order for one in _by_time(group, inquiry.past)]

    def _weight(self, candidate: _Candidate, now: datetime) -> float:
        age = max(0.0, (now - candidate.memory.said_at).total_seconds() / 86400)
        recency: float = 0.5 ** (age / self._wanted.half_life_days)
        return candidate.coverage**2 * candidate.rank * (0.5 + 0.5 * recency) * (0.5 + candidate.memory.importance / 6)


def _place(connection: Connection, space: Space) -> tuple[int, int | None] | None:
    """The number of a space, and of the collection that its vectors are in, where there is one."""
    number = memory_tables.find_space(connection, space)
    return None if number is None else (number, memory_tables.collection_of(connection, number))


def fitting(memories: Sequence[Memory], items: int, tokens: float) -> tuple[Memory, ...]:
    """The first memories, as many as may be given; the best is cut where it is too long by itself."""
    kept: list[Memory] = []
    left = tokens
    for memory in memories:
        size = estimate_tokens(memory.text) + estimate_tokens(memory.reply)
        if size > left and not kept:
            memory, size = _cut(memory, left), left
        if size <= left and len(kept) < items:
            kept.append(memory)
            left -= size
    return tuple(kept)


def _cut(memory: Memory, tokens: float) -> Memory:
    text = memory.text
    while text and estimate_tokens(text) + 1 > tokens:
        text = text[: int(len(text) * 0.9)]
    return replace(memory, text=text if text == memory.text else f"{text}…", reply="")


def _topic(question: str) -> str:
    """A question without the words that only say that it is about the past."""
    return _PAST.sub(" ", question)


def _by_time(group: list[_Candidate], past: bool) -> list[_Candidate]:
    group.sort(key=lambda one: (one.memory.said_at, one.memory.id), reverse=True)
    if past:
        newest = next((one for one in group if one.memory.closed_at is None), None)
        group.sort(key=lambda one: one is newest)
    return group


def _fits(memory: Memory, inquiry: _Inquiry) -> bool:
    if memory.turn in inquiry.without or (memory.closed_at is not None and not inquiry.past):
        return False
    return inquiry.within is None or inquiry.within[0] <= memory.said_at < inquiry.within[1]


def _candidates(
    connection: Connection, space: int, inquiry: _Inquiry, near: Mapping[int, float], threshold: float
) -> list[_Candidate]:
    """What either search brings, as one state of the ledger has it."""
    within = None
    if inquiry.within is not None:
        within = memory_tables.said_between(connection, space, *inquiry.within)
        if within is None:
            return []
    personal, extent = inquiry.personal, memory_tables.extent(connection, space)
    found = memory_lexicon.postings(connection, space, personal.terms, extent, within, replies=inquiry.of_reply)
    pool = memory_lexicon.best_matches(found, extent.count, POOL)
    memories = memory_tables.by_id(connection, space, {*pool, *near})
    held = memory_lexicon.held(connection, space, [n for n, memory in memories.items() if _fits(memory, inquiry)])
    frequency = {term: posting.count for term, posting in found.items()}
    wants = [(want.terms, want.share) for want in personal.wants]
    judge = _Judge(inquiry, Coverage(personal.rest, frequency, extent.count, wants), threshold)
    judged = {n: judge.judged(memories[n], terms) for n, terms in held.items() if _is_said(terms) or inquiry.of_reply}
    lexical = sorted((n for n in pool if n in judged), key=lambda n: -judged[n][0])[:CANDIDATES]
    ranks = fuse([[n for n in near if n in judged], lexical])
    return [_Candidate(memories[n], rank, *judged[n], near.get(n)) for n, rank in ranks.items()]


def _is_said(terms: Iterable[str]) -> bool:
    """Whether terms of a memory are of the user's own words, not of a reply alone."""
    return any(not term.startswith(REPLY_MARK) for term in terms)


@dataclass(frozen=True, slots=True)
class _Judge:
    """How much of a question a memory holds."""

    inquiry: _Inquiry
    measure: Coverage
    threshold: float

    def judged(self, memory: Memory, terms: frozenset[str]) -> tuple[float, tuple[bool, ...]]:
        """The share of the question's weight, and which parts.

        A reply counts where it is asked for; what was said of others does not count for the speaker.
        """
        if not self._is_about(memory, terms):
            return 0.0, self.measure.met(())
        if self.inquiry.of_reply:
            terms = frozenset(term.removeprefix(REPLY_MARK) for term in terms)
        elif self.inquiry.personal.of_self and self.measure.of(terms) >= self.threshold:
            wanted = frozenset(term for want in self.inquiry.personal.wants for term in want.terms)
            terms = (terms - wanted) | (wanted & stated_of_self(memory.text))
        return self.measure.of(terms), self.measure.met(terms)

    def _is_about(self, memory: Memory, terms: frozenset[str]) -> bool:
        """Whether it may answer: it holds a name of the question, more than that, and a name where one is asked for."""
        asks = self.inquiry.personal
        if asks.asks_name and not tells_name(memory.text):
            return False
        if not asks.names:
            return True
        others = {term for want in asks.wants if want.share == 1 for term in want.terms} | {
            *asks.rest.words
        } - asks.names
        return not asks.names.isdisjoint(terms) and not (others and others.isdisjoint(terms))
