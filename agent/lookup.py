"""What documents and memories hold on a question; looked up while the user still speaks, where that helps."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Final

from anyio import CancelScope, Event

from agent.inquiry import Inquiry
from agent.remembrance import Remembrance
from configs.errors import AssistantError
from memory.lexical import parse_question
from memory.memories import Recollection
from memory.search import Retrieval
from memory.stopwords import CHARACTERS

Retrieve = Callable[[str], Awaitable[Retrieval]]
"""A question to what the persona's documents hold on it."""

NOT_RECALLED: Final = Recollection((), False, 0.0, None)


@dataclass(frozen=True, slots=True)
class Found:
    """What there is to answer from."""

    retrieval: Retrieval
    recollection: Recollection = NOT_RECALLED
    profile: str = ""
    early: bool = False
    """It was looked up before the user had finished."""


@dataclass
class _Ahead:
    """A look-up for what the user has said so far."""

    text: str
    scope: CancelScope = field(default_factory=CancelScope)
    ended: Event = field(default_factory=Event)
    found: Found | None = None


class Lookup:
    """Looks things up for one persona."""

    def __init__(self, retrieve: Retrieve, remembrance: Remembrance | None = None) -> None:
        self._retrieve = retrieve
        self._remembrance = remembrance
        self._ahead: dict[str, _Ahead] = {}

    async def look(self, inquiry: Inquiry, without: Collection[str] = ()) -> Found:
        """What is there; at once, where the same was looked up already. Raises as retrieval and recall do."""
        if found := await self._early(inquiry):
            return found
        return await self._look(inquiry, without)

    async def ahead(self, inquiry: Inquiry, without: Collection[str] = ()) -> None:
        """Looks up what was said so far, for a `look` of the same conversation; a failure is left to that."""
        before = self._ahead.get(inquiry.conversation)
        if before and alike(before.text, inquiry.text):
            return
        if before:
            before.scope.cancel()
        begun = self._ahead[inquiry.conversation] = _Ahead(inquiry.text)
        try:
            with begun.scope:
                begun.found = await self._look(inquiry, without)
        except AssistantError:
            # The turn meets the same failure, and tells it.
            return
        finally:
            begun.ended.set()

    async def _early(self, inquiry: Inquiry) -> Found | None:
        """What was looked up for nearly these words; what was looked up for others is dropped."""
        begun = self._ahead.pop(inquiry.conversation, None)
        if begun is None:
            return None
        if not alike(begun.text, inquiry.text):
            begun.scope.cancel()
            return None
        await begun.ended.wait()
        found = begun.found
        return found and Found(found.retrieval, found.recollection, found.profile, early=True)

    async def _look(self, inquiry: Inquiry, without: Collection[str]) -> Found:
        retrieval = await self._retrieve(inquiry.text)
        if self._remembrance is None:
            return Found(retrieval)
        recollection = await self._remembrance.recall(inquiry, without)
        return Found(retrieval, recollection, await self._remembrance.profile(inquiry.user))


def alike(one: str, other: str) -> bool:
    """Whether two texts ask for the same: their words that mean something are equal."""
    return _content(one) == _content(other)


def _content(text: str) -> tuple[tuple[str, ...], str]:
    question = parse_question(text)
    return question.words, "".join(mark for run in question.runs for mark in run if mark not in CHARACTERS)
