"""One persona's agent: text in, reply events out; it retrieves before it thinks, and knows nothing of sound."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from uuid import uuid4

from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, HumanMessage, RemoveMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph.message import REMOVE_ALL_MESSAGES
from langgraph.graph.state import CompiledStateGraph

from agent.checkpoints import PruningSaver
from agent.events import Outcome, PassagesFound, Refused, ReplyEvent, TextDelta, ToolCalled
from agent.graph_stream import in_own_task
from agent.prompt import few_shot, refusal, system_prompt
from configs.persona import Persona
from memory.knowledge import Retrieval
from memory.passages import Passage
from models.quoting import asked
from tools.knowledge_search import knowledge_search, numbered
from tools.thoughts import ThoughtFilter

WINDOW = 40
"""The most messages of a conversation that the model sees and the checkpoint keeps."""

Retrieve = Callable[[str], Awaitable[Retrieval]]
"""A question to what the persona's documents hold on it."""


@dataclass
class TurnContext:
    """What one turn lends to the graph: its passages, and the way to more of them."""

    retrieve: Retrieve
    given: tuple[Passage, ...]
    """Retrieved before the model was called; they stand with the question."""
    found: list[Passage] = field(default_factory=list)
    """Found since by the model's own searches; they stand in the tool's results."""

    async def search(self, query: str) -> tuple[Sequence[Passage], int]:
        """More passages for the model, numbered on from those that it has."""
        first = len(self.given) + len(self.found) + 1
        known = {passage.id for passage in [*self.given, *self.found]}
        retrieval = await self.retrieve(query)
        new = [passage for passage in retrieval.passages if passage.id not in known] if retrieval.answerable else []
        self.found.extend(new)
        return new, first


class Preparation(AgentMiddleware[Any, TurnContext]):
    """Shapes what the model sees: a window of the history, and this turn's passages in the last question.

    Only the prompt carries the passages; the state keeps the question as it was asked.
    """

    def __init__(self, examples: Sequence[AnyMessage]) -> None:
        super().__init__()
        self._examples = list(examples)

    async def awrap_model_call(
        self,
        request: ModelRequest[TurnContext],
        handler: Callable[[ModelRequest[TurnContext]], Awaitable[ModelResponse[Any]]],
    ) -> ModelResponse[Any]:
        """Hands the prepared prompt on."""
        messages = window(request.messages)
        last = max(index for index, message in enumerate(messages) if isinstance(message, HumanMessage))
        passages = numbered(request.runtime.context.given)
        messages[last] = HumanMessage(asked(messages[last].text, passages, datetime.now().astimezone()))
        return await handler(request.override(messages=[*self._examples, *messages]))


def window(messages: Sequence[AnyMessage], size: int = WINDOW) -> list[AnyMessage]:
    """The newest messages, from a user's message on, so that no answer or tool result stands without its cause."""
    newest = list(messages[-size:])
    first = next((index for index, message in enumerate(newest) if isinstance(message, HumanMessage)), 0)
    return newest[first:]


