"""What fits into a model's context: sizes of texts, learnt from the server's own counts; knows no prompt."""

import json
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from configs.errors import RequestTooLarge

REPLY: Final = 1024
"""Tokens that are kept for the reply, where no `num_predict` says how long it may be."""
KEPT: Final = 0.7
"""When turns must go, so many go that the rest takes this share of the room: then the prompt begins the same for
several turns, and the server need not read it anew each time."""
MARGIN: Final = 1.05
LOWEST, HIGHEST = 0.6, 4.0
"""Bounds of the scale: tokens for one unit of size."""
LEAST: Final = 0.35
"""No text has fewer tokens for one unit of size, whatever the model."""
MESSAGE, TOOLS = 8, 150
"""Sizes of what a template puts around a message, and around all tools."""
SURPRISE: Final = 1.25
"""What the scale grows by where a prompt had too many tokens, and nothing tells how many."""
CHANCE: Final = 1.1
"""A count that is so near to what was expected may be half of the context by chance."""

log = logging.getLogger(__name__)


def size_of(text: str) -> float:
    """About how many tokens a text has, rather too many: three bytes of UTF-8 are one, so a Chinese character is one
    and an English word one or two; a digit is one as well.
    """
    data = text.encode("utf-8", "replace")
    digits = len(data) - len(data.translate(None, b"0123456789"))
    return (len(data) + 2 * digits) / 3


def size_of_messages(messages: Sequence[BaseMessage]) -> float:
    """As `size_of`, of messages with their tool calls."""
    called = (m.tool_calls for m in messages if isinstance(m, AIMessage) and m.tool_calls)
    return sum(size_of(message.text) + MESSAGE for message in messages) + sum(size_of(str(calls)) for calls in called)


def size_of_tools(tools: Sequence[BaseTool | dict[str, Any]]) -> float:
    """As `size_of`, of what the model is told of its tools: that is JSON without spaces, whose words are its own, so
    that four letters are one token.
    """
    told = sum(_size_of_json(convert_to_openai_tool(tool)) for tool in tools)
    return told + TOOLS if tools else 0


def _size_of_json(value: dict[str, Any]) -> float:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    letters = len(text.encode("ascii", "ignore"))
    return size_of(text) - letters * (1 / 3 - 1 / 4)


@dataclass(frozen=True, slots=True)
class Scale:
    """Tokens for one unit of size, as a model's counts have shown; 1 until one came."""

    factor: float = 1.0

    def tokens(self, size: float) -> int:
        """The most tokens that are to be expected."""
        return math.ceil(size * self.factor * MARGIN)

    def after(self, size: float, counted: int) -> "Scale":
        """The scale when a prompt of that size had so many tokens: up at once, down by steps."""
        seen = counted / size
        step = 1.0 if seen > self.factor else 0.25
        return Scale(min(HIGHEST, max(LOWEST, self.factor + step * (seen - self.factor))))

    def beyond(self, size: float, context: int) -> "Scale":
        """The scale when a prompt of that size did not fit into that context, and nobody said by how much."""
        return Scale(min(HIGHEST, SURPRISE * max(self.factor, context / size)))

    def distance(self, factor: float) -> float:
        """How surprising it would be if a prompt had so many tokens for one unit of size; 1 is as expected."""
        return max(factor / self.factor, self.factor / factor)


@dataclass(frozen=True, slots=True)
class Fit:
    """What of a prompt stays."""

    dropped: int
    """How many of the oldest turns go."""
    passages: int
    """How many of the best passages stay."""


def fit(fixed: float, turns: Sequence[float], passages: Sequence[float], limit: float) -> Fit:
    """What stays of a prompt, so that it is no larger than `limit`, where that can be: the oldest turns go first.

    `fixed` is what cannot go, `turns` stand oldest first, `passages` best first; all of one unit.
    """
    room = limit - fixed - sum(passages)
    left, dropped = sum(turns), 0
    if left > room:
        while dropped < len(turns) and left > KEPT * room:
            left -= turns[dropped]
            dropped += 1
    kept = len(passages)
    while kept and fixed + left + sum(passages[:kept]) > limit:
        kept -= 1
    return Fit(dropped, kept)


