"""Ollama's Modelfile, read and written: the brain of a persona; speaks to no Ollama."""

import codecs
import difflib
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, cast, get_args

from configs.errors import ConfigError

Role = Literal["system", "user", "assistant"]
Value = int | float | bool | tuple[str, ...]

INSTRUCTIONS = (
    "FROM",
    "REQUIRES",
    "PARAMETER",
    "TEMPLATE",
    "RENDERER",
    "PARSER",
    "SYSTEM",
    "ADAPTER",
    "DRAFT",
    "LICENSE",
    "MESSAGE",
)

_WHOLE, _NUMBER, _SWITCH, _TEXT = "a whole number", "a number", "true or false", "text"

PARAMETERS: Mapping[str, str] = {
    **dict.fromkeys(("num_ctx", "num_batch", "num_gpu", "main_gpu", "num_thread", "num_keep", "num_predict"), _WHOLE),
    **dict.fromkeys(("draft_num_predict", "seed", "top_k", "repeat_last_n"), _WHOLE),
    **dict.fromkeys(("temperature", "top_p", "min_p", "typical_p"), _NUMBER),
    **dict.fromkeys(("repeat_penalty", "presence_penalty", "frequency_penalty"), _NUMBER),
    "use_mmap": _SWITCH,
    "stop": _TEXT,
}
"""The parameters that Ollama takes, and what each must be."""

_WHOLE_FORM = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER_FORM = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_VERSION_FORM = re.compile(r"v?([0-9]+(\.[0-9]+){0,2}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?)")
_SWITCHES = {
    **dict.fromkeys(("1", "t", "T", "true", "True", "TRUE"), True),
    **dict.fromkeys(("0", "f", "F", "false", "False", "FALSE"), False),
}


class Message(NamedTuple):
    """One line of an example conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Modelfile:
    """What a Modelfile says; a text that it does not give is empty."""

    from_: str
    """An Ollama model, or a path relative to the Modelfile."""
    parameters: Mapping[str, Value] = field(default_factory=dict)
    """By name; `stop` holds a tuple of texts, every other one a single value."""
    system: str = ""
    template: str = ""
    messages: tuple[Message, ...] = ()
    adapter: str = ""
    draft: str = ""
    renderer: str = ""
    parser: str = ""
    license: tuple[str, ...] = ()
    requires: str = ""
    """The oldest Ollama that will do, such as "0.14.0"."""


class _Instruction(NamedTuple):
    where: str
    """The file and the line, for a person."""
    name: str
    key: str
    """The parameter's name or the message's role; empty for other instructions."""
    value: str


def read_modelfile(path: Path) -> Modelfile:
    """The Modelfile at that path: UTF-8, or UTF-16 with a byte order mark. Raises ConfigError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"the Modelfile {path} cannot be read: {error.strerror}",
            "Create it, or correct its path or its permissions.",
        ) from error
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if wide else "utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}, line {line}: this is not {error.encoding} text", "Save the file as UTF-8."
        ) from error
    return parse_modelfile(text, str(path))


def parse_modelfile(text: str, source: str = "Modelfile") -> Modelfile:
    """What the text says, by Ollama's rules. Raises ConfigError, which names the source, the line and the remedy.

    Stricter than Ollama where it would drop something without a word: an instruction or a parameter given twice and a
    parameter out of use are errors, and invisible characters stay. Line ends become "\\n".
    """
    texts: dict[str, str] = {}
    parameters: dict[str, Value] = {}
    messages: list[Message] = []
    licenses: list[str] = []
    for instruction in _instructions(text, source):
        match instruction.name:
            case "PARAMETER":
                _add_parameter(parameters, instruction)
            case "MESSAGE":
                messages.append(Message(_role(instruction), instruction.value))
            case "LICENSE":
                licenses.append(instruction.value)
            case _:
                _add_text(texts, instruction)
    if "from" not in texts:
        raise ConfigError(f"{source} has no FROM line", "Name the model that it builds on: FROM qwen3:8b")
    from_ = texts.pop("from")
    return Modelfile(from_, parameters, messages=tuple(messages), license=tuple(licenses), **texts)


def rendered(modelfile: Modelfile) -> str:
    """A Modelfile that says this: `parse_modelfile(rendered(m)) == m`.

    Raises ConfigError for a text that the format cannot hold: a carriage return, or three quotes at the end of a
    line that is not the last.
    """
    statements = [("FROM", modelfile.from_), ("REQUIRES", modelfile.requires)]
    for name, value in modelfile.parameters.items():
        statements += [(f"PARAMETER {name}", text) for text in _parameter_texts(value)]
    statements += [
        (name, getattr(modelfile, name.lower()))
        for name in ("TEMPLATE", "RENDERER", "PARSER", "SYSTEM", "ADAPTER", "DRAFT")
    ]
    given = [(head, text) for head, text in statements if text or head == "PARAMETER stop"]
    given += [("LICENSE", text) for text in modelfile.license]
    given += [(f"MESSAGE {role}", content) for role, content in modelfile.messages]
    return "".join(f"{head} {_quoted(text, head)}\n" for head, text in given)


