"""Evaluation: a question set asked of search, and of whole turns; in a store of its own, or of what is kept."""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from agent.assistant import Assistant, open_assistant
from agent.events import PassagesFound, TurnEnded, TurnEvent
from configs.errors import DocumentUnreadable, RequestError
from configs.settings import Settings
from memory.evaluation import Answer, Outcome, holds, rank_of
from memory.knowledge import Knowledge
from memory.passages import Passage
from memory.question_sets import Case, QuestionSet
from memory.search import Rankers
from models.selection import Choice

BASE: Final = "default"
"""The name of the knowledge base that is made for an evaluation."""
USER: Final = "evaluation"
"""Who asks, so that no turn stands in anybody's history or memory."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be measured."""

    knowledge: str | None = None
    """A knowledge base of the user's own; None for a new one, of the question set's documents."""
    rankers: tuple[Rankers, ...] = ("both",)
    """Each is asked all questions."""
    answers: bool = False
    """Whole turns are had as well, with both rankers."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What became of all questions."""

    outcomes: dict[Rankers, tuple[Outcome, ...]]
    embeddings: Choice
    chat: Choice | None
    """None where no turns were had."""
    documents: int


Asked = Callable[[int, int], None]
"""Is told how many questions have been asked, of how many."""


async def evaluate(settings: Settings, questions: QuestionSet, wanted: Wanted, asked: Asked) -> Evaluation:
    """Asks everything. Raises RequestError where there is nothing to ask about, and what search and turns raise."""
    outcomes: dict[Rankers, tuple[Outcome, ...]] = {}
    of = len(questions.cases) * len(wanted.rankers)
    async with _opened(settings, questions, wanted.knowledge) as (assistant, base):
        for rankers in wanted.rankers:
            found = []
            for case in questions.cases:
                answers = wanted.answers and rankers == "both"
                answer = await _answer(assistant, case, base) if answers else None
                found.append(await _outcome(assistant.store.knowledge, case, base, rankers, answer))
                asked(len(outcomes) * len(questions.cases) + len(found), of)
            outcomes[rankers] = tuple(found)
        documents = len(await assistant.store.knowledge.documents(base))
        engines = {choice.slot: choice for choice in assistant.choices}
    return Evaluation(outcomes, engines["embeddings"], engines.get("chat") if wanted.answers else None, documents)


@asynccontextmanager
async def _opened(
    settings: Settings, questions: QuestionSet, knowledge: str | None
) -> AsyncGenerator[tuple[Assistant, str], None]:
    """An assistant that neither hears nor speaks, and the name of the knowledge base to ask."""
    if knowledge is not None:
        async with open_assistant(settings, hears=False, speaks=False) as assistant:
            yield assistant, knowledge
        return
    if questions.documents is None:
        raise RequestError("the question set names no documents", "Add `documents:`, or give --knowledge NAME.")
    with TemporaryDirectory(prefix="tingshuo-eval-") as folder:
        async with open_assistant(settings, folder=Path(folder), hears=False, speaks=False) as assistant:
            ingestion = await assistant.store.knowledge.ingest([questions.documents], knowledge=BASE)
            if failed := next((file.error for file in ingestion.files if file.error), None):
                raise failed
            if not ingestion.files:
                raise DocumentUnreadable(f"there is no document in {questions.documents}", "Correct `documents`.")
            yield assistant, BASE


async def _outcome(knowledge: Knowledge, case: Case, base: str, rankers: Rankers, answer: Answer | None) -> Outcome:
    began = time.perf_counter()
    found = await knowledge.search(case.question, knowledge=[base], rankers=rankers)
    seconds = time.perf_counter() - began
    rank = rank_of(case, found.nearest) if case.answerable else None
    given = case.answerable and rank_of(case, found.passages) is not None
    return Outcome(case, not found.answerable, rank, given, found.coverage, found.similarity, seconds, answer)


@dataclass
class _Passages:
    """The passages that a turn was given, by where they stand."""

    sources: dict[tuple[str, tuple[int, int]], str] = field(default_factory=dict)

    async def __call__(self, event: TurnEvent) -> None:
        if isinstance(event, PassagesFound):
            self.sources |= {_place(passage): passage.source for passage in event.passages}


async def _answer(assistant: Assistant, case: Case, base: str) -> Answer:
    given = _Passages()
    ended = await assistant.ask(text=case.question, knowledge=[base], user=USER, speak=False, emit=given)
    if ended.error:
        raise ended.error
    sources = tuple(given.sources[one.document, one.span] for one in ended.citations)
    return Answer(_refuses(ended), holds(ended.reply, case.facts), sources)


def _refuses(ended: TurnEnded) -> bool:
    """Refused in code; a reply that rests on no document at all counts as a refusal too."""
    return ended.refused or not ended.citations


def _place(passage: Passage) -> tuple[str, tuple[int, int]]:
    return passage.document, (passage.start, passage.end)
