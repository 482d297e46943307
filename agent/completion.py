"""A completion: one reply to a client that keeps the history itself and may have tools of its own; it keeps nothing."""

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Final

from langchain_core.messages import AIMessage, AnyMessage, SystemMessage
from langchain_core.messages.tool import ToolCall
from langchain_core.tools import BaseTool

from agent.client_history import seen
from agent.client_request import ClientRequest, Parted
from agent.conversation import Conversation
from agent.events import Outcome, PassagesFound, ReplyEvent, TextDelta, ToolRequested
from agent.forced_call import call_in, instruction, shape_of
from agent.inquiry import Inquiry
from agent.model_call import ModelCall
from agent.own_tools import called
from agent.preparation import REFUSALS, counted
from agent.prompt_fit import FittedPrompt, PromptFit
from agent.settling import unthought
from agent.token_budget import size_of_messages, size_of_tools
from agent.turn_context import TurnContext
from configs.errors import PromptTooLong, RequestTooLarge
from memory.turns import Turns
from tools.links import LinkFilter

ROUNDS: Final = 4
"""So often the model may call tools of ours before it has to answer."""
LONGEST: Final = 2**31
"""Tokens of a reply that may be as long as the model's context lets any be."""
LOOKED_UP: Final = 8_000
"""Characters of a question that are looked up."""


class Completion:
    """Answers one request, as a turn's responder."""

    def __init__(self, conversation: Conversation, request: ClientRequest, sent: Parted, turns: Turns) -> None:
        self.persona = conversation.persona
        self.language = conversation.language
        self.memory = conversation.memory
        self._request = request
        self._sent = sent
        self._turns = turns
        self._chat = conversation.chat
        self._answering = conversation.answering
        self._brain = conversation.brain
        self._cuts = conversation.cuts
        self._theirs = {tool["function"]["name"] for tool in request.tools}

    async def look_ahead(self, inquiry: Inquiry) -> None:
        """A request comes whole."""

    async def settle(self, conversation: str, *, heard: str, outcome: Outcome) -> None:
        """The client keeps the state."""

    async def respond(self, inquiry: Inquiry) -> AsyncGenerator[ReplyEvent, None]:
        """Looks up, then refuses or lets the model answer. Raises EngineError, RequestTooLarge."""
        inquiry = replace(inquiry, text=inquiry.text[:LOOKED_UP])
        context = self._answering.begin(inquiry)
        context.for_program = self._request.generation.shape is not None or self._request.forced
        known = () if self._answering.embedded else await seen(self._turns, inquiry, self._sent)
        async with aclosing(self._answering.answer(context, inquiry, known, self._generate)) as reply:
            async for event in reply:
                yield event

    async def _generate(self, context: TurnContext, inquiry: Inquiry) -> AsyncGenerator[ReplyEvent, None]:
        """Calls the model, and again after tools of ours; a tool of the client's ends the reply."""
        if self._request.forced:
            async with aclosing(self._forced(context, inquiry)) as events:
                async for event in events:
                    yield event
            return
        ours = [tool for tool in self._brain.tools if tool.name not in self._theirs]
        since = [*self._sent.since]
        for left in range(ROUNDS, -1, -1):
            tools: list[BaseTool | dict[str, Any]] = [*(ours if left else ()), *self._request.tools]
            call = ModelCall(self._chat, inquiry.conversation, self._request.generation, tools)
            async with aclosing(self._streamed(call, context, since, tools)) as events:
                async for event in events:
                    yield event
            results = [await called(one, ours, context) for one in _of(call.reply, {tool.name for tool in ours})]
            for result in results:
                if result.artifact:
                    yield PassagesFound(result.artifact, answerable=True)
            wanted = _of(call.reply, self._theirs)
            for one in wanted:
                yield ToolRequested(one["id"] or f"call_{inquiry.turn}", one["name"], one["args"])
            if wanted or not results:
                return
            since += [unthought(call.reply), *results]

    async def _forced(self, context: TurnContext, inquiry: Inquiry) -> AsyncGenerator[ReplyEvent, None]:
        """A call of one of the client's tools, whatever the model would rather say."""
        tools = self._request.tools
        generation = replace(self._request.generation, shape=shape_of(tools))
        call = ModelCall(self._chat, inquiry.conversation, generation)
        said = ""
        async with aclosing(self._streamed(call, context, self._sent.since, (), instruction(tools))) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    said += event.text
                else:
                    yield event
        name, arguments = call_in(said, tools)
        yield ToolRequested(f"call_{inquiry.turn}", name, arguments)

    async def _streamed(
        self,
        call: ModelCall,
        context: TurnContext,
        since: Sequence[AnyMessage],
        tools: Sequence[BaseTool | dict[str, Any]],
        told: str = "",
    ) -> AsyncGenerator[ReplyEvent, None]:
        """One call of the model, with a smaller prompt where its server refuses one as too long."""
        system = "\n\n".join(part for part in (self._brain.system, self._sent.system, told) if part)
        prefix: list[AnyMessage] = [SystemMessage(system), *self._brain.examples]
        size = size_of_messages(prefix) + size_of_tools(tools)
        fit = PromptFit(self._brain.budget, size, size_of_tools(self._request.tools))
        wanted = self._request.generation
        # Thoughts are part of a reply: it may take all that any may.
        tokens = wanted.tokens or (LONGEST if wanted.reasoning else 0)
        for left in range(REFUSALS, -1, -1):
            prompt = self._fitted(fit, context, since, tokens)
            try:
                async with aclosing(call.stream([*prefix, *prompt.messages], self._links(context))) as events:
                    async for event in events:
                        yield event
            except PromptTooLong as error:
                fit.refused(prompt, error)
                if not left:
                    raise RequestTooLarge(error.message, error.hint) from error
                continue
            fit.learn(prompt, counted([call.reply]), self._brain.examples)
            return

    def _fitted(self, fit: PromptFit, context: TurnContext, since: Sequence[AnyMessage], tokens: int) -> FittedPrompt:
        """The prompt; what was out of the model's view stays so."""
        conversation, earlier = self._request.conversation, self._sent.earlier
        cut = self._cuts.of(conversation, earlier)
        prompt = fit.fit(context, earlier[cut:], self._sent.question.text, since, tokens)
        self._cuts.keep(conversation, earlier, cut + prompt.dropped)
        return prompt

    def _links(self, context: TurnContext) -> LinkFilter | None:
        """What makes links harmless, but for those that the client's own messages hold."""
        if context.for_program:
            return None
        return LinkFilter("\n".join(message.text for message in self._request.messages))