def _instructions(text: str, source: str) -> Iterator[_Instruction]:
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    numbered = enumerate(lines, 1)
    for number, line in numbered:
        if not line.strip(" \t") or line.lstrip(" \t").startswith("#"):
            continue
        where = f"{source}, line {number}"
        word, rest = _cut(line.lstrip(" \t"))
        name = _instruction_name(word, where)
        key = ""
        if rest is not None and name in ("PARAMETER", "MESSAGE"):
            key, rest = _cut(rest)
        if rest is None:
            missing = f"{name} {key}".strip()
            raise ConfigError(f"{where}: {missing} has no value", "Write the value on the same line, after a space.")
        value = _value(rest, (line for _, line in numbered))
        if value is None:
            raise ConfigError(
                f"{where}: the quotes that open here are never closed",
                "Close them with the same quotes at a line's end.",
            )
        yield _Instruction(where, name, key, value)


def _cut(text: str) -> tuple[str, str | None]:
    """What stands before the first space or tab, and what after it; None where there is none."""
    parts = re.split(r"[ \t]", text, maxsplit=1)
    return parts[0], parts[1] if len(parts) == 2 else None


def _value(first: str, following: Iterator[str]) -> str | None:
    """The value that begins with this line; takes the further lines that it needs. None where its quotes stay open.

    Quotes open at the beginning of the value only, and close at the end of a line only.
    """
    text = first.strip()
    quotes = next((mark for mark in ('"""', '"') if text.startswith(mark)), "")
    size = len(quotes)
    if not quotes or (len(text) >= 2 * size and text.endswith(quotes)):
        return text[size : len(text) - size]
    lines = [first.lstrip()]
    for line in following:
        lines.append(line)
        if line.rstrip().endswith(quotes):
            return "\n".join(lines).rstrip()[size:-size]
    return None


def _instruction_name(word: str, where: str) -> str:
    name = word.upper()
    if word.isascii() and name in INSTRUCTIONS:
        return name
    near = difflib.get_close_matches(name, INSTRUCTIONS, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"It must be one of {', '.join(INSTRUCTIONS)}."
    raise ConfigError(
        f"{where}: {word!r} is not an instruction", f'{hint} Text over several lines stands between """ and """.'
    )


def _add_text(texts: dict[str, str], instruction: _Instruction) -> None:
    where, name, _, value = instruction
    if name.lower() in texts:
        raise ConfigError(f"{where}: {name} is given a second time", "Keep one of the two.")
    if name == "FROM" and not value:
        raise ConfigError(f"{where}: FROM names no model", "Name one: FROM qwen3:8b")
    if name == "REQUIRES":
        version = _VERSION_FORM.fullmatch(value)
        if version is None:
            raise ConfigError(f"{where}: {value!r} is not a version", "Write it like this: REQUIRES 0.14.0")
        value = version[1]
    texts[name.lower()] = value


def _role(instruction: _Instruction) -> Role:
    if instruction.key not in get_args(Role):
        raise ConfigError(
            f"{instruction.where}: {instruction.key!r} is not a role",
            "After MESSAGE and one space comes system, user or assistant, in small letters.",
        )
    return cast(Role, instruction.key)


def _add_parameter(parameters: dict[str, Value], instruction: _Instruction) -> None:
    where, _, name, text = instruction
    if name not in PARAMETERS:
        near = difflib.get_close_matches(name.lower(), PARAMETERS, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"After one space comes one of {', '.join(PARAMETERS)}."
        raise ConfigError(f"{where}: {name!r} is not a parameter", hint)
    if name == "stop":
        parameters[name] = (*cast(tuple[str, ...], parameters.get(name, ())), text)
        return
    if name in parameters:
        raise ConfigError(f"{where}: the parameter {name} is given a second time", "Keep one of the two.")
    value = _number_or_switch(PARAMETERS[name], text)
    if value is None:
        raise ConfigError(
            f"{where}: {name} must be {PARAMETERS[name]}, not {text!r}",
            "A comment stands on a line of its own." if "#" in text else f"Mend the value: PARAMETER {name} …",
        )
    parameters[name] = value


def _number_or_switch(kind: str, text: str) -> int | float | bool | None:
    if kind == _WHOLE and _WHOLE_FORM.fullmatch(text):
        return int(text)
    if kind == _NUMBER and _NUMBER_FORM.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return _SWITCHES.get(text) if kind == _SWITCH else None


def _parameter_texts(value: Value) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return value
    return (str(value).lower() if isinstance(value, bool) else repr(value),)


def _quoted(text: str, head: str) -> str:
    """The text as a value, in the plainest form that reads back as itself. Raises ConfigError where none does."""
    marks = ('"""', '"') if "\n" in text else ('"', '"""')
    for mark in ("", *marks) if text else marks:
        first, *following = f"{mark}{text}{mark}".split("\n")
        if "\r" not in text and _value(first, iter(following)) == text:
            return f"{mark}{text}{mark}"
    raise ConfigError(
        f"{head}: a Modelfile cannot hold the text {text[:40]!r}…",
        "No line but the last may end in three quotes, and none may hold a carriage return.",
    )