class TokenBudget:
    """The tokens of one model's context, shared between prompt and reply."""

    def __init__(self, context: int, reply: int | None = None) -> None:
        """`context`: Ollama's `num_ctx`. `reply`: its `num_predict`, where that is a limit."""
        self.context = context
        self.scale = Scale()
        self._reply = reply if reply and reply > 0 else REPLY

    @property
    def reply(self) -> int:
        """Tokens that are kept for the reply."""
        return min(self._reply, self.context // 2)

    def fit(
        self, fixed: float, turns: Sequence[float], passages: Sequence[float], *, reply: int = 0, tools: float = 0
    ) -> Fit:
        """As the function, in sizes. Raises RequestTooLarge where not even `fixed` leaves room for the reply.

        `reply`: tokens to keep for it, where that is not `self.reply`. `tools`: what of `fixed` they take.
        """
        reserved = min(reply, self.context // 2) or self.reply
        limit = self.context - reserved
        needed = self.scale.tokens(fixed)
        if needed > limit:
            of_them = f", {self.scale.tokens(tools)} of them for the tools" if tools else ""
            raise RequestTooLarge(
                f"the question needs about {needed} tokens with all that belongs to it{of_them}; {limit} are free "
                f"(num_ctx is {self.context}, {reserved} of it for the reply)",
                f"Shorten it, {'offer fewer tools, ' if tools else ''}ingest it as a document, or set a larger "
                "chat.ollama.num_ctx.",
            )
        tokens = self.scale.tokens
        return fit(needed, [*map(tokens, turns)], [*map(tokens, passages)], limit)

    def learn(self, size: float, counted: int, oldest: Sequence[float] = ()) -> None:
        """Takes in what the server counted for a prompt of that size; `oldest`: the sizes of the messages in it after
        the system prompt, but for the last.

        Where a server cuts in silence, only its count can show it: it fills the context, is half of it, or is what is
        left without the oldest messages. A count far below says nothing: some servers leave out what they had read
        before, or count nothing at all.
        """
        if cut := self._cut(size, counted, oldest):
            self._warn(size, counted)
            self.scale = cut
        elif counted >= size * LEAST:
            self.scale = self.scale.after(size, counted)
        elif counted > self.context / 4:
            self._warn(size, counted)
            self.context = counted

    def refused(self, size: float, tokens: int = 0, context: int = 0) -> None:
        """Takes in that the server refused a prompt of that size, since it has so many tokens and its context holds
        only so many; 0 where it did not say. What is fitted next is smaller."""
        self.context = min(self.context, context or self.context)
        if tokens > self.context:
            self.scale = self.scale.after(size, tokens)
        else:
            self.scale = self.scale.beyond(size, self.context)

    def _cut(self, size: float, counted: int, oldest: Sequence[float]) -> Scale | None:
        """The scale that the server's cut of the prompt implies; None where it has more likely cut nothing.

        Of a prompt that is too long Ollama drops as many of the oldest messages as it must (`server/prompt.go`). Where
        the rest is still too long, it keeps the beginning and the end, together half the context; before its version
        0.30 it kept as much as the context holds.
        """
        if counted >= self.context - MESSAGE:
            return self.scale.beyond(size, counted)
        if counted <= self.context / 4:
            return None
        if counted in self._halves and self.scale.distance(counted / size) > CHANCE:
            return self.scale.beyond(size, self.context)
        cuts: list[tuple[float, Scale]] = []
        left = size
        for message in oldest:
            before, left = left, left - message
            factor = counted / left
            # It would not have dropped this one, had the rest fitted with it.
            if self.context / before < factor <= HIGHEST:
                cuts.append((factor, self.scale.after(left, counted)))
        factor, scale = min(cuts, key=lambda cut: self.scale.distance(cut[0]), default=(0.0, None))
        if scale and self.scale.distance(factor) < self.scale.distance(counted / size):
            return scale
        return None

    @property
    def _halves(self) -> set[int]:
        """What Ollama leaves of a prompt by its `num_keep` of 4, with and without a token that begins every text."""
        return {self.context - (self.context - kept) // 2 for kept in (4, 5)}

    def _warn(self, size: float, counted: int) -> None:
        log.warning(
            "the server has cut a prompt: it read %d tokens of about %d (num_ctx is %d); from now on less is sent",
            counted,
            self.scale.tokens(size),
            self.context,
        )
