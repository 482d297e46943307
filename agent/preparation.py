"""What the model sees: the newest turns, this turn's passages and memories, as much as fits; changes no state."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage

from agent.token_budget import KEPT, Fit, TokenBudget, size_of, size_of_messages
from agent.turn_context import TurnContext
from configs.errors import PromptTooLong
from models.quoting import QuotedPassage, asked, quote
from tools.knowledge_search import numbered

REFUSALS = 2
"""So often a server may refuse a prompt of one call as too long, before that is an error."""
WINDOW = 40
"""The most messages of a conversation that the model sees and the checkpoint keeps."""
log = logging.getLogger(__name__)


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
        """Hands the prepared prompt on, and a smaller one where the server refuses it; learns from what it counted."""
        for _ in range(REFUSALS):
            try:
                return await self._call(request, handler)
            except PromptTooLong as error:
                log.warning("%s; less is sent", error.message)
        return await self._call(request, handler)

    async def _call(
        self,
        request: ModelRequest[TurnContext],
        handler: Callable[[ModelRequest[TurnContext]], Awaitable[ModelResponse[Any]]],
    ) -> ModelResponse[Any]:
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
        sent, size = [*self._examples, *prompt], self._prefix + size_of_messages(prompt)
        try:
            response = await handler(request.override(messages=sent))
        except PromptTooLong as error:
            if self._budget:
                self._budget.refused(size, error.tokens, error.context)
            raise
        if self._budget:
            oldest = [size_of_messages([message]) for message in sent[:-1]]
            self._budget.learn(size, _counted(response.result), oldest)
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
