"""What the model sees: the newest turns, this turn's passages and memories, as much as fits; changes no state."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage

from agent.prompt_fit import PromptFit
from agent.token_budget import KEPT, TokenBudget
from agent.turn_context import TurnContext
from configs.errors import PromptTooLong

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
        self._fit = PromptFit(budget, prefix)

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
        *earlier, (question, *since_then) = turns(window(since(request.messages, context.first)))
        prompt = self._fit.fit(context, earlier, question.text, since_then)
        context.first = prompt.first
        try:
            response = await handler(request.override(messages=[*self._examples, *prompt.messages]))
        except PromptTooLong as error:
            self._fit.refused(prompt, error)
            raise
        self._fit.learn(prompt, counted(response.result), self._examples)
        return response


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


def counted(replies: Sequence[BaseMessage]) -> int:
    """The tokens of the prompt, as the server counted them; 0 where it did not."""
    used = [reply.usage_metadata for reply in replies if isinstance(reply, AIMessage) and reply.usage_metadata]
    return used[-1]["input_tokens"] if used else 0
