"""JSON as text: objects as records, the names of what holds them as headings; values stand as they were written."""

import json
from collections.abc import Iterator
from typing import Final, TypeAlias

from configs.errors import DocumentUnreadable
from memory.formats.encoding import decode
from memory.formats.tabular import LONGEST, record

Value: TypeAlias = "dict[str, Value] | list[Value] | str | bool | None"
"""Numbers are the text they were written as."""

_DEEPEST_HEADING: Final = 6
_DEEPEST: Final = 100
"""Objects and lists within each other; what is deeper was made to break a reader."""
_FIX: Final = "Mend it, or save it as text (.txt)."


def json_text(content: bytes, *, lines: bool) -> str:
    """A JSON file, or one with a value in each line. Raises DocumentUnreadable."""
    text = decode(content)
    if text is None:
        raise DocumentUnreadable("is not text, or in an unknown encoding", "Save it as UTF-8.")
    if not text.strip():
        return ""
    if not lines:
        return "\n\n".join(_paragraphs(_parsed(text, None), "", 2))
    values = [_parsed(line, number) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    return "\n\n".join(_paragraphs(values, "", _DEEPEST_HEADING + 1))


def _parsed(text: str, line: int | None) -> Value:
    try:
        value: Value = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except json.JSONDecodeError as error:
        place = f"line {line or error.lineno}, column {error.colno}"
        raise DocumentUnreadable(f"is not JSON ({error.msg}: {place})", _FIX) from error
    if _is_deeper(value, _DEEPEST):
        raise DocumentUnreadable("is nested too deeply", _FIX)
    return value


def _is_deeper(value: Value, levels: int) -> bool:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return _holds(value) and (levels == 0 or any(_is_deeper(part, levels - 1) for part in parts))


def _paragraphs(value: Value, path: str, level: int) -> Iterator[str]:
    """A value below the names in `path`: a record where it is small, else its parts below headings of their own."""
    pairs = _small(value, path)
    if pairs is not None:
        if pairs:
            yield record(pairs)
    elif isinstance(value, dict):
        yield from _object(value, path, level)
    elif isinstance(value, list):
        for number, part in enumerate(value, 1):
            yield from _paragraphs(part, f"{path} {number}".strip() if isinstance(part, list) else path, level)
    else:
        yield record([(path, _scalar(value))]) if path else _scalar(value)


def _object(value: dict[str, Value], path: str, level: int) -> Iterator[str]:
    """What an object says itself, as one record; then each of its larger parts."""
    own: list[tuple[str, str]] = []
    large: list[tuple[str, Value]] = []
    for name, part in value.items():
        pairs = _small(part, _joined(path if level > _DEEPEST_HEADING else "", name))
        if pairs is None and not _holds(part):
            pairs = [(name, _scalar(part))]
        if pairs is None:
            large.append((name, part))
        else:
            own.extend(pairs)
    if own:
        yield record(own)
    for name, part in large:
        if level <= _DEEPEST_HEADING:
            yield f"{'#' * level} {' '.join(name.split())}"
            yield from _paragraphs(part, "", level + 1)
        else:
            yield from _paragraphs(part, _joined(path, name), level)


def _small(value: Value, path: str) -> list[tuple[str, str]] | None:
    """The values in it with the paths to them, where they make one short line; else None, as for a list of objects."""
    if isinstance(value, list) and any(isinstance(part, dict) for part in value):
        return None
    pairs: list[tuple[str, str]] = []
    length = 0
    for name, scalar in _scalars(value, path):
        length += len(name) + len(scalar) + 4
        if length > LONGEST:
            return None
        if scalar:
            pairs.append((name, scalar))
    return pairs


def _scalars(value: Value, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _scalars(part, _joined(path, name))
    elif isinstance(value, list) and not any(isinstance(part, dict | list) for part in value):
        yield path or "values", ", ".join(filter(None, map(_scalar, value)))
    elif isinstance(value, list):
        for number, part in enumerate(value, 1):
            yield from _scalars(part, f"{path}[{number}]")
    else:
        yield path or "value", _scalar(value)


def _scalar(value: Value) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else " ".join(str(value).split())


def _holds(value: Value) -> bool:
    return isinstance(value, dict | list)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
