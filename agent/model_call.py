"""One call of a model, streamed as a reply's events; which prompt it is given, and what follows, others decide."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from typing import Any, cast

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.tools import BaseTool

from agent.events import (
    LimitReached,
    PassagesFound,
    ReplyEvent,
    TextDelta,
    ThoughtDelta,
    TokensUsed,
    ToolCalled,
)
from agent.graph_stream import in_own_task
from models.generation import Generation
from models.registry import generating
from tools.links import LinkFilter
from tools.thoughts import ThoughtFilter


class ModelCall:
    """One call; when its stream has ended, `reply` is what the model wrote."""

    def __init__(
        self,
        chat: BaseChatModel,
        conversation: str,
        generation: Generation,
        tools: Sequence[BaseTool | dict[str, Any]] = (),
    ) -> None:
        """`conversation` decides which of several servers is asked."""
        self.reply = AIMessage("")
        self._model = generating(chat, generation, tools)
        self._thread: RunnableConfig = {"configurable": {"thread_id": conversation}}

    async def stream(self, messages: Sequence[BaseMessage], links: LinkFilter | None) -> AsyncGenerator[ReplyEvent]:
        """The events; close it with `aclosing`. Without `links` the text stays as it is, but for thoughts."""
        thoughts = ThoughtFilter()
        written: AIMessageChunk | None = None
        async with aclosing(in_own_task(_chunks(self._model, messages, self._thread))) as chunks:
            async for chunk in chunks:
                written = chunk if written is None else written + chunk
                for event in [*_thought(chunk), *told(chunk, thoughts, links)]:
                    yield event
        if rest := _shown(thoughts.flush(), links) + (links.flush() if links else ""):
            yield TextDelta(rest)
        if written:
            self.reply = AIMessage(**written.model_dump(exclude={"type", "tool_call_chunks", "chunk_position"}))


def told(message: object, thoughts: ThoughtFilter, links: LinkFilter | None) -> Sequence[ReplyEvent]:
    """What one streamed message tells: text, tool calls, the tokens that were used, or what a tool brought."""
    if isinstance(message, ToolMessage) and message.artifact:
        return [PassagesFound(message.artifact, answerable=True)]
    if not isinstance(message, AIMessage | AIMessageChunk):
        return []
    events: list[ReplyEvent] = [ToolCalled(call["name"], call["args"]) for call in message.tool_calls if call["name"]]
    if text := _shown(thoughts.push(message.text), links):
        events.append(TextDelta(text))
    if used := message.usage_metadata:
        events.append(TokensUsed(used["input_tokens"], used["output_tokens"]))
    if message.response_metadata.get("done_reason") == "length":
        events.append(LimitReached())
    return events


def _shown(text: str, links: LinkFilter | None) -> str:
    return links.push(text) if links else text


def _thought(chunk: AIMessageChunk) -> Iterator[ReplyEvent]:
    if text := chunk.additional_kwargs.get("reasoning_content"):
        yield ThoughtDelta(text)


async def _chunks(
    model: Runnable[LanguageModelInput, AIMessage], messages: Sequence[BaseMessage], thread: RunnableConfig
) -> AsyncGenerator[AIMessageChunk]:
    """The stream as it comes, with the config in force that a graph would have set; it runs in a task of its own."""
    var_child_runnable_config.set(thread)
    stream = cast("AsyncGenerator[AIMessageChunk, None]", model.astream([*messages], thread))
    async with aclosing(stream):
        async for chunk in stream:
            yield chunk
