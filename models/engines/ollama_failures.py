"""Ollama's failures, each as its own error of ours; the only place that knows httpx's and Ollama's exceptions."""

import json
import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import httpx
from ollama import ResponseError
from pydantic import ValidationError

from configs.errors import EngineError, EngineFailed, EngineUnavailable, ModelNotFound, PromptTooLong

BUSY: Final = {429, 502, 503, 504}
"""Statuses of a full queue, or of a gateway before an Ollama that is away."""

LATER: Final = ("server busy", "timed out", "loading model", "server is shutting down")
"""What Ollama's words hold when trying again may help, whatever the status."""

REMEDIES: Final = (
    ("does not support tools", "Name a model that knows tools in the persona, such as qwen3:8b."),
    ("does not support thinking", "Set no `reasoning` in the persona, or name a model that thinks, such as qwen3:8b."),
    ("does not support chat", "That is no chat model: name another in the persona, such as qwen3:8b."),
    ("does not support embeddings", "Name another embeddings.ollama.model, such as qwen3-embedding:0.6b."),
    ("system memory", "Close other programs, or name a smaller model, such as qwen3:4b."),
    ("out of memory", "Name a smaller model, such as qwen3:4b, or set a smaller chat.ollama.num_ctx."),
    ("not authorized", "Sign in with `ollama signin`, or name a local model."),
)
"""A piece of Ollama's words, and what the reader can do about it."""

OVERLONG: Final = re.compile(r"exceeds the (available context|context length)|prompt is longer than the context")
"""What Ollama says of a prompt that it may not cut; at each of its versions one of these."""

COUNTED: Final = (re.compile(r"n_prompt_tokens\W+(\d+)|request \((\d+)"), re.compile(r"n_ctx\W+(\d+)|size \((\d+)"))
"""Where such words tell the tokens of the prompt, and of the context."""


@contextmanager
def translated(host: str, model: str) -> Generator[None, None, None]:
    """Turns what Ollama's client raises inside into EngineUnavailable, ModelNotFound, PromptTooLong or EngineFailed."""
    host = _shown(host)
    try:
        yield
    except ResponseError as error:
        raise _refused(error, host, model) from error
    except (ConnectionError, httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise EngineUnavailable(
            f"Ollama is not running at {host}",
            "start it: `ollama serve` (or set chat.ollama.host and embeddings.ollama.host to where it runs)",
        ) from error
    except httpx.TimeoutException as error:
        raise EngineUnavailable(
            f"Ollama at {host} gave no answer from {model!r} in time",
            "The model may still be loading: try again, look at `ollama ps`, or set a longer timeout.",
        ) from error
    except httpx.RequestError as error:
        raise cut(host, model, str(error) or type(error).__name__) from error
    except (json.JSONDecodeError, ValidationError) as error:
        raise EngineFailed(
            f"what {host} answers is not Ollama's protocol",
            "Another program may listen on that port: look at the address, and at the version (`ollama --version`).",
        ) from error


def cut(host: str, model: str, reason: str) -> EngineFailed:
    """The error for a reply that ended before its end."""
    return EngineFailed(
        f"Ollama at {_shown(host)} broke off the reply of {model!r}: {reason}",
        "Look into Ollama's log (`ollama serve` in a terminal, or `journalctl -u ollama`).",
    )


def elsewhere(error: EngineError) -> bool:
    """Whether another server may do what failed here: this one is away, busy, too slow, or lacks the model."""
    gone = isinstance(error.__cause__, httpx.RequestError)
    return gone or isinstance(error, EngineUnavailable | ModelNotFound)


def _shown(host: str) -> str:
    """An address without the name and password that may stand in it."""
    return re.sub(r"//[^@/]*@", "//", host)


def _refused(error: ResponseError, host: str, model: str) -> EngineError:
    words = " ".join(error.error.split())[:500]
    told = words.lower()
    if error.status_code == 404 and "page not found" not in told:
        return ModelNotFound(f"Ollama at {host} has no model {model!r}", f"`tingshuo pull`, or `ollama pull {model}`")
    if error.status_code in BUSY or any(sign in told for sign in LATER):
        return EngineUnavailable(f"Ollama at {host} is not ready: {words}", "Try again in a moment.")
    if OVERLONG.search(told):
        tokens, context = (_number(told, sign) for sign in COUNTED)
        count = f"{tokens} tokens, and {context} fit" if tokens and context else "too many tokens"
        remedy = "Shorten the question, or set a larger chat.ollama.num_ctx."
        return PromptTooLong(f"the prompt for {model!r} at {host} has {count}", remedy, tokens, context)
    hint = next((remedy for sign, remedy in REMEDIES if sign in told), "Look into Ollama's log.")
    return EngineFailed(f"Ollama at {host} failed with {model!r}: {words}", hint)


def _number(words: str, sign: re.Pattern[str]) -> int:
    """The number after that sign; 0 where there is none."""
    found = sign.search(words)
    return int(found[found.lastindex or 0]) if found else 0
