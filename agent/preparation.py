"""What the model sees: the newest turns, this turn's passages and memories, as much as fits; changes no state."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage

from agent.lookup import Found, Retrieve
from agent.remembrance import TurnMemory
from agent.token_budget import KEPT, Fit, TokenBudget, size_of, size_of_messages
from memory.passages import Passage
from memory.remembered import Memory
from memory.turns import RestsOn
from models.quoting import Known, QuotedPassage, asked, quote
from tools.knowledge_search import numbered
from tools.memory_tools import as_quoted

WINDOW = 40
"""The most messages of a conversation that the model sees and the checkpoint keeps."""


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


class Preparation(AgentMiddleware[Any, TurnContext]):
    """Shapes what the model sees: a window of the history, and this turn's passages in the last question.

    Only the prompt carries the passages; the state keeps the question as it was asked. Where a budget is given, the
    oldest turns and then the last passages go, so that the server never has to cut. Raises RequestTooLarge.
    """

    def __init__(self, examples: Sequence[AnyMessage], budget: TokenBudget | None = None, prefix: float = 0) -> None:
        """`prefix`: the size of what stands before the history: system prompt, examples and tools."""
        super().__init__()
        self._examples = list(examples)
        self._budget = budget
        self._prefix = prefix

    async def awrap_model_call(
        self,
        request: ModelRequest[TurnContext],
        handler: Callable[[ModelRequest[TurnContext]], Awaitable[ModelResponse[Any]]],
    ) -> ModelResponse[Any]:
        """Hands the prepared prompt on, and learns from what the server counted."""
        context = request.runtime.context
        now = context.at.astimezone()
        *earlier, (question, *since_then) = turns(window(since(request.messages, context.first)))
        passages, known = numbered(context.given), context.known
        bare = HumanMessage(asked(question.text, [], now, known))
        plan = self._plan(earlier, [bare, *since_then], passages)
        history = [message for turn in earlier[plan.dropped :] for message in turn]
        context.first = [*history, question][0].id
        full = HumanMessage(asked(question.text, passages[: plan.passages], now, known))
        prompt: list[AnyMessage] = [*history, full, *since_then]
        response = await handler(request.override(messages=[*self._examples, *prompt]))
        if self._budget:
            self._budget.learn(self._prefix + size_of_messages(prompt), _counted(response.result))
        return response

    def _plan(
        self, earlier: Sequence[list[AnyMessage]], turn: Sequence[AnyMessage], passages: Sequence[QuotedPassage]
    ) -> Fit:
        if self._budget is None:
            return Fit(0, len(passages))
        return self._budget.fit(
            self._prefix + size_of_messages(turn),
            [size_of_messages(one) for one in earlier],
            [size_of(quote([passage])) for passage in passages],
        )


def window(messages: Sequence[AnyMessage], size: int = WINDOW) -> list[AnyMessage]:
    """The newest messages, from a user's message on, so that no answer or tool result stands without its cause.

    Where there are more than `size`, some fewer are left, so that the next turns drop none; the last turn stays whole.
    """
    begins = _begins(messages)
    if not begins:
        return list(messages)
    least = 0 if len(messages) <= size else len(messages) - int(size * KEPT)
    return list(messages[next((place for place in begins if place >= least), begins[-1]) :])


def since(messages: Sequence[AnyMessage], first: str | None) -> list[AnyMessage]:
    """The messages from that one on; all where it is not among them."""
    place = next((place for place, message in enumerate(messages) if first and message.id == first), 0)
    return list(messages[place:])


def turns(messages: Sequence[AnyMessage]) -> list[list[AnyMessage]]:
    """The messages cut before each of the user's."""
    begins = _begins(messages)
    return [list(messages[begin:end]) for begin, end in zip(begins, [*begins[1:], len(messages)], strict=True)]


def _begins(messages: Sequence[AnyMessage]) -> list[int]:
    return [place for place, message in enumerate(messages) if isinstance(message, HumanMessage)]


def _counted(replies: Sequence[BaseMessage]) -> int:
    """The tokens of the prompt, as the server counted them; 0 where it did not."""
    used = [reply.usage_metadata for reply in replies if isinstance(reply, AIMessage) and reply.usage_metadata]
    return used[-1]["input_tokens"] if used else 0
