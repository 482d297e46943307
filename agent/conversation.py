"""One persona's agent: text in, reply events out; it looks things up before it thinks, and knows nothing of sound."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import (
    AnyMessage,
    HumanMessage,
    RemoveMessage,
)
from langchain_core.runnables import RunnableConfig
from langgraph.graph.message import REMOVE_ALL_MESSAGES

from agent.answering import Answering
from agent.checkpoints import PruningSaver
from agent.cuts import Cuts
from agent.events import (
    Failed,
    Outcome,
    ReplyEvent,
    TextDelta,
)
from agent.graph_stream import in_own_task
from agent.inquiry import Inquiry
from agent.lookup import Retrieve
from agent.model_call import told
from agent.persona_graph import PersonaGraph
from agent.preparation import since, window
from agent.prompt import apology
from agent.remembrance import Remembrance
from agent.settling import settled, without_turns
from agent.summaries import Summaries
from agent.turn_context import TurnContext
from configs.errors import EngineError, RequestTooLarge
from configs.persona import Persona
from tools.links import LinkFilter
from tools.thoughts import ThoughtFilter


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
        self.answering = Answering(persona, embedded=embedded, retrieve=retrieve, remembrance=remembrance)
        self._summaries = summaries
        self._checkpoints = checkpoints
        self._underway: dict[str, TurnContext] = {}
        self.shown: dict[str, tuple[str, ...]] = {}
        """By conversation, the turns that the model sees."""
        self.cuts = Cuts()
        self.brain = PersonaGraph(persona, chat, checkpoints, remembers=remembrance is not None)
        self._graph = self.brain.graph

    async def warm(self) -> None:
        """Loads the model with the beginning of every prompt, where a server runs it. Raises EngineError."""
        await self.brain.warm()

    async def look_ahead(self, inquiry: Inquiry) -> None:
        """Looks up what the user has said so far, so that it is there when the whole is known."""
        await self.answering.lookup.ahead(inquiry, self._seen(inquiry))

    async def respond(self, inquiry: Inquiry) -> AsyncGenerator[ReplyEvent, None]:
        """Looks up, then refuses or lets the model answer; `settle` must follow, however this ends.

        Where an engine fails, the reply ends with an apology and the failure.
        """
        context = self._underway[inquiry.conversation] = self.answering.begin(inquiry)
        said = ""
        try:
            answer = self.answering.answer(context, inquiry, self._seen(inquiry), self._generate)
            async with aclosing(answer) as reply:
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

    def _seen(self, inquiry: Inquiry) -> tuple[str, ...]:
        """The turns whose words need not be recalled; an engine that only quotes sees none."""
        return () if self.answering.embedded else self.shown.get(inquiry.conversation, ())

    async def _generate(self, context: TurnContext, inquiry: Inquiry) -> AsyncGenerator[ReplyEvent, None]:
        if self._summaries:
            context.earlier = await self._summaries.of(inquiry.conversation)
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
                for event in told(message, thoughts, links):
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


def _thread(conversation: str) -> RunnableConfig:
    return {"configurable": {"thread_id": conversation}}
