"""What one turn lends to the graph: its passages and memories, and the way to more of them; shapes no prompt."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from langchain_core.messages import HumanMessage

from agent.lookup import Found, Retrieve
from agent.remembrance import TurnMemory
from memory.passages import Passage
from memory.remembered import Memory
from memory.turns import RestsOn
from models.quoting import Known
from tools.memory_tools import as_quoted


@dataclass
class TurnContext:
    """What one turn lends to the graph: its passages and memories, and the way to more of them."""

    question: HumanMessage
    at: datetime
    """When it was asked."""
    retrieve: Retrieve
    memory: TurnMemory | None = None
    """None where the persona keeps nothing."""
    given: tuple[Passage, ...] = ()
    """Retrieved before the model was called; they stand with the question, the best first."""
    memories: tuple[Memory, ...] = ()
    """Recalled before the model was called, the best first."""
    profile: str = ""
    earlier: str = ""
    """A summary of the conversation before what the model still sees."""
    found: list[Passage] = field(default_factory=list)
    """Found since by the model's own searches; they stand in the tool's results."""
    first: str | None = None
    """The id of the first message that the model still sees; those before it are to be forgotten."""
    for_program: bool = False
    """The reply is JSON for a program, so that nothing may be said around it."""
    too_large: bool = False
    """No prompt can hold this turn, so that no later one may either."""

    def take(self, found: Found) -> None:
        """Takes over what was looked up."""
        self.given = found.retrieval.passages if found.retrieval.answerable else ()
        self.memories = found.recollection.memories if found.recollection.answerable else ()
        self.profile = found.profile

    @property
    def known(self) -> Known:
        """What stands before the question, apart from passages."""
        return Known(self.profile, self.earlier, tuple(as_quoted(self.memories)))

    def rests_on(self, *, free: bool) -> RestsOn:
        """What a reply was made from; `free`: by a language model, which may say what it likes."""
        if self.given or self.found:
            return "documents"
        if self.memories:
            return "memory"
        return "model" if free else "nothing"

    @property
    def texts(self) -> list[str]:
        """All that a reply may rest on, the question with it."""
        passages = [*self.given, *self.found]
        said = [self.question.text, *(memory.text for memory in self.memories)]
        return [*said, *(passage.text for passage in passages), *(f"{p.document} {p.heading}" for p in passages)]

    async def search(self, query: str) -> tuple[Sequence[Passage], int]:
        """More passages for the model, numbered on from those that it has."""
        first = len(self.given) + len(self.found) + 1
        known = {passage.id for passage in [*self.given, *self.found]}
        retrieval = await self.retrieve(query)
        new = [passage for passage in retrieval.passages if passage.id not in known] if retrieval.answerable else []
        self.found.extend(new)
        return new, first

    async def remember(self, text: str) -> str:
        """See TurnMemory."""
        assert self.memory, "a persona without memory has no such tool"
        return await self.memory.remember(text)

    async def recall(self, query: str) -> Sequence[Memory]:
        """See TurnMemory."""
        assert self.memory, "a persona without memory has no such tool"
        found = await self.memory.recall(query)
        self.memories = (*self.memories, *(memory for memory in found if memory not in self.memories))
        return found

    async def forget(self, what: str) -> str:
        """See TurnMemory."""
        assert self.memory, "a persona without memory has no such tool"
        return await self.memory.forget(what)
