"""The record of one reply: its text, and what was told of it along the way; judges nothing but what bears it out."""

from dataclasses import dataclass, field

from agent.citations import cited
from agent.events import (
    LimitReached,
    MemoriesRecalled,
    MemoryErased,
    PassagesFound,
    Refused,
    ReplyEvent,
    ReplyRests,
    TextDelta,
    TokensUsed,
    ToolCalled,
)
from agent.support import unsupported
from memory.passages import Citation, Passage
from memory.remembered import Memory
from memory.turns import RestsOn


@dataclass
class ReplyRecord:
    """What a responder has given so far."""

    text: str = ""
    """The display text."""
    refused: bool = False
    passages: list[Passage] = field(default_factory=list)
    memories: list[Memory] = field(default_factory=list)
    rests_on: RestsOn = "nothing"
    erased: bool = False
    """The user had something forgotten, and the reply may repeat it."""
    at_limit: bool = False
    tools: list[ToolCalled] = field(default_factory=list)
    _used: list[TokensUsed] = field(default_factory=list)

    def note(self, event: ReplyEvent) -> None:
        """Takes in an event; a failure is the turn's own affair."""
        match event:
            case TextDelta(text):
                self.text += text
            case PassagesFound(passages):
                self.passages.extend(passages)
            case MemoriesRecalled(memories):
                self.memories.extend(memories)
            case ReplyRests(on):
                self.rests_on = on
            case ToolCalled():
                self.tools.append(event)
            case TokensUsed():
                self._used.append(event)
            case _:
                self._mark(event)

    def _mark(self, event: ReplyEvent) -> None:
        self.refused = self.refused or isinstance(event, Refused)
        self.erased = self.erased or isinstance(event, MemoryErased)
        self.at_limit = self.at_limit or isinstance(event, LimitReached)

    def usage(self) -> TokensUsed | None:
        """The tokens of all calls together; None where nobody has counted."""
        used = self._used
        return TokensUsed(sum(one.input for one in used), sum(one.output for one in used)) if used else None

    def citations(self) -> tuple[Citation, ...]:
        """The passages that the reply rests on."""
        return () if self.refused else cited(self.text, self.passages)

    def unsupported(self, question: str) -> tuple[str, ...]:
        """The sentences with a number or a name that stands nowhere in what a reply from documents was made from."""
        if self.rests_on != "documents" or self.refused:
            return ()
        places = [f"{passage.document} {passage.heading}" for passage in self.passages]
        texts = [*(passage.text for passage in self.passages), *(memory.text for memory in self.memories)]
        return unsupported(self.text, [question, *places, *texts])
