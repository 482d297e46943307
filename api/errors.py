"""Errors at the doors: each translated once, into lines for a person or a body for a program."""

import re
from typing import Any

from api.safe_text import safe
from configs.errors import AssistantError, ModelNotServed, RequestError

INTERRUPTED = 130
"""What a shell expects of a program that Ctrl-C has ended."""

TERMINATED = 143
"""What a shell expects of a program that SIGTERM has ended."""

BROKEN_PIPE = 141
"""What a shell expects of a program whose reader has gone."""

UNEXPECTED = 70
"""An internal error, in sysexits.h."""


def unwrapped(error: BaseException) -> BaseException:
    """What a group is about: its first error that a person is meant to read, else its first."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    leaves = [unwrapped(inner) for inner in error.exceptions]
    return next((leaf for leaf in leaves if isinstance(leaf, AssistantError)), leaves[0])


def ending(error: BaseException) -> tuple[int, str]:
    """How a command ends: its exit code, and the lines that say why."""
    match unwrapped(error):
        case AssistantError() as known:
            return known.exit_code, lines(known)
        case KeyboardInterrupt():
            return INTERRUPTED, "interrupted"
        case BrokenPipeError():
            return BROKEN_PIPE, ""
        case other:
            said = f"unexpected {type(other).__name__}: {' '.join(str(other).split())}".rstrip(": ")
            return UNEXPECTED, lines(AssistantError(said, "Set TINGSHUO_DEBUG=1 to see where it came from."))


def lines(error: AssistantError) -> str:
    """The error for a person at a terminal: a line, and one more where there is a remedy."""
    return f"error: {safe(error.message)}" + (f"\n  try: {safe(error.hint)}" if error.hint else "")


def body(error: AssistantError) -> dict[str, Any]:
    """The error in OpenAI's form; its message ends with the remedy, since frontends show nothing else."""
    param = error.param if isinstance(error, RequestError) else None
    return error_body(error.status, in_one(error), code=_code(error), param=param, hint=error.hint)


def in_one(error: AssistantError) -> str:
    """What went wrong, and what helps."""
    return f"{error.message}. {error.hint}" if error.hint else error.message


def error_body(
    status: int, message: str, *, code: str | None = None, param: str | None = None, hint: str = ""
) -> dict[str, Any]:
    """OpenAI's form of an error."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    return {"error": {"message": message, "type": kind, "param": param, "code": code, "hint": hint or None}}


def as_ollama(told: dict[str, Any]) -> dict[str, str]:
    """An error in OpenAI's form as Ollama tells it: its message alone.

    Of a model that nobody serves, clients know Ollama's own words, and no remedy may follow them.
    """
    error, message = told["error"], str(told["error"]["message"])
    known = (error["code"], error["param"]) == ("model_not_found", "model")
    return {"error": message.removesuffix(f". {error['hint']}") if known else message}


def _code(error: AssistantError) -> str:
    """OpenAI's code where it has one, else the error's own name."""
    if isinstance(error, ModelNotServed):
        return "model_not_found"
    if type(error) is RequestError and error.param:
        return "invalid_value"
    return re.sub(r"(?<=.)(?=[A-Z])", "_", type(error).__name__).lower()