class BackgroundTask:
    """Answers what a frontend asks for itself: the model alone, without persona, documents or memory."""

    memory = None

    def __init__(self, conversation: Conversation, request: ClientRequest) -> None:
        self.persona = conversation.persona
        self.language = conversation.language
        self._chat = conversation.chat
        self._request = request

    async def look_ahead(self, inquiry: Inquiry) -> None:
        """A request comes whole."""

    async def settle(self, conversation: str, *, heard: str, outcome: Outcome) -> None:
        """There is no state."""

    async def respond(self, inquiry: Inquiry) -> AsyncGenerator[ReplyEvent, None]:
        """What the model makes of the client's own words. Raises EngineError, RequestTooLarge."""
        # A title needs no thought.
        generation = replace(self._request.generation, reasoning=self._request.generation.reasoning or False)
        call = ModelCall(self._chat, inquiry.conversation, generation, self._request.tools)
        try:
            async with aclosing(call.stream(self._request.messages, None)) as events:
                async for event in events:
                    yield event
        except PromptTooLong as error:
            raise RequestTooLarge(error.message, error.hint) from error
        for one in _of(call.reply, {tool["function"]["name"] for tool in self._request.tools}):
            yield ToolRequested(one["id"] or f"call_{inquiry.turn}", one["name"], one["args"])


class Unkept:
    """A history that keeps nothing."""

    async def add(self, turn: object) -> None:
        """Nothing is kept."""


def _of(reply: AIMessage, names: Collection[str]) -> list[ToolCall]:
    """The calls of these tools in a reply."""
    return [call for call in reply.tool_calls if call["name"] in names]
