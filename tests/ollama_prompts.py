"""What Ollama makes of a prompt: how it counts it, and how it cuts or refuses one that is too long; runs no model."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

NUM_CTX, NUM_KEEP = 4096, 4
"""Ollama's own, where a request says nothing."""


class TooLong(Exception):
    """A prompt that may not be cut has more tokens than fit; the argument is what llama-server says of it."""

    def __init__(self, tokens: int, context: int) -> None:
        message = f"request ({tokens} tokens) exceeds the available context size ({context} tokens), try increasing it"
        super().__init__(
            f'{{"error":{{"code":400,"message":"{message}","type":"exceed_context_size_error",'
            f'"n_prompt_tokens":{tokens},"n_ctx":{context}}}}}'
        )


def pieces(text: str) -> list[str]:
    """About what a model's tokens are: an English word with its space, or one or two Chinese characters."""
    return re.findall(r"[\u3000-\u9fff\uff00-\uffef]{1,2}|\s*[^\s\u3000-\u9fff\uff00-\uffef]+|\s+", text)


def prompt_tokens(body: Mapping[str, Any]) -> int:
    """What a prompt has before it is cut: the pieces of its messages, and ten for each tool."""
    texts = [message.get("content") or "" for message in body["messages"]]
    return sum(len(pieces(text)) for text in texts) + 10 * len(body.get("tools") or ())


def tokens_read(body: Mapping[str, Any], trained: int, dense: float, *, always_cuts: bool) -> int:
    """The tokens of a prompt that the model gets to read, as `prompt_eval_count` tells them. Raises TooLong.

    As server/prompt.go and llm/llama_server.go of 0.32 have it: whole messages go, the oldest first, but neither a
    system message nor the last; then all but the beginning and the end, together about half the context.
    """
    options = body.get("options", {})
    context = min(trained, options.get("num_ctx", NUM_CTX))
    tokens = round(dense * prompt_tokens(body))
    if body.get("truncate", True) or always_cuts:
        tokens = _without_the_oldest(body, context, dense)
        kept = options.get("num_keep", NUM_KEEP)
        return tokens if tokens < context else context - max((context - kept) // 2, 1)
    if tokens >= context:
        raise TooLong(tokens, context)
    return tokens


def _without_the_oldest(body: Mapping[str, Any], context: int, dense: float) -> int:
    messages: Sequence[Mapping[str, Any]] = body["messages"]
    tokens = 0
    for first in range(len(messages)):
        kept = [*(message for message in messages[:first] if message["role"] == "system"), *messages[first:]]
        tokens = round(dense * prompt_tokens({**body, "messages": kept}))
        if tokens <= context:
            break
    return tokens
