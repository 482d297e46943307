"""One persona's agent: text in, reply events out; it looks things up before it thinks, and knows nothing of sound."""

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, Final, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    AnyMessage,
    HumanMessage,
    RemoveMessage,
    ToolMessage,
)
from langchain_core.runnables import RunnableConfig
from langgraph.graph.message import REMOVE_ALL_MESSAGES

from agent.checkpoints import PruningSaver
from agent.citations import source_line
from agent.closest import closest
from agent.events import (
    Failed,
    LimitReached,
    MemoriesRecalled,
    MemoryErased,
    Outcome,
    PassagesFound,
    Refused,
    ReplyEvent,
    ReplyRests,
    TextDelta,
    TokensUsed,
    ToolCalled,
)
from agent.graph_stream import in_own_task
from agent.inquiry import Inquiry
from agent.lookup import Lookup, Retrieve
from agent.persona_graph import PersonaGraph
from agent.preparation import since, window
from agent.prompt import acknowledgement, apology, caveat, refusal
from agent.remembrance import Remembrance, TurnMemory
from agent.settling import settled, without_turns
from agent.summaries import Summaries
from agent.support import unsupported
from agent.turn_context import TurnContext
from configs.errors import EngineError, RequestTooLarge
from configs.persona import Persona
from memory.passages import Passage
from memory.statements import is_question, sentences, statements
from tools.links import LinkFilter
from tools.memory_requests import Forget, Remember, Tell, request_in
from tools.thoughts import ThoughtFilter

_OWN: Final = re.compile(r"\b(?:i|me|my|mine|we|us|our|ours|i'm|i've|we're|we've)\b|我|咱|俺", re.I)


class Conversation:
    """A persona's responder over all its conversations; turns of one conversation never overlap."""

    def __init__(
        self,
        persona: Persona,
        chat: BaseChatModel,
        *,
        embedded: bool,
        retrieve: Retrieve,
        checkpoints: PruningSaver,
        remembrance: Remembrance | None = None,
        summaries: Summaries | None = None,
    ) -> None:
        """Without a `remembrance` nothing is remembered; `summaries` tell what the model no longer sees."""
        self.persona = persona.name
        self.language = persona.language if persona.language != "auto" else "en"
        self.memory = remembrance.persona if remembrance else None
        self.chat = chat
        self._embedded = embedded
        self._strict = persona.grounded == "always"
        self._grounded = self._strict or (embedded and persona.grounded == "when_embedded")
        self._retrieve = retrieve
        self._lookup = Lookup(retrieve, remembrance)
        self._remembrance = remembrance
        self._summaries = summaries
        self._checkpoints = checkpoints
        self._underway: dict[str, TurnContext] = {}
        self.shown: dict[str, tuple[str, ...]] = {}
        """By conversation, the turns that the model sees."""
        self._brain = PersonaGraph(persona, chat, checkpoints, remembers=remembrance is not None)
        self._graph = self._brain.graph

    async def warm(self) -> None:
        """Loads the model with the beginning of every prompt, where a server runs it. Raises EngineError."""
        await self._brain.warm()

    async def look_ahead(self, inquiry: Inquiry) -> None:
        """Looks up what the user has said so far, so that it is there when the whole is known."""
        await self._lookup.ahead(inquiry, self._seen(inquiry))

    async def respond(self, inquiry: Inquiry) -> AsyncGenerator[ReplyEvent, None]:
        """Looks up, then refuses or lets the model answer; `settle` must follow, however this ends.

        Where an engine fails, the reply ends with an apology and the failure.
        """
        memory = TurnMemory(self._remembrance, inquiry) if self._remembrance else None
        question = HumanMessage(inquiry.text, id=inquiry.turn)
        context = self._underway[inquiry.conversation] = TurnContext(question, inquiry.at, self._retrieve, memory)
        said = ""
        try:
            async with aclosing(self._answer(context, inquiry)) as reply:
                async for event in reply:
                    said += event.text if isinstance(event, TextDelta) else ""
                    yield event
            return
        except RequestTooLarge:
            context.too_large = True
            raise
        except EngineError as error:
            failure = error
        yield TextDelta(apology(failure, said, inquiry.language))
        yield Failed(failure)

    async def _answer(self, context: TurnContext, inquiry: Inquiry) -> AsyncGenerator[ReplyEvent, None]:
        if self._embedded and context.memory and (request := request_in(inquiry.text)):
            async for event in _obeyed(context.memory, request):
                yield event
            return
        found = await self._lookup.look(inquiry, self._seen(inquiry))
        context.take(found)
        yield PassagesFound(context.given, found.retrieval.answerable)
        if context.memories:
            yield MemoriesRecalled(context.memories)
        if self._grounded and not context.given and (self._strict or not context.memories):
            for event in self._ungrounded(inquiry, found.retrieval.nearest):
                yield event
            return
        async with aclosing(self._reply(context, inquiry)) as reply:
            async for event in reply:
                yield event

    async def _reply(self, context: TurnContext, inquiry: Inquiry) -> AsyncGenerator[ReplyEvent, None]:
        """What the model says, and what must be said about it."""
        if self._summaries:
            context.earlier = await self._summaries.of(inquiry.conversation)
        # Now and in the end, since a turn that is cut never comes to its end.
        yield ReplyRests(context.rests_on(free=not self._embedded))
        said = ""
        async with aclosing(self._generate(context, inquiry)) as reply:
            async for event in reply:
                said += event.text if isinstance(event, TextDelta) else ""
                yield event
        if line := source_line(said, [*context.given, *context.found], inquiry.language):
            yield TextDelta(line)
        if self._strict and (lacking := unsupported(said, context.texts)):
            yield TextDelta(caveat(lacking, inquiry.language))
        if context.memory and context.memory.erased is not None:
            yield MemoryErased(context.memory.erased)
        yield ReplyRests(context.rests_on(free=not self._embedded))

    def _ungrounded(self, inquiry: Inquiry, nearest: Sequence[Passage]) -> list[ReplyEvent]:
        """What is said where there is nothing to answer from: what is told needs no answer."""
        if self._remembrance and _only_tells(inquiry.text):
            return [TextDelta(acknowledgement(inquiry.language)), ReplyRests("nothing")]
        words = refusal(inquiry.language) if self._strict else closest(inquiry.text, nearest, inquiry.language)
        return [Refused(), TextDelta(words), ReplyRests("nothing")]

    def _seen(self, inquiry: Inquiry) -> tuple[str, ...]:
        """The turns whose words need not be recalled; an engine that only quotes sees none."""
        return () if self._embedded else self.shown.get(inquiry.conversation, ())

    async def _generate(self, context: TurnContext, inquiry: Inquiry) -> AsyncGenerator[ReplyEvent, None]:
        thoughts, links = ThoughtFilter(), LinkFilter(inquiry.text)
        stream = self._graph.astream(
            {"messages": [context.question]},
            _thread(inquiry.conversation),
            context=context,
            stream_mode="messages",
            durability="exit",
        )
        async with aclosing(in_own_task(cast("AsyncGenerator[tuple[Any, Any], None]", stream))) as messages:
            async for message, _ in messages:
                for event in _events(message, thoughts, links):
                    yield event
        if rest := links.push(thoughts.flush()) + links.flush():
            yield TextDelta(rest)

    async def settle(self, conversation: str, *, heard: str, outcome: Outcome) -> None:
        """Makes the state end with the question and what was heard of its reply, and drops what is old or forgotten."""
        context = self._underway.pop(conversation, None)
        if context is None:
            return
        thread = _thread(conversation)
        state = await self._graph.aget_state(thread)
        messages: list[AnyMessage] = state.values.get("messages", [])
        ended = settled(messages, context.question, heard, whole=outcome == "completed")
        if context.too_large:
            ended = ended[: ended.index(context.question)]
        if context.memory and context.memory.erased is not None:
            ended = without_turns(ended, {*context.memory.forgotten, str(context.question.id)})
        kept = window(since(ended, context.first))
        if kept != messages or state.next:
            update = {"messages": [RemoveMessage(REMOVE_ALL_MESSAGES), *kept]}
            await self._graph.aupdate_state(thread, update, as_node="model")
        self.shown[conversation] = tuple(str(message.id) for message in kept if isinstance(message, HumanMessage))
        await self._checkpoints.aprune([conversation])
        await self._checkpoints.make_ready(conversation)