class Conversation:
    """A persona's responder over all its conversations; turns of one conversation never overlap."""

    def __init__(
        self, persona: Persona, chat: BaseChatModel, *, embedded: bool, retrieve: Retrieve, checkpoints: PruningSaver
    ) -> None:
        self.persona = persona.name
        self.language = persona.language if persona.language != "auto" else "en"
        self._grounded = persona.grounded == "always" or (embedded and persona.grounded == "when_embedded")
        self._retrieve = retrieve
        self._checkpoints = checkpoints
        self._asked: dict[str, HumanMessage] = {}
        self._graph: CompiledStateGraph[Any, TurnContext, Any, Any] = create_agent(
            chat,
            tools=[knowledge_search] if "knowledge_search" in persona.tools else [],
            system_prompt=system_prompt(persona),
            middleware=[Preparation(few_shot(persona))],
            checkpointer=checkpoints,
            context_schema=TurnContext,
        )

    async def respond(self, question: str, *, conversation: str, language: str) -> AsyncGenerator[ReplyEvent, None]:
        """Retrieves, then refuses or lets the model answer; `settle` must follow, however this ends."""
        asked_for = self._asked[conversation] = HumanMessage(question, id=uuid4().hex)
        retrieval = await self._retrieve(question)
        supported = retrieval.passages if retrieval.answerable else ()
        yield PassagesFound(supported, retrieval.answerable)
        if self._grounded and not supported:
            yield Refused()
            yield TextDelta(refusal(language))
            return
        async with aclosing(self._generate(asked_for, conversation, supported)) as reply:
            async for event in reply:
                yield event

    async def _generate(
        self, question: HumanMessage, conversation: str, passages: tuple[Passage, ...]
    ) -> AsyncGenerator[ReplyEvent, None]:
        thoughts = ThoughtFilter()
        stream = self._graph.astream(
            {"messages": [question]},
            _thread(conversation),
            context=TurnContext(self._retrieve, passages),
            stream_mode="messages",
            durability="exit",
        )
        async with aclosing(in_own_task(cast("AsyncGenerator[tuple[Any, Any], None]", stream))) as messages:
            async for message, _ in messages:
                for event in _events(message, thoughts):
                    yield event
        if rest := thoughts.flush():
            yield TextDelta(rest)

    async def settle(self, conversation: str, *, heard: str, outcome: Outcome) -> None:
        """Makes the state end with the question and what was heard of its reply, and drops what is old."""
        question = self._asked.pop(conversation, None)
        if question is None:
            return
        thread = _thread(conversation)
        messages: list[AnyMessage] = (await self._graph.aget_state(thread)).values.get("messages", [])
        kept = window(settled(messages, question, heard, whole=outcome == "completed"))
        if kept != messages:
            update = {"messages": [RemoveMessage(REMOVE_ALL_MESSAGES), *kept]}
            await self._graph.aupdate_state(thread, update, as_node="model")
        await self._checkpoints.aprune([conversation])


def settled(messages: Sequence[AnyMessage], question: HumanMessage, heard: str, *, whole: bool) -> list[AnyMessage]:
    """A conversation's messages after a turn: they end where the user stopped hearing.

    A reply that was heard whole stays as the model wrote it. Otherwise tool calls that never came back get a result
    that says so, and the reply is cut to `heard`; where nothing was heard the question stands alone.
    """
    place = next((i for i, message in enumerate(messages) if message.id == question.id), None)
    before, after = (messages, []) if place is None else (messages[:place], messages[place + 1 :])
    if whole and after:
        return list(messages)
    kept: list[AnyMessage] = [*before, question]
    answered = {message.tool_call_id for message in after if isinstance(message, ToolMessage)}
    for message in after:
        if isinstance(message, ToolMessage):
            kept.append(message)
        elif isinstance(message, AIMessage) and message.tool_calls:
            lost = [call["id"] for call in message.tool_calls if call["id"] not in answered]
            kept += [message, *(ToolMessage("cancelled", tool_call_id=call) for call in lost)]
    return [*kept, AIMessage(heard)] if heard else kept


def _thread(conversation: str) -> RunnableConfig:
    return {"configurable": {"thread_id": conversation}}


def _events(message: object, thoughts: ThoughtFilter) -> list[ReplyEvent]:
    """What one streamed message tells: text, tool calls, or the passages that a tool brought."""
    if isinstance(message, ToolMessage) and message.artifact:
        return [PassagesFound(message.artifact, answerable=True)]
    if not isinstance(message, AIMessage | AIMessageChunk):
        return []
    called: list[ReplyEvent] = [ToolCalled(call["name"], call["args"]) for call in message.tool_calls if call["name"]]
    text = thoughts.push(message.text)
    return [*called, TextDelta(text)] if text else called
