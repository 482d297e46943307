"""A tool call that a client insists on, as JSON that a server holds the model to; it calls no tool."""

import json
from collections.abc import Sequence
from typing import Any

from configs.errors import EngineFailed

Tool = dict[str, Any]


def shape_of(tools: Sequence[Tool]) -> dict[str, Any]:
    """The JSON schema of a call: the arguments of the only tool, or a name with its arguments."""
    functions = [tool["function"] for tool in tools]
    if len(functions) == 1:
        return _arguments(functions[0])
    calls = [
        {
            "type": "object",
            "properties": {"name": {"const": function["name"]}, "arguments": _arguments(function)},
            "required": ["name", "arguments"],
        }
        for function in functions
    ]
    return {"anyOf": calls}


def instruction(tools: Sequence[Tool]) -> str:
    """What the model is told of it."""
    functions = [tool["function"] for tool in tools]
    told = "\n".join(json.dumps(function, ensure_ascii=False) for function in functions)
    if len(functions) == 1:
        return f"Call this function now. Reply with its arguments alone, as JSON:\n{told}"
    return f'Call one of these functions now. Reply with JSON alone, {{"name": ..., "arguments": ...}}:\n{told}'


def call_in(text: str, tools: Sequence[Tool]) -> tuple[str, dict[str, Any]]:
    """The name and the arguments in a reply. Raises EngineFailed for one that is no such call."""
    names = [tool["function"]["name"] for tool in tools]
    try:
        found = json.loads(text)
        name, arguments = (names[0], found) if len(names) == 1 else (found["name"], found["arguments"])
        if name not in names or not isinstance(arguments, dict):
            raise ValueError(f"it names {name!r}")
    except (ValueError, KeyError, TypeError) as error:
        raise EngineFailed(
            f"the model gave no call of {' or '.join(names)}",
            'Allow more tokens, or let the model decide with `tool_choice` "auto".',
        ) from error
    return name, arguments


def _arguments(function: dict[str, Any]) -> dict[str, Any]:
    parameters = function.get("parameters")
    return dict(parameters) if parameters else {"type": "object", "properties": {}}
