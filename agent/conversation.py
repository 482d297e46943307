"""One persona's agent: text in, reply events out; it retrieves before it thinks, and knows nothing of sound."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, Final, cast
from uuid import uuid4

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    AnyMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.runnables import RunnableConfig
from langgraph.graph.message import REMOVE_ALL_MESSAGES
from langgraph.graph.state import CompiledStateGraph

from agent.checkpoints import PruningSaver
from agent.events import Failed, Outcome, PassagesFound, Refused, ReplyEvent, TextDelta, TokensUsed, ToolCalled
from agent.graph_stream import in_own_task
from agent.preparation import Preparation, Retrieve, TurnContext, since, window
from agent.prompt import apology, few_shot, refusal, system_prompt
from agent.token_budget import TokenBudget, size_of_messages, size_of_tools
from configs.errors import EngineError, RequestTooLarge
from configs.persona import Persona
from models.registry import Served
from tools.knowledge_search import knowledge_search
from tools.thoughts import ThoughtFilter

OPENING: Final = HumanMessage("Hello.")
"""Stands for the first question when the model is warmed: some templates want one."""


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
        self._underway: dict[str, TurnContext] = {}
        self._chat = chat
        self._tools = [knowledge_search] if "knowledge_search" in persona.tools else []
        self._prefix = [SystemMessage(system_prompt(persona)), *few_shot(persona)]
        self._prefix_size = size_of_messages(self._prefix) + size_of_tools(self._tools)
        limit = persona.brain.parameters.get("num_predict")
        reply = limit if isinstance(limit, int) else None
        self._budget = TokenBudget(chat.context, reply) if isinstance(chat, Served) else None
        self._graph: CompiledStateGraph[Any, TurnContext, Any, Any] = create_agent(
            chat,
            tools=self._tools,
            system_prompt=system_prompt(persona),
            middleware=[Preparation(few_shot(persona), self._budget, self._prefix_size)],
            checkpointer=checkpoints,
            context_schema=TurnContext,
        )

    async def warm(self) -> None:
        """Loads the model with the beginning of every prompt, where a server runs it. Raises EngineError."""
        if isinstance(self._chat, Served) and self._budget:
            counted = await self._chat.preload([*self._prefix, OPENING], self._tools)
            self._budget.context = self._chat.context
            self._budget.learn(self._prefix_size + size_of_messages([OPENING]), counted)

    async def respond(self, question: str, *, conversation: str, language: str) -> AsyncGenerator[ReplyEvent, None]:
        """Retrieves, then refuses or lets the model answer; `settle` must follow, however this ends.

        Where an engine fails, the reply ends with an apology and the failure.
        """
        context = self._underway[conversation] = TurnContext(HumanMessage(question, id=uuid4().hex), self._retrieve)
        said = ""
        try:
            async with aclosing(self._answer(context, conversation, language)) as reply:
                async for event in reply:
                    said += event.text if isinstance(event, TextDelta) else ""
                    yield event
            return
        except RequestTooLarge:
            context.too_large = True
            raise
        except EngineError as error:
            failure = error
        yield TextDelta(apology(failure, said, language))
        yield Failed(failure)

    async def _answer(self, context: TurnContext, conversation: str, language: str) -> AsyncGenerator[ReplyEvent, None]:
        retrieval = await self._retrieve(context.question.text)
        context.given = retrieval.passages if retrieval.answerable else ()
        yield PassagesFound(context.given, retrieval.answerable)
        if self._grounded and not context.given:
            yield Refused()
            yield TextDelta(refusal(language))
            return
        async with aclosing(self._generate(context, conversation)) as reply:
            async for event in reply:
                yield event

    async def _generate(self, context: TurnContext, conversation: str) -> AsyncGenerator[ReplyEvent, None]:
        thoughts = ThoughtFilter()
        stream = self._graph.astream(
            {"messages": [context.question]},
            _thread(conversation),
            context=context,
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
        context = self._underway.pop(conversation, None)
        if context is None:
            return
        thread = _thread(conversation)
        state = await self._graph.aget_state(thread)
        messages: list[AnyMessage] = state.values.get("messages", [])
        ended = settled(messages, context.question, heard, whole=outcome == "completed")
        if context.too_large:
            ended = ended[: ended.index(context.question)]
        kept = window(since(ended, context.first))
        if kept != messages or state.next:
            update = {"messages": [RemoveMessage(REMOVE_ALL_MESSAGES), *kept]}
            await self._graph.aupdate_state(thread, update, as_node="model")
        await self._checkpoints.aprune([conversation])
        await self._checkpoints.make_ready(conversation)


def settled(messages: Sequence[AnyMessage], question: HumanMessage, heard: str, *, whole: bool) -> list[AnyMessage]:
    """A conversation's messages after a turn: they end where the user stopped hearing.

    A reply that was heard whole stays as the model wrote it. Otherwise tool calls that never came back get a result
    that says so, and the reply is cut to `heard`; where nothing was heard the question stands alone. No thought stays.
    """
    messages = [unthought(message) for message in messages]
    place = next((i for i, message in enumerate(messages) if message.id == question.id), None)
    before, after = (messages, []) if place is None else (messages[:place], messages[place + 1 :])
    if whole and after:
        return messages
    kept: list[AnyMessage] = [*before, question]
    answered = {message.tool_call_id for message in after if isinstance(message, ToolMessage)}
    for message in after:
        if isinstance(message, ToolMessage):
            kept.append(message)
        elif isinstance(message, AIMessage) and message.tool_calls:
            lost = [call["id"] for call in message.tool_calls if call["id"] not in answered]
            kept += [message, *(ToolMessage("cancelled", tool_call_id=call) for call in lost)]
    return [*kept, AIMessage(heard)] if heard else kept


def unthought(message: AnyMessage) -> AnyMessage:
    """A message without the thoughts that led to it: a later turn needs none of them."""
    if not isinstance(message, AIMessage):
        return message
    thoughts = ThoughtFilter()
    text = thoughts.push(message.text) + thoughts.flush()
    if text == message.text and "reasoning_content" not in message.additional_kwargs:
        return message
    others = {key: value for key, value in message.additional_kwargs.items() if key != "reasoning_content"}
    return message.model_copy(update={"content": text, "additional_kwargs": others})


def _thread(conversation: str) -> RunnableConfig:
    return {"configurable": {"thread_id": conversation}}


def _events(message: object, thoughts: ThoughtFilter) -> list[ReplyEvent]:
    """What one streamed message tells: text, tool calls, the tokens that were used, or what a tool brought."""
    if isinstance(message, ToolMessage) and message.artifact:
        return [PassagesFound(message.artifact, answerable=True)]
    if not isinstance(message, AIMessage | AIMessageChunk):
        return []
    told: list[ReplyEvent] = [ToolCalled(call["name"], call["args"]) for call in message.tool_calls if call["name"]]
    if text := thoughts.push(message.text):
        told.append(TextDelta(text))
    if used := message.usage_metadata:
        told.append(TokensUsed(used["input_tokens"], used["output_tokens"]))
    return told