async def _obeyed(memory: TurnMemory, request: Remember | Tell | Forget) -> AsyncGenerator[ReplyEvent, None]:
    """What is asked of the memory itself, done without a language model, by the tools that one would call."""
    match request:
        case Remember(text):
            yield ToolCalled("remember", {"text": text})
            yield TextDelta(await memory.remember(text))
        case Tell():
            yield ToolCalled("recall", {"query": ""})
            found = await memory.recall("")
            yield MemoriesRecalled(tuple(found))
            yield TextDelta(memory.telling(found))
        case Forget(what):
            yield ToolCalled("forget", {})
            yield TextDelta(await memory.forget(what))
            if memory.erased is not None:
                yield MemoryErased(memory.erased)
    yield ReplyRests("nothing")


def _only_tells(text: str) -> bool:
    """Whether somebody tells something of their own and asks nothing."""
    return bool(_OWN.search(text) and statements(text)) and not any(map(is_question, sentences(text)))


def _thread(conversation: str) -> RunnableConfig:
    return {"configurable": {"thread_id": conversation}}


def _events(message: object, thoughts: ThoughtFilter, links: LinkFilter) -> Sequence[ReplyEvent]:
    """What one streamed message tells: text, tool calls, the tokens that were used, or what a tool brought."""
    if isinstance(message, ToolMessage) and message.artifact:
        return [PassagesFound(message.artifact, answerable=True)]
    if not isinstance(message, AIMessage | AIMessageChunk):
        return []
    told: list[ReplyEvent] = [ToolCalled(call["name"], call["args"]) for call in message.tool_calls if call["name"]]
    if text := links.push(thoughts.push(message.text)):
        told.append(TextDelta(text))
    if used := message.usage_metadata:
        told.append(TokensUsed(used["input_tokens"], used["output_tokens"]))
    if message.response_metadata.get("done_reason") == "length":
        told.append(LimitReached())
    return told
