"""The prompt of one call: history, this turn's passages with its question, as much as fits; it calls no model."""

from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.messages import AnyMessage, HumanMessage

from agent.token_budget import Fit, TokenBudget, size_of, size_of_messages
from agent.turn_context import TurnContext
from configs.errors import PromptTooLong
from models.quoting import QuotedPassage, asked, quote
from tools.knowledge_search import numbered


@dataclass(frozen=True, slots=True)
class FittedPrompt:
    """What is sent after the stable beginning."""

    messages: list[AnyMessage]
    size: float
    """Of all that is sent, the beginning too."""
    first: str | None
    """The id of the oldest message that stays."""
    dropped: int
    """How many of the oldest turns went."""


class PromptFit:
    """Makes prompts that fit into a model's context, and learns from what its server counts."""

    def __init__(self, budget: TokenBudget | None, prefix: float, tools: float = 0) -> None:
        """`prefix`: the size of what stands before the history; `tools`: what of it the client's tools take, where it
        has any. Without a budget everything fits."""
        self._budget = budget
        self._prefix = prefix
        self._tools = tools

    def fit(
        self,
        context: TurnContext,
        earlier: Sequence[list[AnyMessage]],
        question: str,
        since: Sequence[AnyMessage],
        reply: int = 0,
    ) -> FittedPrompt:
        """The newest of the earlier turns, the question with what was looked up, and what followed it.

        `reply`: tokens to keep for the reply, where that is not what the budget says. Raises RequestTooLarge where not
        even the question fits.
        """
        now = context.at.astimezone()
        passages, known = numbered(context.given), context.known
        bare = HumanMessage(asked(question, [], now, known))
        plan = self._plan(earlier, [bare, *since], passages, reply)
        history = [message for turn in earlier[plan.dropped :] for message in turn]
        full = HumanMessage(asked(question, passages[: plan.passages], now, known))
        prompt: list[AnyMessage] = [*history, full, *since]
        first = history[0].id if history else context.question.id
        return FittedPrompt(prompt, self._prefix + size_of_messages(prompt), first, plan.dropped)

    def refused(self, prompt: FittedPrompt, error: PromptTooLong) -> None:
        """Takes in that the server would not have it: the next one is smaller."""
        if self._budget:
            self._budget.refused(prompt.size, error.tokens, error.context)

    def learn(self, prompt: FittedPrompt, counted: int, examples: Sequence[AnyMessage] = ()) -> None:
        """Takes in how many tokens the server counted; `examples`: what stood between system prompt and history."""
        if self._budget:
            oldest = [size_of_messages([message]) for message in [*examples, *prompt.messages[:-1]]]
            self._budget.learn(prompt.size, counted, oldest)

    def _plan(
        self,
        earlier: Sequence[list[AnyMessage]],
        turn: Sequence[AnyMessage],
        passages: Sequence[QuotedPassage],
        reply: int,
    ) -> Fit:
        if self._budget is None:
            return Fit(0, len(passages))
        return self._budget.fit(
            self._prefix + size_of_messages(turn),
            [size_of_messages(one) for one in earlier],
            [size_of(quote([passage])) for passage in passages],
            reply=reply,
            tools=self._tools,
        )
